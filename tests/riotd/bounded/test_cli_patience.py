"""Whoever waits is told."""

from threading import Event
from typing import Any

import pytest

from riotd.cli import patience
from riotd.cli.patience import impatient


def test_nothing_moving_for_long_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not again until something has moved; not at all before the first move."""
    said: list[str] = []
    heard = Event()

    def echo(text: str, **_options: Any) -> None:
        said.append(text)
        heard.set()

    monkeypatch.setattr(patience, "LONG", 0.02)
    monkeypatch.setattr(patience.click, "echo", echo)
    with impatient() as moved:
        assert not heard.wait(0.1)
        moved()
        assert heard.wait(20)
        heard.clear()
        assert not heard.wait(0.2)
        moved()
        assert heard.wait(20)
    assert set(said) == {"nothing has come for 0.02 s: waiting for input, or for what a task needs"}
    assert len(said) == 2
