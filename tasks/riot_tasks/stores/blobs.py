"""Blobs: bytes under names, in a folder, in memory, or in the cloud, by URL.

Errors are translated here, once: what is not there is None; what can't be reached, or does not let us in, is
`Unavailable`. Waiting is bounded: connecting 3 s, a silent server 10 s, one retry after another for at most 10 s;
whoever runs the task asks again.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote

from riot_tasks.errors import BadRecord, Unavailable
from riot_tasks.stores.addresses import address, bucket, local_path
from riot_tasks.stores.clients import Clients
from riot_tasks.stores.credentials import Reference, azure_account, settings
from riot_tasks.stores.files import to_disk

if TYPE_CHECKING:
    from obstore.store import ObjectStore

FORMS = {
    "file": "file:///var/lib/riotd/blobs",
    "memory": "memory://name",
    "az": "az://container/folder",
    "s3": "s3://bucket/folder",
    "gs": "gs://bucket/folder",
}
"""Scheme to an example of its URLs."""
_EXTRA = dict.fromkeys(FORMS, "obstore")
_PREFIXES = {"az": "AZURE_", "s3": "AWS_", "gs": "GOOGLE_"}
"""How the settings of a provider begin."""
_LANES = 8
"""Requests under way at a time."""
_RETRY: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
_CLIENT: Any = {"connect_timeout": "3s", "read_timeout": "10s", "timeout": "5min"}
_QUERY = re.compile(r"\?\S*")
"""In an error's text: a URL's query may be a signature."""


class Blobs:
    """The blobs below a URL. Safe to use from several threads.

    Names are levels joined by `/`; none is empty, `.` or `..`. Making one connects to nothing.

    Args:
        url: `file:///folder` (made when first written to), `memory://name` (one for each name in a process),
            `az://container/folder`, `s3://bucket/folder`, `gs://bucket/folder`.
        credentials: where they are; None is the environment.

    Attributes:
        readers: how many `get` are worth having under way at the same time.
        writers: how many `put`; on a disk they share its waiting.

    Raises:
        ValueError: the URL is none of these, or obstore is not installed.
        Unavailable: the credentials are not there, or are not enough to make a client.
    """

    def __init__(self, url: str, credentials: Reference | None = None) -> None:
        parts = _parts(url)
        self._url, self._scheme = url.rstrip("/"), parts.scheme
        self._folder = local_path(parts) if parts.scheme == "file" else None
        self.readers = _LANES if parts.scheme in _PREFIXES else 1
        self.writers = 1 if parts.scheme == "memory" else _LANES
        with self._translated(url):
            self._store = _opened(url, parts.scheme, self._folder, credentials)

    def get(self, name: str, *, max_bytes: int) -> bytes | None:
        """What the blob holds; None if there is none.

        Raises:
            BadRecord: it is longer than `max_bytes`; none of it was read then.
            Unavailable: the store can't be reached, or does not let us in.
        """
        import obstore  # noqa: PLC0415 - an extra

        with self._translated(self.url(name)):
            try:
                found = obstore.get(self._store, name)
                size = found.meta["size"]
                if size > max_bytes:
                    raise BadRecord(f"{self.url(name)} has {size} bytes; max_bytes is {max_bytes}")
                return bytes(found.bytes())
            except FileNotFoundError:
                return None
            except obstore.exceptions.GenericError as error:
                if _in_the_way(error):
                    return None
                raise

    def put(self, name: str, data: bytes) -> None:
        """Make the blob, or replace it, at once and whole; in a folder it is on the disk afterwards.

        Raises:
            BadRecord: in a folder, one level of the name is a blob already, or the name is that of a folder.
            Unavailable: the store can't be reached, is full, or does not let us in, or there is no such container.
        """
        import obstore  # noqa: PLC0415 - an extra

        with self._translated(self.url(name)):
            try:
                obstore.put(self._store, name, data, attributes=self._attributes(name))
            except obstore.exceptions.GenericError as error:
                if _in_the_way(error):
                    raise BadRecord(f"{self.url(name)}: a blob and a folder can't have one name") from error
                raise
            if self._folder:
                to_disk(self._folder / name)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Name and size of each blob whose name begins with these levels, in no order.

        Raises:
            Unavailable: as `put`.
        """
        import obstore  # noqa: PLC0415 - an extra

        with self._translated(self._url):
            for chunk in obstore.list(self._store, prefix or None):
                yield from ((found["path"], found["size"]) for found in chunk)

    def exists(self, name: str) -> bool:
        """Whether there is such a blob.

        Raises:
            Unavailable: as `get`.
        """
        import obstore  # noqa: PLC0415 - an extra

        with self._translated(self.url(name)):
            try:
                obstore.head(self._store, name)
            except FileNotFoundError:
                return False
        return True

    def url(self, name: str) -> str:
        """The blob's own URL."""
        return f"{self._url}/{quote(name)}"

    def close(self) -> None:
        """Nothing: the store lets go of its connections when it is dropped."""

    def _attributes(self, name: str) -> Any:  # noqa: ANN401 - obstore's mapping
        """What a browser needs to show the blob; folders and memory have no such thing."""
        kind, _ = guess_type(name) if self._scheme in _PREFIXES else (None, None)
        return {"Content-Type": kind} if kind else None

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        from obstore import exceptions  # noqa: PLC0415 - an extra

        try:
            yield
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError, PermissionError) as error:
            _CLIENTS.forget(self)  # the next one reads the credentials anew
            raise Unavailable(f"{what}: access refused; check the credentials: {_first_line(error)}") from error
        except FileNotFoundError as error:
            raise Unavailable(f"{what}: no such container or bucket; create it: {_first_line(error)}") from error
        except (exceptions.BaseError, OSError) as error:
            raise Unavailable(f"{what}: {_first_line(error)}") from error


