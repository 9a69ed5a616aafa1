"""config/reference.yaml names every key, and says the truth about defaults."""

import re
from pathlib import Path

import pytest
import yaml

from riotd import config

REFERENCE = Path(__file__).resolve().parents[2] / "config" / "reference.yaml"
TEXT = REFERENCE.read_text(encoding="utf-8")


def _load(text: str, tmp_path: Path) -> config.Config:
    path = tmp_path / "reference.yaml"
    path.write_text(text, encoding="utf-8")
    return config.load(path)


def _file_source() -> str:
    """The commented block of the file source, as YAML."""
    found = re.search(r"^# source:\n(?:#   .*\n)+", TEXT, re.MULTILINE)
    return re.sub(r"^# ", "", found[0], flags=re.MULTILINE)


def _timer_sources() -> list[str]:
    """The commented blocks of timer sources, as YAML."""
    found = re.findall(r"^# source:\n#   type: timer.*\n(?:#   .*\n)+", TEXT, re.MULTILINE)
    return [re.sub(r"^# ", "", block, flags=re.MULTILINE) for block in found]


def _sources() -> str:
    """The commented block of several sources, as YAML."""
    found = re.search(r"^# sources:.*\n(?:#   .*\n)+", TEXT, re.MULTILINE)
    return re.sub(r"^# ", "", found[0], flags=re.MULTILINE)


def _rejects() -> list[str]:
    """The commented alternatives for rejects, as YAML."""
    return re.findall(r"^# (rejects: .*)$", TEXT, re.MULTILINE)


def _inline(key: str) -> set[str]:
    """Keys of the mappings in the comment of a key."""
    comment = re.search(rf"^ *{key}: null +#.*\n(?: +#.*\n)*", TEXT, re.MULTILINE)
    return set(re.findall(r"[{,] ?(\w+): ", comment[0]))


def test_every_key_of_every_block_is_in_the_reference() -> None:
    """A key that is added to the types must be explained in its block."""
    data = yaml.safe_load(TEXT)
    sources = yaml.safe_load(_sources())["sources"]
    file_rejects, mqtt_rejects = (set(yaml.safe_load(text)["rejects"]) for text in _rejects())
    shown = {
        config.Config: {*data, "sources"},
        config.MqttSource: set(data["source"]),
        config.Connection: set(data["source"]),
        config.FileSource: set(yaml.safe_load(_file_source())["source"]),
        config.Secret: _inline("password"),
        config.Tls: _inline("tls"),
        config.MqttEntry: {*data["source"], *sources["feed"]},
        config.TimerSource: {key for block in _timer_sources() for key in yaml.safe_load(block)["source"]},
        config.TimerEntry: {*(key for block in _timer_sources() for key in yaml.safe_load(block)["source"]), "key"},
        config.FileEntry: {*yaml.safe_load(_file_source())["source"], *sources["more"]},
        config.Key: set(data["key"]),
        config.SourceKey: {*data["key"], sources["more"]["key"]},
        config.BatchLimits: set(data["batch"]),
        config.StageBlock: set(data["stages"][0]),
        config.EngineBlock: set(data["engine"]),
        config.MqttSink: set(data["sinks"]["results"]),
        config.FileSink: set(data["sinks"]["archive"]),
        config.LogRejects: set(data["rejects"]),
        config.FileRejects: file_rejects,
        config.MqttRejects: mqtt_rejects,
        config.StatsBlock: set(data["stats"]),
        config.ControlBlock: set(data["control"]),
        config.StateBlock: set(data["state"]),
    }
    for block, keys in shown.items():
        assert {field.alias or name for name, field in block.model_fields.items()} <= keys, block
    assert {block.__name__ for block in shown} == {"Config", *config.schema()["$defs"]}


def test_every_key_of_the_schema_is_described() -> None:
    """`riotd check --schema` has a description for each key, for editors to show."""
    schema = config.schema()
    for name, block in {"Config": schema, **schema["$defs"]}.items():
        assert [f"{name}.{key}" for key, found in block["properties"].items() if "description" not in found] == []


def test_what_the_reference_calls_a_default_is_one(tmp_path: Path) -> None:
    """Without the lines marked as default the config is the same."""
    kept = [line for line in TEXT.splitlines() if not re.search(r"^ *\w+: .*# default( |;|$)|^ *\w+: null +#", line)]
    assert len(TEXT.splitlines()) - len(kept) > 30
    assert config.difference(_load(TEXT, tmp_path), _load("\n".join(kept), tmp_path)) == ([], [])


def test_the_file_source_in_comments_is_right_too(tmp_path: Path) -> None:
    """It loads in place of the other, and what it calls a default is one."""
    (tmp_path / "in.jsonl").touch()
    source = _file_source().replace("/var/spool/sensors/*.jsonl", str(tmp_path / "in.jsonl"))
    text = re.sub(r"^source:\n(?:  .*\n)+", source, TEXT, flags=re.MULTILINE)
    text = text.replace("connection: null             # default: the source's; or", "connection: {url: 'mqtt://x'} #")
    bare = re.sub(r"^  \w+: \S+ +# default.*\n", "", source, flags=re.MULTILINE)
    assert bare.count("\n") == 3
    loaded, shorter = _load(text, tmp_path), _load(text.replace(source, bare), tmp_path)
    assert loaded.source.type == "file"
    assert config.difference(loaded, shorter) == ([], [])


@pytest.mark.parametrize("source", _timer_sources())
def test_the_timers_in_comments_are_right_too(tmp_path: Path, source: str) -> None:
    """Each loads in place of the other, and what it calls a default is one."""
    (tmp_path / "timer.csv").write_text("1,1443033000,1422748800000,1422749800000\n", encoding="utf-8")
    source = source.replace("timer.csv", str(tmp_path / "timer.csv"))
    bare = re.sub(r"^  \w+: \S+ +# default.*\n", "", source, flags=re.MULTILINE)
    text = re.sub(r"^source:\n(?:  .*\n)+", "SOURCE", TEXT, flags=re.MULTILINE)
    text = text.replace("connection: null             # default: the source's; or", "connection: {url: 'mqtt://x'} #")
    loaded, shorter = (_load(text.replace("SOURCE", block), tmp_path) for block in (source, bare))
    assert bare.count("\n") < source.count("\n")
    assert config.difference(loaded, shorter) == ([], [])


def test_the_sources_in_comments_are_right_too(tmp_path: Path) -> None:
    """They load in place of the one, and each of them has its key."""
    sources = _sources().replace("/var/spool", str(tmp_path))
    loaded = _load(re.sub(r"^source:\n(?:  .*\n)+", sources, TEXT, flags=re.MULTILINE), tmp_path)
    assert [(inlet.name, inlet.key.topic_level, inlet.every) for inlet in loaded.inlets] == [
        ("feed", 1, False),
        ("more", None, True),
        ("clock", None, False),
    ]


@pytest.mark.parametrize("rejects", _rejects())
def test_the_rejects_in_comments_are_right_too(tmp_path: Path, rejects: str) -> None:
    """Each loads in place of the other."""
    text = re.sub(r"^rejects:.*\n  type: log.*$", rejects, TEXT, flags=re.MULTILINE)
    assert f"type: {_load(text, tmp_path).rejects.type}" in rejects
