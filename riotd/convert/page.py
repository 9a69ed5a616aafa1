"""A conversion as a YAML file, with comments: where each parameter comes from, what is lacking, what has no place."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from riotd.convert.conversion import Conversion
from riotd.convert.drafts import Draft
from riotd.convert.settings import Fate

_WIDTH = 100
_ABOUT = {
    "etl": "ETL: parse, clean, fill gaps, join, annotate, store, publish",
    "stats": "STATS: averages, forecasts and counts, gathered, drawn, zipped, stored",
    "train": "TRAIN: models learnt from windows, stored",
    "pred": "PRED: a class and a number foretold for each message",
}


def page(conversion: Conversion, *, origin: str) -> str:
    """The file's text.

    Args:
        conversion: what to write.
        origin: name of the property file.
    """
    places = {fate.place: fate.key for fate in conversion.fates}
    lines = [
        f"# {origin} of RIoTBench as a configuration of riotd; behind a value is the key it comes from.",
        f"name: {conversion.name}",
        *_block("source", conversion.ends.source, conversion.ends.who, places),
    ]
    if conversion.ends.key:
        lines.append(f"key: {_flow(conversion.ends.key)}{_remark('PARSE.ID_FIELD_SCHEMA')}")
    lines += ["stages:", *_stages(conversion)]
    lines += ["sinks:"]
    for name, sink in conversion.ends.sinks.items():
        lines += [f"  {line}" for line in _block(name, sink, conversion.ends.who_out, {})]
    return "\n".join([*lines, *_unplaced(conversion.fates), ""])


def _block(name: str, block: dict[str, Any], who: Sequence[str], places: Mapping[str, str]) -> Iterator[str]:
    """A block; who we are stands, as comments, where the broker's URL does."""
    yield f"{name}:"
    for key, value in block.items():
        if isinstance(value, dict):
            yield from (f"  {line}" for line in _block(key, value, who, places))
            continue
        yield f"  {key}: {_flow(value)}{_remark(places.get(f'{name}.{key}', ''))}"
        if key == "url":
            yield from (f"  # {line}" for line in who)


def _stages(conversion: Conversion) -> Iterator[str]:
    previous: list[str] = []
    for flow, drafts in conversion.flows.items():
        if drafts:
            yield f"  # {_ABOUT[flow]}"
        for draft in drafts:
            mark = "  # " if draft.lacks else "  "
            yield from (mark + line for line in _stage(draft, previous))
            if not draft.lacks:
                previous = [draft.id]


def _stage(draft: Draft, previous: Sequence[str]) -> Iterator[str]:
    about = "; ".join(draft.about)
    yield f"- id: {draft.id}{f'  # {about}' if about else ''}"
    if draft.lacks:
        yield f"  # left out: {draft.lacks}"
    yield f"  task: {draft.task}"
    if list(previous) != draft.after or (draft.lacks and draft.after):
        yield f"  after: {_flow(draft.after)}"
    if draft.params:
        yield "  params:"
    for parameter, value in draft.params.items():
        yield from _parameter(parameter, value, draft.origins.get(parameter, ""))


def _parameter(name: str, value: object, origin: str) -> Iterator[str]:
    inline = f"    {name}: {_flow(value)}"
    if len(inline) <= _WIDTH or not isinstance(value, list | dict):
        yield inline + _remark(origin)
        return
    yield f"    {name}:{_remark(origin)}"
    for line in yaml.safe_dump(value, sort_keys=False, default_flow_style=None, width=_WIDTH).splitlines():
        yield f"      {line}"


def _flow(value: object) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _remark(key: str) -> str:
    return f"  # {key}" if key else ""


def _unplaced(fates: Sequence[Fate]) -> Iterator[str]:
    yield ""
    yield "# Without a place:"
    for fate in fates:
        if not fate.place:
            yield f"#   {fate.key}: {fate.why}"
