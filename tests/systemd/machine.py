"""A machine of its own for systemd: namespaces, and a view of this file system that forgets what is written."""

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
BOOT = Path(__file__).with_name("boot.sh")
PROGRAMS = ("unshare", "nsenter", "setpriv", "pivot_root", "systemctl", "journalctl", "/lib/systemd/systemd")
SETTLED = {"running", "degraded"}


class CannotBootError(Exception):
    """Why there can be no such machine here; for the reason of a skip."""


class Machine:
    """A booted systemd as PID 1; what it starts can't outlive it.

    Processes, file system, cgroups, IPC and host name are its own; the network is everybody's, so that brokers are
    within reach of the test. `/opt/riotd/bin/riotd` is the program under test.

    Args:
        folder: an empty one, to mount on.

    Raises:
        CannotBootError: it does not come up.
    """

    def __init__(self, folder: Path) -> None:
        if os.geteuid() != 0:
            raise CannotBootError("only root may make namespaces and mount in them")
        if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
            raise CannotBootError(f"not installed: {', '.join(missing)}")
        self._cgroup = f"riotd-test-{os.getpid()}"
        self._said = folder.with_name(f"{folder.name}.log")
        where = [folder, self._cgroup, sys.base_prefix, sysconfig.get_path("purelib"), REPOSITORY]
        namespaces = ["unshare", "--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child"]
        with self._said.open("wb") as said:
            self._process = subprocess.Popen([*namespaces, BOOT, *map(str, where)], stdout=said, stderr=said)
        try:
            self._await()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        """Up it is already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Switch it off."""
        self.stop()

    def stop(self) -> None:
        """Switch it off: everything in it is killed with its PID 1."""
        for child in psutil.Process(self._process.pid).children() if self._process.poll() is None else []:
            child.kill()
        self._process.kill()
        self._process.wait(10)
        for mount in _cgroups():
            _remove(mount / self._cgroup)

    def run(self, *command: str, check: bool = True) -> str:
        """What a command says in there; if it fails, and that is checked, the test does, with the journal's end."""
        inside = ["nsenter", "--target", str(self._init), "--all", "--root", "--wd"]
        done = subprocess.run([*inside, *command], capture_output=True, text=True, check=False, timeout=120)
        if check and done.returncode:
            journal = self.run("journalctl", "--no-pager", "-n", "30", check=False)
            raise AssertionError(f"{' '.join(command)}: {done.stdout}{done.stderr}\n{journal}")
        return done.stdout

    def path(self, name: str) -> Path:
        """An absolute path of the machine, seen from here."""
        return Path(f"/proc/{self._init}/root") / name.removeprefix("/")

    def write(self, name: str, text: str) -> None:
        """A file in there, with its folders."""
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text, encoding="utf-8")

    def properties(self, unit: str) -> Mapping[str, str]:
        """What systemd knows of a unit."""
        return dict(line.split("=", 1) for line in self.run("systemctl", "show", unit).splitlines() if "=" in line)

    def await_unit(self, unit: str, **wanted: str) -> Mapping[str, str]:
        """Its properties, once these are as wanted."""
        deadline = time.monotonic() + 30.0
        while time.monotonic() < deadline:
            found = self.properties(unit)
            if wanted.items() <= found.items():
                return found
            time.sleep(0.05)  # systemd tells nobody but over D-Bus
        raise AssertionError(
            f"{unit} is { {name: found[name] for name in wanted} }, not {wanted}\n{self.journal(unit)}"
        )

    def await_line(self, unit: str, text: str) -> None:
        """Return when the unit has logged this."""
        deadline = time.monotonic() + 30.0
        while text not in (said := self.journal(unit)):
            assert time.monotonic() < deadline, f"{unit} does not say {text!r}: {said}"
            time.sleep(0.05)  # as above

    def journal(self, unit: str) -> str:
        """What the journal has of it, the texts only."""
        return self.run("journalctl", "--sync", check=False) + self.run("journalctl", "-u", unit, "-o", "cat")

    def _await(self) -> None:
        deadline = time.monotonic() + 30.0
        while time.monotonic() < deadline and self._process.poll() is None:
            for child in psutil.Process(self._process.pid).children():
                self._init = child.pid
                if self.run("systemctl", "is-system-running", check=False).strip() in SETTLED:
                    return
            time.sleep(0.05)  # as above
        raise CannotBootError(f"systemd does not come up: {self._said.read_text()[-300:].strip() or 'it says nothing'}")


def _remove(cgroup: Path) -> None:
    """It and those in it, as soon as the last process in there is dead."""
    deadline = time.monotonic() + 10.0
    while cgroup.is_dir() and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            for folder in sorted(cgroup.glob("**/"), reverse=True):
                folder.rmdir()
        time.sleep(0.02)  # the death of a grandchild is no event


def _cgroups() -> list[Path]:
    """Where the file system of control groups is mounted here."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    return [Path(where) for _, where, kind, *_ in mounts if kind == "cgroup2"]
