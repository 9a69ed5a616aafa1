"""Fixtures of the end-to-end tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daemon import Daemon, pipeline
from tests.riotd.brokers import Broker


@pytest.fixture
def config(broker: Broker, tmp_path: Path) -> dict[str, Any]:
    """A small pipeline on the test's broker: parse, number the records of each device, publish."""
    return pipeline(broker.port, tmp_path)


@pytest.fixture
def make_daemon(tmp_path: Path) -> Callable[..., Daemon]:
    """A daemon with this config, not yet started; to be entered."""
    made: list[Daemon] = []

    def make(config: dict[str, Any], **environment: str) -> Daemon:
        folder = tmp_path / f"daemon{len(made)}"
        folder.mkdir()
        made.append(Daemon(folder, config, **environment))
        return made[-1]

    return make
