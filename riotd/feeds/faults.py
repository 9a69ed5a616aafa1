"""Packs damaged in ways that no parser may take."""

import re
from random import Random

from riotd.feeds.request import GAP

_FIRST_VALUE = re.compile(rb'("v":"?)[-0-9.e]+')


def spoilt(pack: bytes, random: Random, field: bytes) -> bytes:
    """The SenML pack damaged in one of four ways, each of which a SenML parser has to refuse.

    It is cut short, not JSON at all, without a name (that of `field`, and the base name), or holds the number 1e400.
    """
    return random.choice((_cut, _noise, _nameless, _endless))(pack, random, field)


def spoilt_row(row: bytes, random: Random) -> bytes:
    """The CSV row damaged: cut within its columns, or something else altogether."""
    comma = row.rindex(b",")
    return random.choice((_cut, _noise))(row[:comma], random, b"")


def gap_length(random: Random) -> int:
    """Readings that a gap lasts: half to one and a half times the usual."""
    return random.randrange(GAP // 2, GAP * 3 // 2 + 1)


def _cut(pack: bytes, random: Random, _field: bytes) -> bytes:
    return pack[: random.randrange(1, len(pack))]


def _noise(_pack: bytes, random: Random, _field: bytes) -> bytes:
    return b"ERR watchdog reset, cause 0x%04x" % random.randrange(65536)


def _nameless(pack: bytes, _random: Random, field: bytes) -> bytes:
    name = b'"n":"' + field + b'"'
    return pack.replace(name + b",", b"").replace(b"," + name, b"").replace(b'"bn":', b'"sn":')


def _endless(pack: bytes, _random: Random, _field: bytes) -> bytes:
    return _FIRST_VALUE.sub(rb"\g<1>1e400", pack, count=1)
