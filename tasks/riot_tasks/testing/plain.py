"""Is it plain data, and where is it not?"""

from collections.abc import Mapping

from riot_tasks.record import Record

_SCALARS = (bool, int, float, str, bytes, type(None))


def not_plain(value: object, where: str) -> str | None:
    """Where a value is not plain data, and what it is instead; None if all of it is.

    Plain are None, bool, int, float, str, bytes, lists, and dicts with string keys; not what only acts like them.
    """
    if isinstance(value, Mapping):
        if any(type(key) is not str for key in value):
            return f"{where} has keys that are not str: {list(value)[:3]!r}"
        inner = [(item, f"{where}[{key!r}]") for key, item in value.items()]
    elif isinstance(value, list):
        inner = [(item, f"{where}[{index}]") for index, item in enumerate(value)]
    else:
        return None if type(value) in _SCALARS else f"{where} is a {type(value).__name__}: {value!r}"
    return next((fault for item, there in inner if (fault := not_plain(item, there))), None)


def not_a_record(result: object) -> str | None:
    """What makes this no Record of plain values, texts and numbers; None if it is one."""
    if not isinstance(result, Record):
        return f"{result!r} is a {type(result).__name__}, no Record"
    if (type(result.id), type(result.source), type(result.time)) != (int, str, float):
        return f"{result!r}: id, source and time must be int, str and float"
    texts = {**result.units, **result.meta}
    if any(type(part) is not str for pair in texts.items() for part in pair):
        return f"{result!r}: units and meta hold texts only"
    values: Mapping[str, object] = result.values
    nested = [name for name, value in values.items() if isinstance(value, list | Mapping)]
    if name := next(iter(nested), None):
        return f"{result!r}: {name} holds no plain value"
    return not_plain(values, "values")
