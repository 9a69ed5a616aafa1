"""`remote_zip`: what records hold, in zip files of a blob store."""

from collections.abc import Mapping

from riot_tasks.io.zipping import MOST_BYTES, Zipping
from riot_tasks.record import Value
from riot_tasks.stores import blobs
from riot_tasks.stores.credentials import credentials as referred


class RemoteZip(Zipping):
    """Packs a field of every `count` records into a zip file in a store, and says where it is.

    Args:
        store: `az://container/folder`, `s3://bucket/folder`, `gs://bucket/folder`, `file:///mnt/share/folder`, or
            `memory://name`.
        field: holds an entry's content, bytes or text.
        entry: template for an entry's name: {source}, {id}, {time} in ms, or any field.
        name: template for the file's name: {source} and {time} in ms of the first entry, {first} and {last}, the
            ids of the records of the first and the last entry. `.zip` is put behind it.
        count: entries in a file.
        max_bytes: of a file's entries together, before compression.
        credentials: as for `blob_upload`.

    As `local_zip`, but for where the file goes: the result has `blob`, its name, and `url` in the place of `path`. A
    store that can't be reached is waited for, with the entries kept.

    RIoTBench uses the same class as for local files, with a folder on a network share.

    Example:
        >>> from riot_tasks import Record
        >>> task = RemoteZip("memory://archive", field="svg", entry="{source}-{time}.svg", count=2)
        >>> for number in (1, 2, 3):
        ...     for result in task.process(Record(number, "dev7", number / 2, {"svg": "<svg/>"})):
        ...         print(result.values["url"], result.values["count"])
        memory://archive/dev7-500-1-2.zip 2

    References:
        PKWARE, APPNOTE.TXT: .ZIP File Format Specification.
        RIoTBench RZP (ZipMultipleBufferTask), arXiv 1701.08530, section 4.1.
    """

    code = "RZP"

    def __init__(  # noqa: PLR0913 - seven keys of the config
        self,
        store: str,
        *,
        field: str = "payload",
        entry: str = "{source}-{time}-{id}",
        name: str = "{source}-{time}-{first}-{last}",
        count: int = 10,
        max_bytes: int = MOST_BYTES,
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(field, entry, name, count, max_bytes)
        self.credentials = referred(credentials)
        blobs.check(store, credentials)
        self.store = store

    def _put(self, name: str, data: bytes) -> dict[str, Value]:
        store = blobs.blobs(self.store, self.credentials)
        blob = f"{name}.zip"
        store.put(blob, data)
        return {"blob": blob, "url": store.url(blob)}
