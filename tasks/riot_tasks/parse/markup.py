"""XML documents from outside: read without their traps, asked by path.

What expands or reaches out is refused: a document type definition, in the document or elsewhere, is where entities and
default attributes are declared ("billion laughs", files and addresses read by the parser). Depth and size are bounded.
"""

import re
from typing import NamedTuple, Protocol
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from riot_tasks.errors import BadRecord
from riot_tasks.showing import shown

MAX_DEPTH = 100
"""Elements within elements; a document that goes deeper is refused."""

_ATTRIBUTE = re.compile(r"(?:^|(?P<steps>.*)/)@(?P<name>[^/\[\]@'\"=\s]+)")

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


class Target(Protocol):
    """Who is told a document."""

    def start(self, tag: str, attrs: dict[str, str], /) -> object:
        """An element begins."""

    def end(self, tag: str, /) -> object:
        """An element ends."""

    def data(self, data: str, /) -> object:
        """Text between two tags, in pieces of up to 8192 characters."""


def tell(document: bytes | str, target: Target) -> None:
    """Read a document, and tell it to a target: its elements and texts in order, names as they are written.

    Args:
        document: bytes in the encoding that they say, UTF-8 by default; or text, whatever encoding it says.
        target: who is told.

    Raises:
        BadRecord: it is not XML, has a document type definition, or is deeper than `MAX_DEPTH`; the target was told
            what came before.
    """
    octets, encoding = (document, None) if isinstance(document, bytes) else (_octets(document), "utf-8")
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise BadRecord(f"XML of more than {MAX_DEPTH} elements within each other")
        target.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        target.end(tag)

    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _doctype
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, target.data
    try:
        parser.Parse(octets, True)  # noqa: FBT003 - positional in pyexpat
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two: an encoding that is none
        raise BadRecord(f"not XML: {error}") from None


def tree(document: bytes | str) -> Element:
    """A document as an element "" that holds the root; names are without their prefixes.

    Raises:
        BadRecord: as `tell`.
    """
    grown = _Grown()
    tell(document, grown)
    return grown.close()


class _Grown:
    """Builds the tree, of elements and attributes by their local names."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._builder.start("", {})
        self.data = self._builder.data

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        if any(":" in name or name == "xmlns" for name in attrs):
            attrs = _local(attrs)
        self._builder.start(tag.rpartition(":")[2], attrs)

    def end(self, tag: str) -> None:
        self._builder.end(tag.rpartition(":")[2])

    def close(self) -> Element:
        self._builder.end("")
        return self._builder.close()


class Path(NamedTuple):
    """Where something is in a document, relative to an element, or to the document itself.

    Attributes:
        absolute: from the document.
        steps: to an element, in ElementTree's XPath.
        attribute: of that element; None is its text.
    """

    absolute: bool
    steps: str
    attribute: str | None

    def elements(self, context: Element) -> list[Element]:
        """The elements it leads to."""
        return context.findall(self.steps)

    def text(self, context: Element) -> str | None:
        """The text of the first element it leads to, without the space around it, or of its attribute."""
        element = context if self.steps == "." else context.find(self.steps)
        if element is None:
            return None
        if self.attribute is not None:
            return element.get(self.attribute)
        return content(element)


def path(parameter: str, written: object) -> Path:
    """A path as it is written in a config: `a/b`, `@id`, `a/@id`, `.`, `//a`, `/log/a[@id='x']`.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(written, str) or not written.strip("/ "):
        raise ValueError(f"{parameter}: must be a path like 'a/b' or 'a/@id' (is {shown(written)})")
    if {":", "{"} & set(_QUOTED.sub("", written)):
        raise ValueError(f"{parameter}: {written!r} has a prefix or a namespace; write the local names only")
    found = _ATTRIBUTE.fullmatch(written)
    steps, attribute = ((found["steps"] or "."), found["name"]) if found else (written, None)
    absolute = written.startswith("/")
    if absolute:
        steps = f".{steps}" if steps.startswith("//") else steps.removeprefix("/")
    try:
        Element("").findall(f"./{steps}")  # a bare name would be looked up unchecked
    except (SyntaxError, KeyError, TypeError) as error:  # its ways to say so
        raise ValueError(
            f"{parameter}: {written!r} is no path of ElementTree's; write a/b, //b or a[@id='x']/b"
        ) from error
    return Path(absolute, steps, attribute)


def content(element: Element) -> str:
    """The text of an element and of what it holds, without the space around it."""
    return ("".join(element.itertext()) if len(element) else element.text or "").strip()


def _octets(document: str) -> bytes:
    try:
        return document.encode()
    except UnicodeEncodeError as error:
        raise BadRecord(f"not XML: {error.reason}") from None


def _local(attributes: dict[str, str]) -> dict[str, str]:
    """Attributes without prefixes; one that had none before one that had."""
    prefixed = {
        name.rpartition(":")[2]: value
        for name, value in attributes.items()
        if ":" in name and not name.startswith("xmlns:")
    }
    return prefixed | {name: value for name, value in attributes.items() if ":" not in name and name != "xmlns"}


def _doctype(_root: str, system: str | None, public: str | None, internal: int) -> None:
    if system is not None or public is not None or internal:
        raise BadRecord("XML with a document type definition, which is refused: entities are declared in one")
