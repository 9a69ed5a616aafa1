"""One number for memory, and the parts that follow from it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd import config
from riotd.config.memory import share_out
from riotd.errors import ConfigError

TEXT = """\
name: city
sources:
  one: {type: mqtt, url: "mqtt://broker", topics: [a/+]}
  two: {type: mqtt, url: "mqtt://broker", topics: [b/+]}
stages: [{task: senml_parse}]
sinks: {out: {type: file, path: out.jsonl}}
"""

Load = Callable[..., config.Config]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads the text with some settings."""
    monkeypatch.chdir(tmp_path)
    Path("etl.yaml").write_text(TEXT, encoding="utf-8")

    def loaded(*settings: str) -> config.Config:
        return config.load("etl.yaml", settings)

    return loaded


def _source(buffer: int | None, max_packet: int) -> config.MqttSource:
    return config.MqttSource(type="mqtt", url="mqtt://broker", topics=["a"], buffer=buffer, max_packet=max_packet)


@given(
    memory=st.integers(2**24, 2**34),
    credit=st.none() | st.integers(90_000, 2**30),
    batch=st.integers(1, 2**26),
    buffers=st.lists(st.none() | st.integers(1, 2**28), max_size=4),
)
def test_what_is_needed_is_the_sum_of_the_parts_and_what_is_given_stays(
    memory: int, credit: int | None, batch: int, buffers: list[int | None]
) -> None:
    """Whatever the settings, the parts and the rest make up the whole where they fit, and given parts are as given."""
    shares = share_out(memory, credit, batch, [_source(buffer, 2**20) for buffer in buffers])
    assert shares.needed == sum(size for _, size in shares.parts())
    assert shares.rest == max(0, memory - shares.needed)
    assert shares.credit == credit or credit is None
    assert shares.buffers >= sum(buffer or 0 for buffer in buffers)


def test_twice_the_memory_is_twice_in_flight(load: Load) -> None:
    """The parts that the file does not give follow from the one number."""
    small, large = (config.shares(load(f"memory={size}")) for size in ("256MiB", "512MiB"))
    assert (2 * small.credit, 2 * small.buffers) == (large.credit, large.buffers) == (32 * 2**20, 16 * 2**20)


def test_without_a_number_the_parts_always_have_room(load: Load) -> None:
    """A file that gives no budget is never told that it is too small."""
    shares = config.shares(load("max_in_flight=1GB"))
    assert shares.total == shares.needed > 10**9


def test_parts_that_are_more_than_the_whole_are_a_mistake_with_its_remedy(load: Load) -> None:
    """The line names the sum, the parts, and the keys that could be lowered."""
    with pytest.raises(ConfigError) as caught:
        load("memory=128MiB", "max_in_flight=100MB", "sources.one.buffer=30MB")
    line = str(caught.value)
    assert line.startswith("--set: memory: must be at least ")
    assert "in flight 100MB" in line
    assert line.endswith(
        "raise it, or lower max_in_flight or sources.one.buffer or sources.one.max_packet or sources.two.max_packet"
    )
