"""`blob_upload`: what a record holds, or the file it names, kept as a blob."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from riot_tasks import parameters
from riot_tasks.errors import BadRecord
from riot_tasks.io import contents
from riot_tasks.io.contents import held, named
from riot_tasks.io.naming import Template
from riot_tasks.parameters import whole
from riot_tasks.record import Record
from riot_tasks.stores import blobs
from riot_tasks.stores.credentials import credentials as referred
from riot_tasks.stores.lanes import side_by_side
from riot_tasks.task import BulkTask


class BlobUpload(BulkTask):
    """Writes a field's bytes or text as a blob, and says where it is once it is there.

    Args:
        store: `file:///folder`, made when first written to; `memory://name`; `az://container/folder`;
            `s3://bucket/folder`; `gs://bucket/folder`.
        name: template for the blob's name: {source}, {id}, {time} in ms, or any field; {field:path} keeps a
            field's `/`, {field:base} is what is behind the last. One that is there is replaced: a replay
            changes nothing.
        field: holds the bytes or the text (written in UTF-8); with `folder`, the path of a file.
        folder: where the files are that `field` may name; None means that it holds the content itself. What is not
            in the folder, symbolic links followed, makes the record a BadRecord.
        max_bytes: a longer content makes the record a BadRecord.
        keep: whether the content stays in the result: for a task behind that says more about it, like `model_notice`.
        credentials: {file: path} or {credential: name} of a file with NAME=value lines; None is the environment.
            The names are the providers' own: AZURE_STORAGE_CONNECTION_STRING, AWS_ACCESS_KEY_ID, ...

    The result has the record's other fields, the path included, the content only with `keep`, and `blob`, the name;
    `url`; `size`, in bytes. The store's container is not made.

    RIoTBench names a local file and gives 1, or -1 where it failed.

    Example:
        >>> from riot_tasks import Record
        >>> task = BlobUpload("memory://plots", name="{source}/{time}.svg", field="svg")
        >>> for result in task.process(Record(1, "dev7", 1.5, {"svg": b"<svg/>", "series": 3})):
        ...     print(result.values)
        {'series': 3, 'blob': 'dev7/1500.svg', 'url': 'memory://plots/dev7/1500.svg', 'size': 6}

    References:
        RIoTBench ABU (AzureBlobUploadTask), arXiv 1701.08530, section 4.1.
    """

    code = "ABU"
    writes = True
    pattern = "1:1"

    def __init__(  # noqa: PLR0913 - seven keys of the config
        self,
        store: str,
        *,
        name: str = "{source}-{time}-{id}",
        field: str = "payload",
        folder: str | None = None,
        max_bytes: int = 64 * 1024 * 1024,
        keep: bool = False,
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        self.credentials = referred(credentials)
        blobs.check(store, credentials)
        self.store = store
        self.name, self._name = name, Template("name", name)
        self.field = parameters.name("field", field)
        self.folder, self._folder = folder, None if folder is None else contents.folder("folder", folder, there=True)
        self.max_bytes = whole("max_bytes", max_bytes, least=1)
        self.keep = parameters.flag("keep", keep)

    def process_many(self, records: Sequence[Record]) -> Sequence[Iterable[Record] | BadRecord]:
        """For each record where its blob is."""
        store = blobs.blobs(self.store, self.credentials)
        lanes = store.writers if self._all_differ(records) else 1  # else the last of a name would be any of them
        return side_by_side(lambda record: self._written(record, store), records, lanes)

    def _written(self, record: Record, store: blobs.Blobs) -> Iterable[Record]:
        name = self._name.fill(record)
        if self._folder is None:
            data = held(record, self.field, self.max_bytes)
        else:
            data = named(record, self.field, self._folder, self.max_bytes)
        store.put(name, data)
        values, units = dict(record.values), record.units
        if self._folder is None and not self.keep:
            del values[self.field]
            units = {field: unit for field, unit in units.items() if field != self.field}
        values |= {"blob": name, "url": store.url(name), "size": len(data)}
        return (Record(record.id, record.source, record.time, values, units, record.meta),)

    def _all_differ(self, records: Sequence[Record]) -> bool:
        seen = set()
        for record in records:
            with suppress(BadRecord):  # which has no name
                name = self._name.fill(record)
                if name in seen:
                    return False
                seen.add(name)
        return True
