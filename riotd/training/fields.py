"""What there is to learn from: the fields of the first records, and whether what is asked for is among them."""

from collections.abc import Collection, Iterable, Sequence

from riot_tasks.errors import BadRecord
from riot_tasks.fields import number
from riot_tasks.predict.label_quantiles import RIOTBENCH
from riot_tasks.record import Record, Value
from riot_tasks.showing import shown
from riotd.bounded.flows import meant
from riotd.bounded.parsing import TIMES
from riotd.errors import ConfigError, Mistake

MOST_CLASSES = 50
"""Classes that a tree may tell apart: numbers that are no classes have more values."""


def features(
    sample: Sequence[Record], wanted: Sequence[str], target: str, *, without: Collection[str] = ()
) -> tuple[str, ...]:
    """The fields to learn from: those wanted, or all that hold nothing but numbers, and no time.

    Args:
        sample: the first records of each input.
        wanted: by name; none is all.
        target: the field to foretell, or to label by.
        without: fields that are none unless they are wanted, the target among them.

    Raises:
        ConfigError: one of them, or the target, is in none of the records; or there are none left.
    """
    found = dict.fromkeys(name for record in sample for name in record.values)
    if not found:
        raise ConfigError([Mistake("inputs", "no record is in the first lines", "look at them, and at format")])
    where = "in the first records of the input"
    mistakes = [
        Mistake(option, f"there is no field {name!r} {where}", meant(name, found))
        for option, names in (("features", wanted), ("target", [target]))
        for name in names
        if name not in found
    ]
    if mistakes:
        raise ConfigError(mistakes)
    others = (name for name in found if name not in without and name not in TIMES and _numeric(sample, name))
    chosen = tuple(wanted) or tuple(others)
    if not chosen:
        what = f"no field but {target} holds numbers"
        raise ConfigError([Mistake("features", what, f"there are {', '.join(found)}")])
    return chosen


def check_numbers(sample: Sequence[Record], names: Iterable[str], *, target: str) -> None:
    """See that these fields hold numbers; one of them may be the target.

    Raises:
        ConfigError: one of them holds none in any of the records.
    """
    mistakes = [
        Mistake(
            "target" if name == target else "features",
            f"{name} holds no numbers, but {shown(_values(sample, name)[0])}",
            "foretell classes by a tree" if name == target else "leave it out",
        )
        for name in names
        if _values(sample, name) and not any(map(_is_number, _values(sample, name)))
    ]
    if mistakes:
        raise ConfigError(mistakes)


def classes(found: Iterable[str], target: str) -> tuple[str, ...]:
    """The classes in their order: RIoTBench's if they are all among them, else that of numbers, or the alphabet.

    Raises:
        ConfigError: there is one only, or there are too many to be classes.
    """
    names = set(found)
    if len(names) < 2:
        what = f"there is one class only, {min(names)!r}" if names else "there is no class in any row"
        raise ConfigError([Mistake("target", f"{target}: {what}", "there must be two to tell apart")])
    if len(names) > MOST_CLASSES:
        what = f"{target} has {len(names):,} different values, too many to be classes"
        raise ConfigError([Mistake("target", what, "make classes of numbers: --label quantiles")])
    if names <= RIOTBENCH.keys():
        return tuple(name for name in RIOTBENCH if name in names)
    return tuple(sorted(names, key=lambda name: (float(name), name) if _is_number(name) else (float("inf"), name)))


def _numeric(sample: Sequence[Record], name: str) -> bool:
    found = _values(sample, name)
    return bool(found) and all(map(_is_number, found))


def _values(sample: Sequence[Record], name: str) -> list[Value]:
    return [value for record in sample if (value := record.values.get(name)) not in (None, "")]


def _is_number(value: Value) -> bool:
    try:
        number("", value)
    except BadRecord:
        return False
    return True