_CLIENTS: Clients[Blobs] = Clients()


def blobs(url: str, credentials: Reference | None = None) -> Blobs:
    """The process's client for these blobs, made when first asked for; arguments and errors as `Blobs`."""
    return _CLIENTS.get((url, str(credentials)), lambda: Blobs(url, credentials))


def close_all() -> None:
    """Forget all clients of this process, and what `memory://` held."""
    _CLIENTS.close()


def check(url: object, credentials: Reference | None) -> None:
    """Look at a task's parameters `store` and `credentials`, without opening anything.

    Raises:
        ValueError: they are not fit, or need what is not installed or not known.
    """
    if _parts(url).scheme == "az" and not azure_account(settings(credentials)).name:
        raise ValueError(
            "credentials: no Azure account; set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and "
            "AZURE_STORAGE_ACCOUNT_KEY, or give {file: path}"
        )


def _parts(url: object) -> SplitResult:
    parts = address(url, FORMS, extra=_EXTRA)
    if parts.scheme == "file":
        local_path(parts)
    else:
        bucket(parts, {"memory": "name", "az": "container"}.get(parts.scheme, "bucket"))
    return parts


def _opened(url: str, scheme: str, folder: Path | None, credentials: Reference | None) -> "ObjectStore":
    from obstore.store import LocalStore, MemoryStore, from_url  # noqa: PLC0415 - an extra

    if folder:
        return LocalStore(folder, mkdir=True)
    if scheme == "memory":
        return MemoryStore()
    found = {name: value for name, value in settings(credentials).items() if name.startswith(_PREFIXES[scheme])}
    config: Any = _azure(found) if scheme == "az" else {}
    if credentials is not None:  # obstore reads the environment, but no files
        config |= {name.lower(): value for name, value in found.items() if name != "AZURE_STORAGE_CONNECTION_STRING"}
    # without TLS only where a setting names such an address: an emulator, a store of one's own
    plain = any(value.startswith("http://") for value in [*found.values(), *config.values()])
    options: Any = {"client_options": {**_CLIENT, "allow_http": plain}, "retry_config": _RETRY}
    store: ObjectStore = from_url(url, config=config, **options)
    return store


def _azure(found: Mapping[str, str]) -> dict[str, str]:
    """The account as obstore wants to hear of it: it knows no connection strings."""
    account = azure_account(found)
    config = {
        "account_name": account.name,
        "account_key": account.key,
        "sas_key": account.sas,
        "endpoint": account.endpoints.get("Blob", ""),
    }
    return {name: value for name, value in config.items() if value}


def _in_the_way(error: BaseException) -> bool:
    """Whether a folder is where a blob should be, or the other way round (ENOTDIR, EISDIR)."""
    return "(os error 20)" in str(error) or "(os error 21)" in str(error)


def _first_line(error: BaseException) -> str:
    """An error without its debugging part, the server's XML, and what a URL may carry."""
    return _QUERY.sub("?…", str(error).strip().partition("\n")[0].partition(": <?xml")[0])
