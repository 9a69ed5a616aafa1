"""Tables by URL: embedded ones (SQLite), and Azure Table Storage."""

import re
from pathlib import Path
from urllib.parse import SplitResult

from riot_tasks.errors import Unavailable
from riot_tasks.showing import shown
from riot_tasks.stores.addresses import address, bucket, local_path
from riot_tasks.stores.clients import Clients
from riot_tasks.stores.credentials import Reference, azure_account, settings
from riot_tasks.stores.rows import Table
from riot_tasks.stores.sqlite_table import SqliteTable

FORMS = {"sqlite": "sqlite:///var/lib/riotd/tables.db", "memory": "memory://name", "aztable": "aztable://account"}
"""Scheme to an example of its URLs."""
_EXTRA = {"aztable": "azure.data.tables"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}")
_MAGIC = b"SQLite format 3\0"

_TABLES: Clients[Table] = Clients()


def table(url: str, name: str, credentials: Reference | None = None) -> Table:
    """The process's client for a table, made when first asked for.

    Args:
        url: `sqlite:///path/of/file.db`, made when first written to (`sqlite:file.db` is relative to the working
            directory); `memory://name`, one for each name in a process; `aztable://account`.
        name: 3 to 63 letters and digits, a letter first, as Azure has it.
        credentials: where they are; None is the environment. Only `aztable` needs any.

    Raises:
        ValueError: it is none of these.
        Unavailable: it can't be opened.
    """
    return _TABLES.get((url, name, str(credentials)), lambda: _opened(url, name, credentials))


def close_all() -> None:
    """Close all tables of this process; what `memory://` held is gone."""
    _TABLES.close()


def check(url: object, name: object, credentials: Reference | None, *, reading: bool) -> None:
    """Look at a task's parameters `store` and `table`, without opening anything.

    Args:
        url: as for `table`.
        name: as for `table`.
        credentials: as for `table`.
        reading: whether a file must be there; else only its folder.

    Raises:
        ValueError: they are not fit, the file or folder is not there, or what they need is not installed.
    """
    parts = _parts(url, name)
    if parts.scheme == "sqlite":
        _check_file(_path(str(url)), reading=reading)
    elif bucket(parts, "account" if parts.scheme == "aztable" else "name") and parts.scheme == "aztable":
        account = azure_account(settings(credentials), parts.netloc)
        if not (account.key or account.sas):
            raise ValueError("credentials: none for Azure; set AZURE_STORAGE_CONNECTION_STRING, or give {file: path}")


def _check_file(path: Path, *, reading: bool) -> None:
    if not path.exists():
        if reading:
            raise ValueError(f"store: {path} is not there; write to it first, or correct the path")
        if not path.absolute().parent.is_dir():
            raise ValueError(f"store: the folder {path.absolute().parent} is not there; make it")
        return
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except OSError as error:
        raise ValueError(f"store: {path} can't be read: {error.strerror}") from error
    if head not in (b"", _MAGIC):
        raise ValueError(f"store: {path} is no SQLite database; name another file")


def _parts(url: object, name: object) -> SplitResult:
    parts = address(url, FORMS, extra=_EXTRA)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"table: must be 3 to 63 letters and digits, a letter first (is {shown(name)})")
    return parts


def _opened(url: str, name: str, credentials: Reference | None) -> Table:
    parts = _parts(url, name)
    if parts.scheme == "aztable":
        from riot_tasks.stores.azure_table import AzureTable  # noqa: PLC0415 - its library is an extra, 0.4 s to import

        try:
            account = azure_account(settings(credentials), parts.netloc)
        except OSError as error:
            raise Unavailable(f"the credentials for {url} can't be read: {error}") from error
        return AzureTable(account, name, refused=_TABLES.forget)
    return SqliteTable(None if parts.scheme == "memory" else _path(url), name)


def _path(url: str) -> Path:
    parts = address(url, FORMS, extra=_EXTRA)
    if parts.path and not parts.path.startswith("/") and not parts.netloc:
        return Path(parts.path)
    return local_path(parts)
