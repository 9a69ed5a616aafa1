"""What goes into a blob or an archive: a field's bytes or text, or the file it names."""

import stat
from pathlib import Path

from riot_tasks import parameters
from riot_tasks.errors import BadRecord
from riot_tasks.record import Record
from riot_tasks.showing import shown


def held(record: Record, field: str, max_bytes: int) -> bytes:
    """A field's bytes, or its text in UTF-8.

    Raises:
        BadRecord: it holds something else, nothing, or more than `max_bytes`.
    """
    value = record.values.get(field)
    if isinstance(value, str):
        try:
            value = value.encode()
        except UnicodeEncodeError as error:
            raise BadRecord(f"{field}: is a text that is no Unicode") from error
    if not isinstance(value, bytes):
        raise BadRecord(f"{field}: holds no bytes or text" + (f", but a {type(value).__name__}" if value else ""))
    if len(value) > max_bytes:
        raise BadRecord(f"{field}: has {len(value)} bytes; max_bytes is {max_bytes}")
    return value


def named(record: Record, field: str, top: Path, max_bytes: int) -> bytes:
    """What is in the file that a field names, which must be below `top`, symbolic links followed.

    Raises:
        BadRecord: it names no such file, or one of more than `max_bytes`.
    """
    value = record.values.get(field)
    if not isinstance(value, str | bytes):
        raise BadRecord(f"{field}: names no file")
    try:
        path = (top / (value if isinstance(value, str) else value.decode())).resolve()
        if not path.is_relative_to(top):
            raise BadRecord(f"{field}: {path} is not below {top}")
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise BadRecord(f"{field}: {path} is no file")
        if found.st_size > max_bytes:
            raise BadRecord(f"{field}: {path} has {found.st_size} bytes; max_bytes is {max_bytes}")
        return path.read_bytes()
    except OSError as error:
        raise BadRecord(f"{field}: {value!r:.200} can't be read: {error.strerror}") from error
    except (ValueError, RuntimeError) as error:  # no path at all; links in a circle
        raise BadRecord(f"{field}: {value!r:.200} names no file: {error}") from error


def folder(parameter: str, value: object, *, there: bool) -> Path:
    """A parameter that is a folder of this machine, as a path without links.

    Raises:
        ValueError: it is none, or not there although it must be.
    """
    path = Path(parameters.path(parameter, value, kind="folder")).resolve()
    try:
        found = path.stat()
    except FileNotFoundError:
        if there:
            raise ValueError(f"{parameter}: the folder {value} is not there; make it") from None
        return path
    except OSError as error:
        raise ValueError(f"{parameter}: {shown(value)} can't be used: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode):
        raise ValueError(f"{parameter}: {value} is no folder")
    return path
