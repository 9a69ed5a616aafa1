"""A feed as MQTT packets, made before it is sent: in a file, one behind the other, each with its due time and number.

The trap: a result has to be matched with the message it follows from by somebody who sees topics and payloads only.
RIoTBench gives each message a number, MSGID, that its tuples carry along. Here the time of the pack is that number: a
record's time passes through every task, what follows from several messages has that of the message that triggered it,
as RIoTBench's has its MSGID, and every format of a result says it. So packs are numbered in milliseconds from the first
one's time, whatever their devices and however fast they come. A user property of MQTT 5 would have to be carried by
the daemon from message to result, which it does not do for anybody else; the daemon's own number of a message is the
daemon's word for what is measured here.
"""

import math
import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from riotd import feeds
from riotd.benchmarks import wire
from riotd.feeds import Arrivals, Dataset, Form

TIME = re.compile(rb'"bt":"?([0-9.]+)')
_ID = re.compile(rb'"(?:sv":"|bn":"urn:dev:[a-z]+:)([^":]+)')
_WILDCARD = re.compile(r"[+#]")
_IDS = 65_535  # packet identifiers of MQTT, from 1


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to send.

    Attributes:
        dataset: whose feed.
        rate: messages a second, the highest of them with `paper` arrivals.
        seconds: how long.
        topic: where to: a topic filter, in which the device takes the place of a wildcard.
        arrivals: evenly, or as the paper's histogram has it.
        form: how packs are written.
        qos: 0 or 1.
        sensors: devices; None for as many as the paper's streams have.
        seed: of the feed.
    """

    dataset: Dataset
    rate: float
    seconds: float
    topic: str
    arrivals: Arrivals = "constant"
    form: Form = "riotbench"
    qos: Literal[0, 1] = 0
    sensors: int | None = None
    seed: int = 0


class Prepared(msgspec.Struct, frozen=True):
    """A feed that is ready to be sent.

    Attributes:
        packets: file of MQTT packets, one behind the other.
        ends: file with where each ends, 64 bits each.
        dues: file with when each is due, seconds from the start, 64 bits each.
        first: the first one's number; the others count on from it.
        qos: of all.
    """

    packets: str
    ends: str
    dues: str
    first: int
    qos: int


SENSORS: dict[Dataset, int] = {"city": 2_700, "fit": 10, "grid": 3_217_500, "taxi": 20_355}
"""Devices of the paper's streams (table 2), replicas counted."""


def prepare(wanted: Wanted, folder: Path) -> Prepared:
    """Make the feed, some microseconds a message, into files of the folder.

    Raises:
        ValueError: what is wanted can't be.
    """
    made = feed(wanted)
    dues, ends, end = array("d"), array("Q"), 0
    packets = folder / "packets"
    first = started = 0.0
    with packets.open("wb") as file:
        for number, (due, pack) in enumerate(made):
            if not number:
                started, first = due, int(due) * 1000
            packet = _packet(wanted, pack, int(first) + number, number)
            end += file.write(packet)
            dues.append(due - started)
            ends.append(end)
    (folder / "dues").write_bytes(dues.tobytes())
    (folder / "ends").write_bytes(ends.tobytes())
    return Prepared(str(packets), str(folder / "ends"), str(folder / "dues"), int(first), wanted.qos)


def feed(wanted: Wanted) -> Iterator[tuple[float, bytes]]:
    """Due times in Unix seconds with their packs, none of them malformed."""
    mean = feeds.rate_of_peak(wanted.dataset, wanted.arrivals, wanted.rate)
    make = getattr(feeds, wanted.dataset)
    found: Iterator[tuple[float, bytes]] = make(
        sensors=speakers(wanted),
        rate=mean,
        seed=wanted.seed,
        seconds=wanted.seconds,
        form=wanted.form,
        arrivals=wanted.arrivals,
    )
    return found


def speakers(wanted: Wanted) -> int:
    """How many devices there are to be, but for those whose turn would never come."""
    asked = SENSORS[wanted.dataset] if wanted.sensors is None else wanted.sensors
    return min(asked, max(1, math.ceil(wanted.rate * wanted.seconds)))


def _packet(wanted: Wanted, pack: bytes, number: int, index: int) -> bytes:
    time = b"%d.%03d" % divmod(number, 1000) if wanted.form == "rfc" else b"%d" % number
    at = TIME.search(pack)
    if at is None:
        raise ValueError(f"no time in the pack {pack[:80]!r}")
    begin, end = at.span(1)
    payload = pack[:begin] + time + pack[end:]
    topic = _WILDCARD.sub(_device(pack), wanted.topic)
    identifier = (index % _IDS + 1).to_bytes(2, "big") if wanted.qos else b""
    return wire.publish_parts(topic, len(payload), wanted.qos) + identifier + payload


def _device(pack: bytes) -> str:
    found = _ID.search(pack)
    if found is None:
        raise ValueError(f"no device in the pack {pack[:80]!r}")
    return found[1].decode()


def doubles(file: str) -> "array[float]":
    """The numbers in a file of what was prepared or noted."""
    found = array("d")
    found.frombytes(Path(file).read_bytes())
    return found


def wholes(file: str) -> "array[int]":
    """The same where they are whole."""
    found = array("Q")
    found.frombytes(Path(file).read_bytes())
    return found
