"""Which Java is good enough for Flink, and what is said where none is."""

from pathlib import Path

import pytest

from riotd.errors import ConfigError
from riotd.platforms import java


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH with nothing on it, and no JAVA_HOME."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)


def install(home: Path, says: str, *, status: int = 0) -> Path:
    """A `java` below this folder that says this of itself."""
    program = home / "bin" / "java"
    program.parent.mkdir(exist_ok=True, parents=True)
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {status}\n")
    program.chmod(0o755)
    return home


@pytest.mark.parametrize("version", ["11.0.28", "17.0.15", "21", "25-ea"])
def test_recent_ones_will_do(tmp_path: Path, version: str) -> None:
    """Java 11 and all after it pass, however they write it."""
    install(tmp_path, f'openjdk version "{version}" 2025-04-15')
    java.check()


@pytest.mark.parametrize(("said", "version"), [("1.8.0_442", "8"), ("10.0.2", "10")])
def test_old_ones_will_not(tmp_path: Path, said: str, version: str) -> None:
    """An older one is refused with its place, its version and what to do."""
    install(tmp_path, f'java version "{said}"')
    with pytest.raises(ConfigError, match=rf"Java 11 or newer, and {tmp_path}/bin/java is Java {version}; install one"):
        java.check()


def test_home_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Java below JAVA_HOME is the one that counts, as it is the one that Flink starts."""
    install(tmp_path, 'java version "1.8.0"')
    monkeypatch.setenv("JAVA_HOME", str(install(tmp_path / "17", 'openjdk version "17.0.15"')))
    java.check()


def test_none_at_all() -> None:
    """Without any Java the message says how to get one, and how to name one."""
    with pytest.raises(ConfigError, match=r"none on the PATH; install one \(.*jre-headless\) or let JAVA_HOME name it"):
        java.check()


def test_one_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JAVA_HOME without a Java is named."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match=r"gone/bin/java does not start: .*No such file"):
        java.check()


def test_one_that_fails(tmp_path: Path) -> None:
    """A Java that ends with an error does not start, whatever it says."""
    install(tmp_path, 'openjdk version "17.0.15"', status=1)
    with pytest.raises(ConfigError, match=r"does not start: .*exit status 1"):
        java.check()


def test_one_that_says_nothing_of_itself(tmp_path: Path) -> None:
    """What does not say a version is no Java that could be judged."""
    install(tmp_path, "hello")
    with pytest.raises(ConfigError, match="does not say its version but 'hello'"):
        java.check()
