"""Fixtures for all tests: a real broker."""

import logging
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.riotd.brokers import MOSQUITTO, Broker, Ears, SmallBroker

# No deadlines: a busy machine is slow, not wrong, and every test has a timeout.
# `--hypothesis-profile nightly` looks longer, where a test does not say how long.
for _profile, _examples in (("riotd", 100), ("nightly", 5000)):
    hypothesis.settings.register_profile(_profile, hypothesis.settings(), deadline=None, max_examples=_examples)
hypothesis.settings.load_profile("riotd")


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Daemons of a test keep their state, and their control sockets, in the test's folder."""
    for systemd in ("STATE_DIRECTORY", "RUNTIME_DIRECTORY"):
        monkeypatch.delenv(systemd, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    """Makes mosquittos that are not started yet: `make_broker("acl_file …", persistent=True)`."""
    made: list[Broker] = []

    def make(*lines: str, persistent: bool = False) -> Broker:
        if MOSQUITTO is None:
            pytest.skip("mosquitto is not installed")
        folder = tmp_path / f"broker{len(made)}"
        folder.mkdir()
        made.append(Broker(folder, lines, persistent=persistent))
        return made[-1]

    yield make
    for broker in made:
        broker.stop(signal.SIGKILL)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running broker that forgets everything when it is restarted; amqtt where mosquitto is absent."""
    if MOSQUITTO is None:
        pytest.importorskip("amqtt")
    folder = tmp_path / "broker"
    folder.mkdir()
    running = (Broker if MOSQUITTO else SmallBroker)(folder)
    running.start()
    yield running
    running.stop(signal.SIGKILL)


@pytest.fixture
def ears() -> Iterator[Ears]:
    """What the logger `riotd.mqtt` says during the test."""
    listener, logger = Ears(), logging.getLogger("riotd.mqtt")
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    yield listener
    logger.removeHandler(listener)
    logger.setLevel(level)
