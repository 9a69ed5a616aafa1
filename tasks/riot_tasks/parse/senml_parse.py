"""`senml_parse`: a raw message into the records of its pack."""

from collections.abc import Iterable, Sequence

from riot_tasks import senml
from riot_tasks.errors import BadRecord
from riot_tasks.parameters import flag, name, names, one_of, whole
from riot_tasks.record import Record
from riot_tasks.task import Task


class SenmlParse(Task):
    """Turns a SenML pack into records: RFC 8428 in JSON or CBOR, or the older JSON that RIoTBench's feeds have.

    A pack becomes one record for each base name and time in it, with all the fields measured then; or, exploded, one
    record for each observation. `riot_tasks.senml` says how. The time of the raw record is the "now" that relative
    times refer to; its source is kept, an empty one becomes the pack's base name.

    Args:
        explode: one record for each observation, as RIoTBench's dataflows have it (1:N).
        field: the field that holds the pack, as bytes or text.
        format: "json", "cbor", or "auto": whichever the first byte says it is; no pack can be taken for the other.
        max_bytes: largest pack accepted; a longer one is refused unread.
        meta: names of entries that describe the message and are not measured, a number it bears for instance: they
            stand, as text, in `meta` of all records of the pack, and of whatever follows from these, not in `values`.

    Example:
        >>> from riot_tasks import Record
        >>> parse = SenmlParse()
        >>> raw = Record(7, "dev7", 1700000000.0, {"payload": b'[{"bn":"dev7:","n":"temperature","u":"Cel","v":12.6}]'})
        >>> [(record.time, record.values, record.units) for record in parse.process(raw)]
        [(1700000000.0, {'temperature': 12.6}, {'temperature': 'Cel'})]

    The same pack in CBOR, 37 bytes instead of 53:

        >>> octets = "81a42165646576373a006b74656d7065726174757265016343656c02fb4029333333333333"
        >>> raw = Record(7, "dev7", 1700000000.0, {"payload": bytes.fromhex(octets)})
        >>> [record.values for record in parse.process(raw)]
        [{'temperature': 12.6}]

    References:
        RFC 8428, "Sensor Measurement Lists (SenML)", 2018.
        RIoTBench SML (SenMLParse), arXiv 1701.08530, section 4.1.
    """

    code = "SML"
    stateful = False
    pattern = "1:N"

    def __init__(
        self,
        *,
        explode: bool = False,
        field: str = "payload",
        format: str = "auto",  # noqa: A002 - the key of the config
        max_bytes: int = 2**20,
        meta: Sequence[str] | None = None,
    ) -> None:
        self.explode = flag("explode", explode)
        self.field = name("field", field)
        self.format = one_of("format", format, ("auto", "json", "cbor"))
        self.max_bytes = whole("max_bytes", max_bytes, least=2)
        self.meta = names("meta", meta)

    def process(self, record: Record) -> Iterable[Record]:
        """Give the records of the pack in `record`.

        Raises:
            BadRecord: no payload, too long, or refused by `riot_tasks.senml`.
        """
        payload = record.values.get(self.field)
        if type(payload) is not bytes:
            payload = self._octets(payload)
        if len(payload) > self.max_bytes:
            raise BadRecord(f"a pack of {len(payload)} bytes: the limit is {self.max_bytes} (max_bytes)")
        if self.format == "cbor" or (self.format == "auto" and senml.is_cbor(payload)):
            payload = senml.from_cbor(payload)
        return senml.records(
            payload, id=record.id, source=record.source, now=record.time, explode=self.explode, meta=self.meta or ()
        )

    def _octets(self, payload: object) -> bytes:
        if isinstance(payload, str):
            return payload.encode(errors="surrogatepass")
        if isinstance(payload, bytes):
            return payload
        found = "missing" if payload is None else f"a {type(payload).__name__}, not bytes or text"
        raise BadRecord(f"field {self.field!r}: {found}")
