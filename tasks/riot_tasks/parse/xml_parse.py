"""`xml_parse`: a document in XML into the records of its rows."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from riot_tasks import parameters
from riot_tasks.algorithms.float32 import float32
from riot_tasks.errors import BadRecord
from riot_tasks.parameters import flag, name, whole
from riot_tasks.parse import columns, markup
from riot_tasks.parse.xml_total import total
from riot_tasks.record import Record, Value
from riot_tasks.showing import shown
from riot_tasks.task import Task

_SAMPLE = "[{name: temperature, path: temp/@value, unit: Cel, type: v}]"


class Field(NamedTuple):
    """A field's name, where it is, its unit ("" for none), and whether it is a number."""

    name: str
    path: markup.Path
    unit: str
    numeric: bool


class XmlParse(Task):
    """Turns an XML document into records: one for each element that makes a row, its fields from what the row holds.

    Args:
        rows: the path of the elements that make a row each, from the document: `readings/reading`, `//reading`; None
            is the root element alone.
        schema: the fields, each {name, path, unit, type}: `path` from the row, by default the child of that name;
            `type` is `v` for numbers (the default) or `sv` for text. None is all that is in a row, as text: its
            attributes, and its children that have none themselves; a row without children is a field by its own name.
        field: the field that holds the document, as bytes or text.
        timestamp: the field that says when, as in `csv_to_senml`; it becomes the record's time. None keeps that.
        max_bytes: largest document accepted; a longer one is refused unread.
        parity: RIoTBench's benchmark: instead of records, the total that it works out of a document of students,
            in the field `total`, in single precision.
        file: with `parity`, the path of a document that is parsed for every record instead of the record's own.

    A path is ElementTree's XPath: `a/b`, `a[@id='x']/b`, `.` for the row itself; `/@id` at its end is an attribute;
    `/a` and `//a` begin at the document, not at the row. Of several elements the first one counts. Prefixes are left
    aside: `m:temp` is `temp`. What is not there is left out, a number left empty is None, a row without any field is
    no record.

    A document is taken whole or refused: if it is not XML, if there is no row or none has a field, if a number or time
    is none; and if it has a document type definition or is more than 100 elements deep, which are traps.

    RIoTBench parses one file over and over, whatever the record says.

    Example:
        >>> from riot_tasks import Record
        >>> raw = Record(1, "dev7", 0.0, {"payload": b'<log><r at="5"><t>21.5</t></r><r at="6"><t>22</t></r></log>'})
        >>> schema = [{"name": "at", "path": "@at"}, {"name": "temperature", "path": "t", "unit": "Cel"}]
        >>> task = XmlParse(rows="log/r", schema=schema, timestamp="at")
        >>> [(record.time, record.values) for record in task.process(raw)]
        [(5.0, {'temperature': 21.5}), (6.0, {'temperature': 22})]

    References:
        Extensible Markup Language (XML) 1.0, W3C 2008; XML Path Language (XPath) 1.0, W3C 1999.
        RIoTBench XML (XMLParse), arXiv 1701.08530, section 4.1.
    """

    code = "XML"
    stateful = False
    pattern = "1:N"

    def __init__(  # noqa: PLR0913 - seven keys of the config
        self,
        *,
        rows: str | None = None,
        schema: Sequence[Mapping[str, str]] | None = None,
        field: str = "payload",
        timestamp: str | None = None,
        max_bytes: int = 2**20,
        parity: bool = False,
        file: str | None = None,
    ) -> None:
        self.rows = rows
        self.schema = schema
        self.field = name("field", field)
        self.timestamp = None if timestamp is None else name("timestamp", timestamp)
        self.max_bytes = whole("max_bytes", max_bytes, least=4)
        self.parity = flag("parity", parity)
        self.file = file
        self._rows = markup.path("rows", "*" if rows in (None, ".") else rows)
        self._fields = None if schema is None else _fields(schema)
        self._numbers = {field.name for field in self._fields or () if field.numeric}
        self._units = {field.name: field.unit for field in self._fields or () if field.unit}
        self._check()
        self._document = None if file is None else _read(file)

    def _check(self) -> None:
        if self.file is not None and not self.parity:
            raise ValueError("file: is RIoTBench's benchmark; give parity: true with it, or leave it out")
        if self.parity and (self.rows, self.schema, self.timestamp) != (None, None, None):
            raise ValueError("parity: gives a total, no records; leave out rows, schema and timestamp")
        if self._rows.attribute is not None:
            raise ValueError(f"rows: {self.rows!r} leads to an attribute; name the element that has it")
        if self._fields is None:
            return
        names = [field.name for field in self._fields]
        if twice := {found for found in names if names.count(found) > 1}:
            raise ValueError(f"schema: field {min(twice)!r} stands twice; rename one")
        if self.timestamp is not None and self.timestamp not in names:
            raise ValueError(f"timestamp: {self.timestamp!r} is no field of the schema ({', '.join(names)})")

    def process(self, record: Record) -> Iterable[Record]:
        """Give the records of the document in `record`; with `parity` its total.

        Raises:
            BadRecord: no document, too long, or refused; says where and what.
        """
        document = self._document or self._payload(record)
        if self.parity:
            values: dict[str, Value] = {"total": float32(total(document))}
            return (Record(record.id, record.source, record.time, values, {}, record.meta),)
        return self._records(record, markup.tree(document))

    def _payload(self, record: Record) -> bytes | str:
        payload = record.values.get(self.field)
        if not isinstance(payload, bytes | str):
            found = "missing" if payload is None else f"a {type(payload).__name__}, not bytes or text"
            raise BadRecord(f"field {self.field!r}: {found}")
        if len(payload) > self.max_bytes:
            raise BadRecord(f"a document of {len(payload)} bytes: the limit is {self.max_bytes} (max_bytes)")
        return payload

    def _records(self, record: Record, document: Element) -> Sequence[Record]:
        rows = self._rows.elements(document)
        if not rows:
            raise BadRecord(f"no element at {self._rows.steps!r}: the root is {document[0].tag!r}")
        common = {field.name: field.path.text(document) for field in self._fields or () if field.path.absolute}
        made: list[Record] = []
        for count, row in enumerate(rows, start=1):
            try:
                made += self._record(record, row, common)
            except BadRecord as error:
                raise BadRecord(f"row {count}, {row.tag!r}: {error}") from None
        if not made:
            raise BadRecord(f"none of the fields in any row ({len(rows)}, the first is {rows[0].tag!r})")
        return made

    def _record(self, record: Record, row: Element, common: Mapping[str, str | None]) -> Iterable[Record]:
        texts = _everything(row) if self._fields is None else _listed(row, self._fields, common)
        time = record.time
        if self.timestamp is not None and self.timestamp in texts:
            time = columns.time(self.timestamp, texts.pop(self.timestamp))
        values: dict[str, Value] = {
            field: columns.number(field, text) if field in self._numbers else text for field, text in texts.items()
        }
        units = {field: unit for field, unit in self._units.items() if field in values}
        return (Record(record.id, record.source, time, values, units, record.meta),) if values else ()


