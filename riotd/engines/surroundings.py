"""What a local Ray finds around it: a private folder with its token, and environment variables."""

import os
import secrets
import shutil
import tempfile
from functools import cache
from pathlib import Path

_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Makes 127.0.0.1 mean loopback; else Ray replaces it by the machine's address and listens on all of them."""
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else a FutureWarning about GPUs
}
_AUTHENTICATION = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


class Surroundings:
    """Environment variables for Ray, put back at the end, and for a local pool a folder of our own.

    The folder has mode 0700 and holds all that Ray writes, so that nothing piles up in its usual places, and a token
    that only this user can read (mode 0600): by itself Ray writes one to the home directory, readable by all. If the
    user has set up authentication in the environment, that holds.

    Attributes:
        folder: None unless Ray is to be started here.
    """

    def __init__(self, *, local: bool, loopback: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="riotd-")) if local else None
        settings = _QUIET | (_LOOPBACK if local or loopback else {})
        if self.folder is not None and not any(name in os.environ for name in _AUTHENTICATION):
            settings["RAY_AUTH_TOKEN_PATH"] = str(_written(self.folder / "token"))
        self._before = {name: os.environ.get(name) for name in (*settings, *_AUTHENTICATION)}
        os.environ.update(settings)

    def leave(self) -> None:
        """Put the environment back and remove the folder."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _written(path: Path) -> Path:
    path.touch(mode=0o600)
    path.write_text(_token(), encoding="ascii")
    return path


@cache
def _token() -> str:
    """The same for all pools of a process, because Ray reads it once."""
    return secrets.token_hex(32)
