"""The Java that Flink would start: is it there, and recent enough?"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from riotd.errors import ConfigError, Mistake

OLDEST = 11
"""Feature release of Java that Flink 2 is compiled for; it promises 17 and 21 too, and 25 was seen to do."""

_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_REMEDY = "install one (Debian, Ubuntu: apt-get install openjdk-17-jre-headless) or let JAVA_HOME name it"


def check() -> None:
    """Ask the Java that PyFlink would take, the one below JAVA_HOME or else the first on the PATH, for its version.

    Raises:
        ConfigError: there is none, it does not start, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None:
        raise _wrong("there is none on the PATH")
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=True, timeout=60).stderr  # noqa: S603 - the user's own Java
    except (OSError, subprocess.SubprocessError) as error:
        raise _wrong(f"{java} does not start: {error}") from error
    version = _VERSION.search(said)
    if version is None:
        raise _wrong(f"{java} does not say its version but {said.strip()!r}")
    if int(version[1]) < OLDEST:
        raise _wrong(f"{java} is Java {version[1]}")


def _wrong(what: str) -> ConfigError:
    return ConfigError([Mistake("engine", f"Flink needs Java {OLDEST} or newer, and {what}", _REMEDY)])
