"""MQTT packets as bytes: where each ends in a stream, how a publication begins (MQTT 3.1.1 and 5).

Only what passes by the thousand is here; packets of a connection's life are the client library's.
"""

import re
from functools import lru_cache
from typing import NamedTuple

CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 0x20, 0x30, 0x40, 0x50, 0x60, 0x70
PINGRESP, DISCONNECT = 0xD0, 0xE0
"""The upper half of a packet's first byte: its type (MQTT 5 section 2.1.2)."""

TOPIC_INVALID, TOO_LARGE, NO_RETAIN, NO_QOS = 0x90, 0x95, 0x9A, 0x9B
"""Reasons (MQTT 5 section 2.4) that we find ourselves, before the broker would."""

Span = tuple[int, int, int]
"""A packet within the bytes read: where it begins, where its body begins, where the next packet does."""

_LARGEST = 268_435_455
"""What four bytes of Remaining Length can say (MQTT 5 section 2.1.4)."""
_LONGEST_TOPIC = 65_535
_NO_TOPIC = re.compile("[+#\0]")


class Cut(NamedTuple):
    """Bytes of a stream, cut into packets.

    Attributes:
        spans: packets that are there whole.
        end: where they end, and a packet begins that is not whole, or not there.
        wanted: bytes from there on without which nothing more can be said.
        fault: why what begins there is no packet we take, or "".
        too_large: whether that is its size.
    """

    spans: list[Span]
    end: int
    wanted: int
    fault: str = ""
    too_large: bool = False


def cut(data: bytes, largest: int) -> Cut:
    """Where the packets in `data` begin and end; `largest` is the most bytes a packet may have."""
    spans: list[Span] = []
    start, stop, wanted = 0, len(data), 0
    try:
        while True:
            size, body = data[start + 1], start + 2
            if size > 127:
                more = data[body]
                if more > 127:
                    size, body = varint(data, start + 1)
                else:
                    size, body = size + (more << 7) - 128, body + 1
            end = body + size
            if end - start > largest:
                return Cut(spans, start, 0, f"a packet of {end - start} bytes", too_large=True)
            if end > stop:
                wanted = end - start
                break
            spans.append((start, body, end))
            start = end
    except IndexError:
        wanted = stop - start + 1
    except ValueError as error:
        return Cut(spans, start, 0, str(error))
    return Cut(spans, start, wanted)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A Variable Byte Integer (MQTT 5 section 1.5.5), and where it ends.

    Raises:
        IndexError: it is not there whole.
        ValueError: it has more than four bytes.
    """
    value = 0
    for index in range(4):
        byte = data[at + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError("a length of more than four bytes")


def read_topic(named: bytes) -> str:
    """The topic of a PUBLISH from its two bytes of length on.

    Raises:
        ValueError: it is not whole, or no topic name (MQTT 5 section 4.7).
    """
    if len(named) < 3 or len(named) != 2 + (named[0] << 8) + named[1]:
        raise ValueError("a PUBLISH without a topic")
    topic = named[2:].decode()
    if _NO_TOPIC.search(topic):
        raise ValueError("a PUBLISH to what is no topic")
    return topic


@lru_cache(maxsize=8192)
def named(topic: str) -> bytes:
    """A topic as a PUBLISH has it, its length in front.

    Raises:
        ValueError: one can't publish to it.
    """
    name = topic.encode()
    if not 0 < len(name) <= _LONGEST_TOPIC or _NO_TOPIC.search(topic):
        raise ValueError(f"not a topic: {topic[:100]!r}")
    return len(name).to_bytes(2, "big") + name


@lru_cache(maxsize=4096)
def head(first: int, size: int) -> bytes:
    """A packet's fixed header: its first byte and the length of what follows.

    Raises:
        ValueError: MQTT can't say a length as great.
    """
    if size > _LARGEST:
        raise ValueError(f"a packet of {size} bytes")
    header = bytearray([first])
    while size > 127:
        header.append(size & 0x7F | 0x80)
        size >>= 7
    header.append(size)
    return bytes(header)


def properties(content_type: str = "") -> bytes:
    """The properties of a PUBLISH of MQTT 5 (section 3.3.2.3): what it contains, if that is to be said."""
    text = content_type.encode()
    block = b"\x03" + len(text).to_bytes(2, "big") + text if text else b""
    return head(0, len(block))[1:] + block
