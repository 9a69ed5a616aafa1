"""A row as an entity of Azure Table Storage, and back.

An entity has a property for each value, and `Source` and `Time` (Edm.Double, Unix seconds). What can't be the name of
a property, or is one of those, is escaped as .NET's `XmlConvert.EncodeName` does: `urn:dev` is `urn_x003A_dev`.
"""

import re
from collections.abc import Mapping
from typing import Any

from azure.data.tables import EdmType, EntityProperty

from riot_tasks.errors import BadRecord
from riot_tasks.record import Value
from riot_tasks.stores.rows import Row

_OWN = frozenset({"PartitionKey", "RowKey", "Timestamp", "ETag", "Source", "Time"})
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNFIT = re.compile(r"[^A-Za-z0-9_]|_(?=x[0-9A-F]{4}_)")
_ESCAPED = re.compile(r"_x([0-9A-F]{4})_")
_PROPERTIES = 250
"""An entity has at most 252 of its own."""
_LONGEST = 65_536
"""Bytes of a value: bytes as they are, a text in UTF-16."""


def entity_of(row: Row) -> dict[str, Any]:
    """The entity to write.

    Raises:
        BadRecord: a value, or what there is of them, is more than an entity can hold.
    """
    entity: dict[str, Any] = {_property(name): _typed(name, value) for name, value in row.values.items()}
    if len(entity) > _PROPERTIES:
        raise BadRecord(f"{len(entity)} fields are more than Azure takes in a row, {_PROPERTIES}")
    return entity | {"PartitionKey": row.partition, "RowKey": row.key, "Source": row.source, "Time": float(row.time)}


def row_of(entity: Mapping[str, Any]) -> Row:
    """The row that was read; also of a table that somebody else wrote."""
    values = {_name(key): _value(cell) for key, cell in entity.items() if key not in _OWN}
    source, time = entity.get("Source", ""), entity.get("Time", 0.0)
    return Row(
        entity["PartitionKey"],
        entity["RowKey"],
        values,
        source if isinstance(source, str) else str(source),
        float(time) if isinstance(time, int | float) else 0.0,
    )


def size_of(row: Row) -> int:
    """About how many bytes a row takes on the wire, rather too many than too few."""
    cells = (6 * len(value) if isinstance(value, str | bytes) else 40 for value in row.values.values())
    return 1000 + sum(cells) + sum(80 + 6 * len(name) for name in row.values)


def _property(name: str) -> str:
    if name in _OWN or not _PLAIN.fullmatch(name[:1]):
        name = f"_x{ord(name[0]):04X}_{name[1:]}" if name else "_x0000_"
        return name[:7] + _escaped(name[7:])
    return _escaped(name)


def _escaped(name: str) -> str:
    fit = _UNFIT.sub(lambda found: f"_x{ord(found[0]):04X}_", name)
    if len(fit) > 255:
        raise BadRecord(f"{name[:40]}…: is too long for the name of a column")
    return fit


def _name(key: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), key)


def _typed(name: str, value: Value) -> Any:  # noqa: ANN401 - what the library takes
    if type(value) is int:
        return EntityProperty(value, EdmType.INT64)
    long = len(value) * 2 if isinstance(value, str) else len(value) if isinstance(value, bytes) else 0
    if long > _LONGEST:
        raise BadRecord(f"{name}: {long} bytes are more than Azure takes in a field, {_LONGEST}")
    return value


def _value(cell: Any) -> Value:  # noqa: ANN401 - what the library gives
    if isinstance(cell, EntityProperty):
        cell = cell.value
    return cell if isinstance(cell, bool | int | float | str | bytes) else str(cell)
