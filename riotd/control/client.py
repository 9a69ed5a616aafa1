"""The asking end of the control socket."""

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from riotd.control.server import RefusedError
from riotd.errors import TransportError

_PATIENCE = 10.0
"""Seconds for a connection, and for each part of an answer."""


class NotRunningError(TransportError):
    """No daemon listens where one was looked for, or it has gone."""


class Asker:
    """Asks a running daemon; blocks until it answers.

    Args:
        paths: of the socket, as `places` gave them; the first that somebody listens at is taken.
        patience: seconds for a connection, and for each part of an answer.

    Raises:
        NotRunningError: from `with`, nobody listens; or the socket is another user's.
    """

    def __init__(self, paths: Sequence[Path], *, patience: float = _PATIENCE) -> None:
        self._paths, self._patience = paths, patience

    def __enter__(self) -> Self:
        refused = []
        for path in self._paths:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(self._patience)
            try:
                connection.connect(str(path))
            except PermissionError:
                refused.append(f"{path} is another user's: ask as that user, or as root")
            except OSError:
                pass  # nobody is there: look further
            else:
                self._connection, self._lines = connection, connection.makefile("rb")
                return self
            connection.close()
        raise NotRunningError("; ".join(refused) or f"nobody listens at {', '.join(map(str, self._paths))}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._connection.close()

    def ask(self, do: str, **more: Any) -> Any:  # noqa: ANN401 - what JSON can say
        """The answer to a request.

        Raises:
            RefusedError: the daemon says that it can't be done, and why.
            NotRunningError: it has gone, or does not answer in time.
        """
        request: Mapping[str, Any] = {"do": do, **more}
        try:
            self._connection.sendall(orjson.dumps(request) + b"\n")
            line = self._lines.readline()
        except TimeoutError:
            raise NotRunningError(f"no answer within {self._patience:g} s") from None
        except OSError as error:
            raise NotRunningError(f"the daemon has gone: {error.strerror or error}") from None
        if not line.endswith(b"\n"):
            raise NotRunningError("the daemon has gone")
        answer = orjson.loads(line)
        if "error" in answer:
            raise RefusedError(answer["error"])
        return answer["answer"]
