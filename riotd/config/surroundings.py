"""What the machine must have for a file to be run: folders, inputs, secrets, certificates."""

import os
from collections.abc import Iterator
from glob import glob, has_magic
from pathlib import Path

from riotd.config.blocks import FileRejects, FileSink
from riotd.config.connection import Connection
from riotd.config.inputs import FileSource
from riotd.config.parts import Parts
from riotd.config.timers import TimerSource, timer_mistakes
from riotd.errors import Mistake


def missing(parts: Parts) -> list[Mistake]:
    """Everything the blocks refer to that is not there, or not ours to use."""
    return [*_inputs(parts), *_outputs(parts), *_secrets(parts)]


def _inputs(parts: Parts) -> Iterator[Mistake]:
    for inlet in parts.inlets():
        if isinstance(inlet.block, FileSource):
            yield from _input(f"{inlet.where}.path", inlet.block)
        elif isinstance(inlet.block, TimerSource):
            yield from timer_mistakes(inlet.where, inlet.block)


def _input(where: str, source: FileSource) -> Iterator[Mistake]:
    if not source.path:
        yield Mistake(where, "must be given", "a file or a glob")
    elif source.follow:
        yield from _folder(where, _root(source.path), writable=False)
    elif not glob(source.path):  # noqa: PTH207 - a whole pattern, absolute or not, which Path.glob does not take
        yield Mistake(where, f"there is no {source.path}", "follow: true waits for it")
    elif not has_magic(source.path) and not os.access(source.path, os.R_OK):
        yield Mistake(where, f"{source.path} can't be read by this user")


def _root(path: str) -> Path:
    """The folder that holds whatever a path or a glob may mean."""
    folder = Path(path).parent
    while has_magic(str(folder)):
        folder = folder.parent
    return folder


def _outputs(parts: Parts) -> Iterator[Mistake]:
    files = {f"sinks.{name}.path": sink.path for name, sink in parts.sinks.items() if isinstance(sink, FileSink)}
    if isinstance(parts.rejects, FileRejects):
        files["rejects.path"] = parts.rejects.path
    read = {inlet.block.path for inlet in parts.inlets() if isinstance(inlet.block, FileSource)}
    for where, path in files.items():
        if path.is_dir():
            yield Mistake(where, f"{path} is a folder", "give the path of a file in it")
        else:
            yield from _folder(where, path.parent, writable=True)
        if str(path) in read:
            yield Mistake(where, f"{path} is also what is read", "write somewhere else")


def _folder(where: str, folder: Path, *, writable: bool) -> Iterator[Mistake]:
    if not folder.is_dir():
        yield Mistake(where, f"there is no folder {folder}", "make it first")
    elif not os.access(folder, os.W_OK | os.X_OK if writable else os.X_OK):
        yield Mistake(where, f"the folder {folder} is not open to this user")


def _secrets(parts: Parts) -> Iterator[Mistake]:
    for where, connection in parts.connections():
        yield from _password(where, connection)
        for name in ("ca", "cert", "key"):
            path: Path | None = getattr(connection.tls, name, None)
            if path is not None and not os.access(path, os.R_OK):
                yield Mistake(f"{where}.tls.{name}", f"{path} is not there, or can't be read", "give a PEM file")


def _password(where: str, connection: Connection) -> Iterator[Mistake]:
    if connection.password is None:
        return
    try:
        connection.password.read()
    except ValueError as error:
        yield Mistake(f"{where}.password", str(error))