def _fields(schema: object) -> tuple[Field, ...]:
    if not isinstance(schema, Sequence) or isinstance(schema, str) or not schema:
        raise ValueError(f"schema: must be a list of fields, write {_SAMPLE} (is {shown(schema)})")
    return tuple(_field(f"schema[{index}]", declared) for index, declared in enumerate(schema))


def _field(where: str, declared: Mapping[str, object]) -> Field:
    column = columns.column(where, declared, _SAMPLE, "path")
    path = markup.path(f"{where}: path", declared.get("path", column.name))
    return Field(column.name, path, column.unit, column.numeric)


def _read(file: object) -> bytes:
    """The document of a file that has a total."""
    path = parameters.path("file", file)
    try:
        document = Path(path).read_bytes()
        total(document)
    except OSError as error:
        raise ValueError(f"file: {file} can't be read: {error.strerror}") from error
    except BadRecord as error:
        raise ValueError(f"file: {file}: {error}") from error
    return document


def _listed(row: Element, fields: Iterable[Field], common: Mapping[str, str | None]) -> dict[str, str]:
    """The texts of the fields that are there."""
    texts = {}
    for field in fields:
        text = common[field.name] if field.path.absolute else field.path.text(row)
        if text is not None:
            texts[field.name] = text
    return texts


def _everything(row: Element) -> dict[str, str]:
    """The texts of a row's attributes and of its children that hold nothing else; of one without children its own."""
    if len(row):
        found = [child for child in row if not len(child) and (not child.attrib or markup.content(child))]
    else:
        found = [row] if markup.content(row) else []
    texts = dict(row.attrib)
    for element in found:
        if element.tag in texts:
            raise BadRecord(
                f"{element.tag}: stands twice; make rows of such elements, or say in schema which one it is"
            )
        texts[element.tag] = markup.content(element)
    return texts
