"""Items in memory as cuts, results as records."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import perf_counter, time
from typing import Any

from riot_tasks.record import Record
from riotd.bounded.cutting import Cut, Cutter
from riotd.bounded.figures import SHOWN
from riotd.bounded.flows import Flow, usable
from riotd.bounded.forms import Form
from riotd.bounded.keys import SEVERAL, SOURCES, keys_of
from riotd.bounded.parsing import when
from riotd.bounded.places import Place
from riotd.bounded.report import InputRefused
from riotd.dataflow import Plan, Stage
from riotd.formats import decode_packed, encode_packed
from riotd.messages import Reject

Item = bytes | str | Record | Mapping[str, Any]
"""A SenML pack (or, for a task that wants it, any payload); a record; or a mapping, which is a record as a run writes
it, if it has a mapping `values`, else plain fields."""

_AT_ONCE = 256
"""Items in a cut."""
_PATIENCE = 0.005
"""Seconds after which a cut goes without being full: whoever gives items so slowly waits for results."""
_FORM = Form(
    "items",
    Stage("item", "riotd.bounded.parsing:Item"),
    Stage("payload", "riotd.bounded.parsing:Item", {"raw": True}),
)

log = logging.getLogger(__name__)


def plan_of(flow: Flow) -> Plan:
    """What shards run."""
    return flow.plan(_FORM, "packed")


class Stream:
    """Items through a place that is prepared for their plan.

    Args:
        items: whose numbers, from 1, become the ids.
        key: the field that says who; None is the device, or a record's source.
        strict: whether the first refusal ends it.
        refused: told each refusal; None logs the first few.
    """

    def __init__(
        self, items: Iterable[Item], *, key: str | None, strict: bool, refused: Callable[[Reject], None] | None
    ) -> None:
        self._items = items
        self._key = key
        self._keys = keys_of("senml", key)
        self._now = time()
        self._strict = strict
        self._refused = refused or self._logged
        self._count = 0

    def records(self, place: Place, plan: Plan) -> Iterator[Record]:
        """The results, in the order of the items.

        Args:
            place: prepared for the plan.
            plan: what its shards run.

        Raises:
            InputRefused: an item was refused, and the stream is strict.
            EngineError: the engine gave up.
        """
        cutter = Cutter(self._keys, shards=usable(plan, range(place.shards)), now=self._now)
        for done in place.run(self._cuts(cutter), cutter):
            rejects = done.rejects()
            end = rejects[0].id if rejects and self._strict else None
            for result in done.results():
                if end is not None and result.id >= end:
                    break
                yield decode_packed(result.payload)
            self._tell(rejects)

    def _cuts(self, cutter: Cutter) -> Iterator[Cut]:
        ids: list[int] = []
        keys: list[str] = []
        payloads: list[bytes] = []
        began = perf_counter()
        for number, item in enumerate(self._items, start=1):
            if not ids:
                began = perf_counter() if number > 1 else began
            for key, payload in self._encoded(item):
                ids.append(number)
                keys.append(key)
                payloads.append(payload)
            late = perf_counter() - began > _PATIENCE
            if late or len(ids) >= _AT_ONCE:
                yield cutter.of(ids, keys, payloads, hasty=late)
                ids, keys, payloads = [], [], []
        if ids:
            yield cutter.of(ids, keys, payloads)

    def _encoded(self, item: Item) -> list[tuple[str, bytes]]:
        """Key and payload of an item; of each device, if it is a pack of several."""
        if isinstance(item, Mapping):
            item = _record(item)
        if isinstance(item, Record):
            return [(self._key_of(item), encode_packed(item))]
        payload = item.encode() if isinstance(item, str) else item
        key = self._keys([payload])[0]
        return self._keys.apart(payload, self._now) if key == SEVERAL else [(key, payload)]

    def _key_of(self, record: Record) -> str:
        if self._key is None:
            return record.source
        value = record.values.get(self._key, record.meta.get(self._key, ""))
        return value if isinstance(value, str) else str(value)

    def _tell(self, rejects: Sequence[Reject]) -> None:
        if rejects and self._strict:
            raise InputRefused("item", rejects[0])
        for reject in rejects:
            self._refused(reject)

    def _logged(self, reject: Reject) -> None:
        self._count += 1
        if self._count <= SHOWN:
            log.warning("item %d refused: %s: %s", reject.id, reject.stage, reject.reason)


def _record(item: Mapping[str, Any]) -> Record:
    """The record that a mapping is.

    Raises:
        TypeError: it is none.
    """
    if isinstance(item.get("values"), Mapping):
        known = {name: item[name] for name in ("source", "time", "units", "meta") if name in item}
        return Record(**{"id": 0, "source": "", "time": time(), "values": dict(item["values"]), **known})
    source = next((str(item[name]) for name in SOURCES if item.get(name) is not None), "")
    return Record(0, source, when(item, time()), dict(item))
