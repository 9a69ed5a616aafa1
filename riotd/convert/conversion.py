"""A property file in, a configuration out, with what became of each of its keys."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec

from riotd.convert import properties
from riotd.convert.drafts import Draft, Given, wired
from riotd.convert.ends import Ends, ends
from riotd.convert.etl import etl
from riotd.convert.keys import FLOWS as READERS
from riotd.convert.keys import KNOWN, WHY
from riotd.convert.pred import pred
from riotd.convert.settings import Fate, Settings
from riotd.convert.stats import stats
from riotd.convert.train import train

FLOWS: dict[str, Callable[[Given], list[Draft]]] = {"etl": etl, "stats": stats, "train": train, "pred": pred}
"""RIoTBench's dataflows."""
ALL = "all"


class Conversion(msgspec.Struct, frozen=True):
    """What a property file became.

    Attributes:
        name: of the daemon.
        flows: each dataflow with its stages; a stage that several have stands in the first.
        ends: source, key and sinks.
        fates: what became of each setting, in the file's order.
    """

    name: str
    flows: dict[str, list[Draft]]
    ends: Ends
    fates: list[Fate]

    @property
    def drafts(self) -> list[Draft]:
        """Every stage once, in order, those that can't be run yet included."""
        return [draft for drafts in self.flows.values() for draft in drafts]

    def config(self) -> dict[str, Any]:
        """The configuration as plain data; stages that can't be run yet are left out."""
        stages = [
            {"id": draft.id, "task": draft.task, "params": draft.params, "after": draft.after}
            for draft in self.drafts
            if not draft.lacks
        ]
        blocks = {"key": self.ends.key} if self.ends.key else {}
        return {"name": self.name, "source": self.ends.source, **blocks, "stages": stages, "sinks": self.ends.sinks}


def convert(
    data: bytes,
    *,
    flow: str = ALL,
    name: str = "riotbench",
    here: Callable[[str], str | None] = lambda _: None,
    folder: str = "/var/lib/riotd",
) -> Conversion:
    """Turn a property file into a configuration.

    Args:
        data: the file.
        flow: which dataflow's graph the settings go to: `etl`, `stats`, `train`, `pred`, or `all` of them in one.
        name: of the daemon, where the data set does not say it.
        here: where a file of the authors' machine is now, by its path there; None if it is not here.
        folder: where blobs are to be kept, an absolute path.

    Raises:
        ValueError: it is no property file of RIoTBench's, or there is nothing in it for this dataflow.
    """
    found = properties.read(data)
    if not any(each.key in KNOWN for each in found):
        raise ValueError("has none of RIoTBench's keys: is it one of its property files?")
    settings = Settings(found)
    given = Given(settings, name, here, folder)
    wanted = [flow] if flow != ALL else list(FLOWS)
    flows = {each: FLOWS[each](given) for each in wanted}
    if not any(flows.values()):
        raise ValueError(f"RIoTBench has no dataflow {flow} for devices called by {given.id or 'nothing'}")
    wired([draft for drafts in flows.values() for draft in drafts])
    made = ends(given, flows)
    for key in settings.unsettled():
        settings.leave(key, _why(key, [name for name, drafts in flows.items() if drafts], wanted))
    fates = [_told(fate, flows) for fate in settings.fates()]
    return Conversion(given.name if flow == ALL else f"{given.name}-{flow}", _once(flows), made, fates)


def _once(flows: dict[str, list[Draft]]) -> dict[str, list[Draft]]:
    """Each stage in the first dataflow that has it."""
    seen: set[str] = set()
    found = {}
    for name, drafts in flows.items():
        found[name] = [draft for draft in drafts if draft.id not in seen]
        seen.update(draft.id for draft in drafts)
    return found


def _told(fate: Fate, flows: dict[str, list[Draft]]) -> Fate:
    """A fate as it is; that of a setting whose stage is left out is to have no place."""
    for draft in (draft for drafts in flows.values() for draft in drafts if draft.lacks):
        if fate.place.startswith(draft.place("")):
            return msgspec.structs.replace(fate, place="", why=f"of the stage {draft.id}, left out: {draft.lacks}")
    return fate


def _why(key: str, made: Sequence[str], wanted: Sequence[str]) -> str:
    """Why a key has no place, of which no dataflow has said anything."""
    readers = READERS.get(key, ())
    if others := [flow for flow in readers if flow not in wanted]:
        return f"of another dataflow: --flow {' or '.join(others)}"
    if readers and not set(readers) & set(made):
        return f"of {' and '.join(map(str.upper, readers))}, which the paper does not have for this data set"
    if readers or key in WHY:
        return WHY.get(key, "means nothing beside the other settings")
    close = get_close_matches(key, KNOWN, n=1, cutoff=0.8)
    return "no key of RIoTBench's" + (f"; did you mean {close[0]}?" if close else "")
