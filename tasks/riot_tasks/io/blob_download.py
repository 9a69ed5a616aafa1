"""`blob_download`: the blob that a record names, added to it."""

from collections.abc import Iterable, Mapping, Sequence

from riot_tasks import parameters
from riot_tasks.errors import BadRecord
from riot_tasks.io.naming import Template
from riot_tasks.parameters import one_of, whole
from riot_tasks.record import Record
from riot_tasks.stores import blobs
from riot_tasks.stores.credentials import credentials as referred
from riot_tasks.stores.lanes import side_by_side
from riot_tasks.task import BulkTask


class BlobDownload(BulkTask):
    """Reads the blob that a record names, whole, into one of its fields.

    Args:
        store: `file:///folder`, `memory://name`, `az://container/folder`, `s3://bucket/folder` or
            `gs://bucket/folder`.
        name: template for the blob's name: {source}, {id}, {time} in ms, or any field; {field:path} keeps a
            field's `/`, {field:base} is what is behind the last. The default is what `blob_upload` says.
        into: field for the bytes; `payload` is where a parsing task looks for them.
        max_bytes: a longer blob makes the record a BadRecord, unread.
        on_miss: what becomes of a record whose blob is not there: "reject" makes it a BadRecord; "drop" takes it
            out, counted as filtered; "null" lets it through with None in `into`; "pass" as it is.
        credentials: as for `blob_upload`.

    The result has the record's other fields too.

    RIoTBench picks a name at random from a list, or takes it from the message, and gives the size, or -1.

    Example:
        >>> from riot_tasks import Record
        >>> blobs.blobs("memory://models").put("city/tree.json", b"{}")
        >>> task = BlobDownload("memory://models", into="model")
        >>> [result.values for result in task.process(Record(1, "dev7", 0.0, {"blob": "city/tree.json"}))]
        [{'blob': 'city/tree.json', 'model': b'{}'}]

    References:
        RIoTBench ABD (AzureBlobDownloadTask), arXiv 1701.08530, section 4.1.
    """

    code = "ABD"
    pattern = "1:0/1"

    def __init__(  # noqa: PLR0913 - six keys of the config
        self,
        store: str,
        *,
        name: str = "{blob:path}",
        into: str = "payload",
        max_bytes: int = 64 * 1024 * 1024,
        on_miss: str = "reject",
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        self.credentials = referred(credentials)
        blobs.check(store, credentials)
        self.store = store
        self.name, self._name = name, Template("name", name)
        self.into = parameters.name("into", into)
        self.max_bytes = whole("max_bytes", max_bytes, least=1)
        self.on_miss = one_of("on_miss", on_miss, ("reject", "drop", "null", "pass"))

    def process_many(self, records: Sequence[Record]) -> Sequence[Iterable[Record] | BadRecord]:
        """The records with what their blobs hold."""
        store = blobs.blobs(self.store, self.credentials)
        return side_by_side(lambda record: self._read(record, store), records, store.readers)

    def _read(self, record: Record, store: blobs.Blobs) -> Iterable[Record]:
        name = self._name.fill(record)
        data = store.get(name, max_bytes=self.max_bytes)
        if data is None and self.on_miss == "reject":
            raise BadRecord(f"there is no blob {store.url(name)}")
        if data is None and self.on_miss in ("drop", "pass"):
            return (record,) if self.on_miss == "pass" else ()
        units = {field: unit for field, unit in record.units.items() if field != self.into}
        values = {**record.values, self.into: data}
        return (Record(record.id, record.source, record.time, values, units, record.meta),)
