"""Columns of a schema: how each is declared, and what a text in one says."""

from collections.abc import Mapping
from reprlib import repr as shortened
from typing import NamedTuple

from riot_tasks import senml
from riot_tasks.errors import BadRecord
from riot_tasks.parameters import one_of
from riot_tasks.parse.instants import unix_seconds
from riot_tasks.record import Value
from riot_tasks.senml.names import is_tail
from riot_tasks.showing import shown


class Column(NamedTuple):
    """A column's name, its unit ("" for none), and whether its values are numbers."""

    name: str
    unit: str
    numeric: bool


def column(where: str, declared: object, sample: str, *more: str) -> Column:
    """The column of a declaration, {name, unit, type}.

    Args:
        where: in the parameters it stands.
        declared: a mapping that has a name, perhaps a unit, and perhaps a type, `v` for numbers or `sv` for text.
        sample: of a schema, to show what to write.
        more: keys that it may have besides.

    Raises:
        ValueError: it is something else; begins with `where`.
    """
    optional = [*more, "unit", "type"]
    if not isinstance(declared, Mapping) or not {"name"} <= set(declared) <= {"name", *optional}:
        perhaps = f"{', '.join(optional[:-1])} and {optional[-1]}"
        raise ValueError(f"{where}: must have a name, and perhaps {perhaps}, write {sample} (is {shown(declared)})")
    name, unit = declared["name"], declared.get("unit", "")
    if not isinstance(name, str) or not is_tail(name):
        raise ValueError(
            f"{where}: {shown(name)} can't be a SenML name: only A-Z a-z 0-9 - : . / _ (RFC 8428 section 4.5.1)"
        )
    if not isinstance(unit, str):
        raise ValueError(f"{where}: the unit must be a text (is {shown(unit)})")  # noqa: TRY004 - one error for all of config
    return Column(name, unit, one_of(f"{where}: type", declared.get("type", "v"), ("v", "sv")) == "v")


def number(name: str, text: str) -> float | int | None:
    """The number in a column's text; None if that is empty.

    Raises:
        BadRecord: it holds something else; names the column.
    """
    if not text or text.isspace():
        return None
    try:
        return senml.number(text)
    except ValueError:
        raise BadRecord(f"{name}: {shortened(text)} is not a number") from None


def time(name: str, value: Value) -> float:
    """Unix seconds of a column's value: a number by its size, or a text that `unix_seconds` knows.

    Raises:
        BadRecord: it is neither; names the column.
    """
    try:
        if isinstance(value, str):
            return unix_seconds(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return senml.seconds(value)
    except ValueError:
        pass
    raise BadRecord(f"{name}: {shown(value)} is neither a Unix time nor a date and time")
