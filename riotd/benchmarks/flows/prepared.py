"""A load as MQTT packets, made before it is sent: in a file, one behind the other, each with its due time and number.

The trap: a result has to be matched with the message it follows from by somebody who sees topics and payloads only.
RIoTBench gives each message a number, MSGID, that its tuples carry along. Here the time of the pack is that number: a
record's time passes through every task, what follows from several messages has that of the message that triggered it,
as RIoTBench's has its MSGID, and every format of a result says it. So packs are numbered in milliseconds from the first
one's time, whatever their devices and however fast they come; and ticks by the end of the time they ask for, which
TRAIN's models are called by. A user property of MQTT 5 would have to be carried by the daemon from message to result,
which it does not do for anybody else; the daemon's own number of a message would be its own word for what is measured.
"""

import math
import re
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from riotd import feeds
from riotd.benchmarks import wire
from riotd.feeds import Arrivals, Dataset, Form

_TIME = re.compile(rb'"bt":"?([0-9.]+)')
_ID = re.compile(rb'"(?:sv":"|bn":"urn:dev:[a-z]+:)([^":]+)')
_WILDCARD = re.compile(r"[+#]")
_IDS = 65_535  # packet identifiers of MQTT, from 1
SENSORS: dict[Dataset, int] = {"city": 2_700, "fit": 10, "grid": 3_217_500, "taxi": 20_355}
"""Devices of the paper's streams (table 2), replicas counted."""

Message = tuple[float, str, bytes]
"""When it is due, seconds from the start; topic; payload."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to send of a feed.

    Attributes:
        dataset: whose feed.
        rate: messages a second, the highest of them with `paper` arrivals.
        seconds: how long.
        arrivals: evenly, or as the paper's histogram has it.
        form: how packs are written.
        sensors: devices; None for as many as the paper's streams have.
        seed: of the feed.
    """

    dataset: Dataset
    rate: float
    seconds: float
    arrivals: Arrivals = "constant"
    form: Form = "riotbench"
    sensors: int | None = None
    seed: int = 0

    @property
    def speakers(self) -> int:
        """How many devices there are to be, but for those whose turn would never come."""
        asked = SENSORS[self.dataset] if self.sensors is None else self.sensors
        return min(asked, max(1, math.ceil(self.rate * self.seconds)))


class Prepared(msgspec.Struct, frozen=True):
    """A load that is ready to be sent.

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


def written(messages: Iterable[Message], folder: Path, *, first: int, qos: Literal[0, 1]) -> Prepared:
    """Put messages into files of a folder, in order, some microseconds each."""
    found = Prepared(str(folder / "packets"), str(folder / "ends"), str(folder / "dues"), first, qos)
    dues, ends, end = array("d"), array("Q"), 0
    with Path(found.packets).open("wb") as file:
        for index, (due, topic, payload) in enumerate(messages):
            identifier = (index % _IDS + 1).to_bytes(2, "big") if qos else b""
            end += file.write(wire.publish_parts(topic, len(payload), qos) + identifier + payload)
            dues.append(due)
            ends.append(end)
    Path(found.dues).write_bytes(dues.tobytes())
    Path(found.ends).write_bytes(ends.tobytes())
    return found


def feed(wanted: Wanted) -> Iterator[tuple[float, bytes]]:
    """Due times in Unix seconds with their packs, none of them malformed."""
    mean = feeds.rate_of_peak(wanted.dataset, wanted.arrivals, wanted.rate)
    make = getattr(feeds, wanted.dataset)
    found: Iterator[tuple[float, bytes]] = make(
        sensors=wanted.speakers,
        rate=mean,
        seed=wanted.seed,
        seconds=wanted.seconds,
        form=wanted.form,
        arrivals=wanted.arrivals,
    )
    return found


def packs(wanted: Wanted, topic: str, *, first: int) -> Iterator[Message]:
    """A feed's packs, numbered from `first`, to a topic in which the device takes the place of a wildcard."""
    start: float | None = None
    for number, (due, pack) in enumerate(feed(wanted), start=first):
        start = due if start is None else start
        yield due - start, _WILDCARD.sub(device(pack), topic), stamped(pack, number, wanted.form)


def ticks(topic: str, *, rate: float, seconds: float, window: float, first: int) -> Iterator[Message]:
    """Ticks as a timer's: each asks for the `window` seconds before its number."""
    for index in range(math.ceil(rate * seconds)):
        end = first + index
        tick = {"rowstart": end - round(window * 1000), "rowend": end, "time": end}
        yield index / rate, topic, msgspec.json.encode(tick)


def stamped(pack: bytes, number: int, form: Form) -> bytes:
    """The pack with its number as its time."""
    at = _TIME.search(pack)
    if at is None:
        raise ValueError(f"no time in the pack {pack[:80]!r}")
    begin, end = at.span(1)
    return pack[:begin] + (b"%d.%03d" % divmod(number, 1000) if form == "rfc" else b"%d" % number) + pack[end:]


def device(pack: bytes) -> str:
    """Who says it."""
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
