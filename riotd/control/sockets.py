"""Where a daemon's control socket is, and where to look for one."""

import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir

_LONGEST = 107
"""Bytes of a socket's path on Linux: `sun_path` without its end."""
_SYSTEMD = Path("/run/riotd")
"""RuntimeDirectory=riotd/%i of the units."""


def own_place(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the daemon of this name puts its socket.

    In $RUNTIME_DIRECTORY (systemd), else in riotd/ of $XDG_RUNTIME_DIR, else in a folder for this user among the
    temporary files; the next where a path would be longer than a socket's may be.
    """
    return next(_paths(_folders(environment), name))


def places(name: str, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Where the socket of a daemon of this name may be: as this user would have it, and as systemd's units do."""
    units = sorted(_SYSTEMD.glob("*/")) if _SYSTEMD.is_dir() else []
    return list(dict.fromkeys(_paths([*_folders(environment), *units], name)))


def _folders(environment: Mapping[str, str]) -> Iterator[Path]:
    if systemd := environment.get("RUNTIME_DIRECTORY"):
        yield Path(systemd.partition(":")[0])
    if (user := environment.get("XDG_RUNTIME_DIR")) and Path(user).is_dir():
        yield Path(user) / "riotd"
    yield Path(gettempdir()) / f"riotd-{os.getuid()}"
    yield Path("/tmp") / f"riotd-{os.getuid()}"  # noqa: S108 - where TMPDIR is too long; the server sees that it is ours


def _paths(folders: Iterable[Path], name: str) -> Iterator[Path]:
    return (path for folder in folders if (path := _fitting(folder, name)))


def _fitting(folder: Path, name: str) -> Path | None:
    """The socket in a folder, by a shorter name if need be; None if even that is too long."""
    for stem in (name, sha256(name.encode()).hexdigest()[:16]):
        path = folder / f"{stem}.sock"
        if len(os.fsencode(path)) <= _LONGEST:
            return path
    return None
