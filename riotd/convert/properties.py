"""A Java property file as its entries, in order."""

from typing import Any

import javaproperties
import msgspec


class Property(msgspec.Struct, frozen=True):
    """An entry of the file.

    Attributes:
        line: where it begins, from 1.
        key: unescaped.
        value: unescaped, without the blanks that Java leaves at its end.
    """

    line: int
    key: str
    value: str


def read(data: bytes) -> list[Property]:
    """The entries, as `java.util.Properties` takes them: escapes, continuation lines, ISO 8859-1.

    Raises:
        ValueError: an escape that is none.
    """
    line, found = 1, []
    elements: Any = javaproperties.parse(data)
    for element in elements:
        if isinstance(element, javaproperties.KeyValue):
            found.append(Property(line, element.key, element.value.strip()))
        line += element.source.count("\n")
    return found
