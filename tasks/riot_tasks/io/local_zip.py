"""`local_zip`: what records hold, in zip files of a folder."""

from riot_tasks.io import contents
from riot_tasks.io.zipping import MOST_BYTES, Zipping
from riot_tasks.record import Value
from riot_tasks.stores import files


class LocalZip(Zipping):
    """Packs a field of every `count` records into a zip file, and says where it is.

    Args:
        folder: where the files are made; made if it is not there.
        field: holds an entry's content, bytes or text.
        entry: template for an entry's name: {source}, {id}, {time} in ms, or any field.
        name: template for the file's name: {source} and {time} in ms of the first entry, {first} and {last}, the
            ids of the records of the first and the last entry. `.zip` is put behind it.
        count: entries in a file.
        max_bytes: of a file's entries together, before compression; the file is closed before one that would be
            too much, and a longer content makes the record a BadRecord.

    The result has the id and time of the record that completes the file, `path`, `count` of entries, and `size` in
    bytes. At the end of a bounded stream the entries that are left make a smaller file. A file is there whole or not
    at all. Names and bytes depend on the records only, so a replay makes the same file again; of two entries by one
    name the second is `name~2`. What is in no file yet is state: it lives and dies as the daemon's snapshots do.

    RIoTBench names files and entries by the clock and a random number, writes to the file all the time, and loses
    the last, unfinished one.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from riot_tasks import Record
        >>> folder = tempfile.mkdtemp()
        >>> task = LocalZip(folder, field="svg", entry="{source}-{time}.svg", count=2)
        >>> for number in (1, 2, 3):
        ...     for result in task.process(Record(number, "dev7", number / 2, {"svg": "<svg/>"})):
        ...         print(Path(result.values["path"]).name, result.values["count"])
        dev7-500-1-2.zip 2

    References:
        PKWARE, APPNOTE.TXT: .ZIP File Format Specification.
        RIoTBench LZP (ZipMultipleBufferTask), arXiv 1701.08530, section 4.1.
    """

    code = "LZP"

    def __init__(  # noqa: PLR0913 - six keys of the config
        self,
        folder: str,
        *,
        field: str = "payload",
        entry: str = "{source}-{time}-{id}",
        name: str = "{source}-{time}-{first}-{last}",
        count: int = 10,
        max_bytes: int = MOST_BYTES,
    ) -> None:
        super().__init__(field, entry, name, count, max_bytes)
        self.folder, self._folder = folder, contents.folder("folder", folder, there=False)

    def _put(self, name: str, data: bytes) -> dict[str, Value]:
        path = self._folder / f"{name}.zip"
        files.write(path, data)
        return {"path": str(path)}
