"""What a figure was measured on: processor, memory, versions."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from riotd import __version__
from riotd.benchmarks.broker import mosquitto


class Machine(msgspec.Struct, frozen=True):
    """A machine and its programs; what can't be known is "" or 0.

    Attributes:
        processor: its name.
        cores: that this process may use.
        memory: bytes.
        system: kernel and release.
        versions: of the programs that took part, by name.
    """

    processor: str
    cores: int
    memory: int
    system: str
    versions: dict[str, str]

    @property
    def text(self) -> str:
        """In one line."""
        parts = [self.processor, f"{self.cores} cores", f"{self.memory / 2**30:.0f} GiB" if self.memory else ""]
        return ", ".join(part for part in [*parts, self.system] if part)


def machine() -> Machine:
    """This one."""
    versions = {"riotd": __version__, "Python": platform.python_version(), "Ray": _installed("ray")}
    versions["mosquitto"] = _mosquitto()
    return Machine(
        processor(),
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0,
        _memory(),
        f"{platform.system()} {platform.release()}",
        {name: found for name, found in versions.items() if found},
    )


def processor() -> str:
    """Its name, as well as it can be known."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _mosquitto() -> str:
    program = mosquitto()
    if program is None:
        return ""
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    found = re.search(r"version (\S+)", said.stdout + said.stderr)
    return found[1] if found else ""
