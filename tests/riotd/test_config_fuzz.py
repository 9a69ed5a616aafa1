"""Whatever a file says, it is a Config or a list of mistakes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riotd import config
from riotd.errors import ConfigError

FOLDER = Path(__file__).resolve().parents[2] / "config"
REFERENCE = yaml.safe_load((FOLDER / "reference.yaml").read_text(encoding="utf-8"))
FILE_SOURCE = {"type": "file", "path": "/nowhere/*.jsonl", "follow": False}
SOURCES = {
    "feed": {"type": "mqtt", "url": "mqtt://localhost", "topics": ["a/+"], "key": {"topic_level": 1}},
    "models": {"type": "mqtt", "url": "mqtt://localhost", "topics": ["b"], "key": "every"},
    "old": {"type": "file", "path": "/*", "follow": True},
}
SEVERAL = {
    **{key: value for key, value in REFERENCE.items() if key != "source"},
    "sources": SOURCES,
    "stages": [{"id": "a", "task": "noop", "after": ["feed"], "key": ["source", {"field": "x"}]}, {"task": "average"}],
    "sinks": {"out": {"type": "mqtt", "topic": "a"}},
}

words = st.sampled_from([
    "mqtt",
    "file",
    "timer",
    "log",
    "every",
    "feed",
    "a/late",
    "ray",
    "parse",
    "mean",
    "noop",
    "a:b",
    "{source}",
    "5ms",
    "90kB",
    "+/#",
    "",
])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.integers(), inner, max_size=3),
    max_leaves=5,
)


def _paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in nested data, the empty one left out."""
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for step, inner in steps for found in [(*path, step), *_paths(inner, (*path, step))]]


def _changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a path; unchanged where an earlier change has cut the path off."""
    if not path:
        return value
    if isinstance(data, dict) and path[0] in data:
        return {**data, path[0]: _changed(data[path[0]], path[1:], value)}
    if isinstance(data, list) and isinstance(path[0], int) and path[0] < len(data):
        return [*data[: path[0]], _changed(data[path[0]], path[1:], value), *data[path[0] + 1 :]]
    return data


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to write again and again."""
    return tmp_path_factory.mktemp("fuzz") / "fuzz.yaml"


def _load(file: Path) -> None:
    """Load, and make of it all that can be made; nothing but ConfigError may come of it, each line with its place."""
    loaded, mistakes = _tried(file)
    assert (loaded is None) == bool(mistakes)
    assert all(line.startswith((f"{file}: ", "--set")) for line in mistakes)
    if loaded is not None:
        config.plan(loaded)
        config.warnings(loaded)
        config.settings_text(loaded)
        assert config.difference(loaded, loaded) == ([], [])


def _tried(file: Path, *settings: str, overlays: Sequence[str] = ()) -> tuple[config.Config | None, list[str]]:
    try:
        return config.load(file, settings, overlays=overlays), []
    except ConfigError as error:
        return None, [str(mistake) for mistake in error.mistakes]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    base=st.sampled_from([REFERENCE, {**REFERENCE, "source": FILE_SOURCE}]),
    changes=st.lists(st.tuples(st.sampled_from(_paths(REFERENCE)), values), min_size=1, max_size=3),
)
def test_any_value_anywhere_is_taken_or_refused_in_words(file: Path, base: Any, changes: list[tuple[Any, Any]]) -> None:
    """No value at any key makes `load`, the checks or the translation of mistakes fail."""
    for path, value in changes:
        base = _changed(base, path, value)
    file.write_text(yaml.safe_dump(base, allow_unicode=True), encoding="utf-8")
    _load(file)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.sampled_from(_paths(SEVERAL)), values), min_size=1, max_size=3))
def test_any_value_in_a_file_of_several_sources_is_taken_or_refused(file: Path, changes: list[tuple[Any, Any]]) -> None:
    """Neither names, keys nor what takes from them make anything fail but in words."""
    data: Any = SEVERAL
    for path, value in changes:
        data = _changed(data, path, value)
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    _load(file)


parts = st.fixed_dictionaries(
    {},
    optional={
        "stages": st.dictionaries(st.sampled_from(["a", "average", "b"]), st.none() | values)
        | st.lists(values | st.fixed_dictionaries({"id": st.sampled_from(["a", "average", "b"])})),
        "sources": st.dictionaries(st.sampled_from(["feed", "b"]), values),
        "key": values,
        "batch": values,
    },
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(overlays=st.lists(parts | values, min_size=1, max_size=2))
def test_anything_laid_over_a_file_is_taken_or_refused_in_words(file: Path, overlays: list[Any]) -> None:
    """No overlay makes anything fail otherwise than by mistakes with their files; what loads can be planned."""
    file.write_text(yaml.safe_dump(SEVERAL), encoding="utf-8")
    names = [str(file.with_name(f"over{index}.yaml")) for index in range(len(overlays))]
    for name, data in zip(names, overlays, strict=True):
        Path(name).write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    loaded, mistakes = _tried(file, overlays=names)
    assert (loaded is None) == bool(mistakes)
    assert all(line.startswith((str(file), *names)) for line in mistakes)
    if loaded is not None:
        config.plan(loaded)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60) | st.text(alphabet="-: \n\t[]{},#&*!|>'\"%@`abc01?", max_size=40))
def test_any_text_is_taken_or_refused_in_words(file: Path, text: str) -> None:
    """No text, YAML or not, makes `load` fail otherwise than by ConfigError."""
    file.write_bytes(text.encode(errors="surrogatepass"))
    _load(file)


@settings(max_examples=200, deadline=None)
@given(setting=st.text(max_size=20) | st.from_regex(r"[a-z.\[\]0-9]{1,20}=[\[\]{}a-z0-9:&*!' ]{0,6}", fullmatch=True))
def test_any_setting_is_taken_or_refused_in_words(setting: str) -> None:
    """No text after --set fails otherwise than by ConfigError."""
    loaded, mistakes = _tried(FOLDER / "minimal.yaml", setting)
    assert (loaded is None) == bool(mistakes)


@pytest.mark.parametrize("text", ["[" * 5000, "name: " + "{a: " * 5000, "a: &a [*a]", "&a {a: *a}", "- " * 5000])
def test_bottomless_nesting_is_refused_in_words(file: Path, text: str) -> None:
    """Neither depth nor a block inside itself ends in a RecursionError."""
    file.write_text(text, encoding="utf-8")
    assert _tried(file) == (None, [f"{file}: is not YAML: it is nested too deep, or a block contains itself"])
