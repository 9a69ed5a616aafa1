"""What `load` says about a file that can't be run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from riotd import config
from riotd.errors import ConfigError

Mistakes = Callable[..., list[str]]

GOOD = """\
name: city
source: {type: mqtt, url: "mqtt://localhost:1883", topics: [sensors/+/senml]}
key: {topic_level: 1}
stages:
  - {id: parse, task: senml_parse}
  - {id: mean, task: average, params: {fields: [temperature], window: 10}}
sinks:
  results: {type: mqtt, topic: "results/{source}/{stage}"}
"""

FROM_FILE = "name: x\nsource: {{type: file, {}}}\nstages: [{{task: noop}}]\nsinks: {{a: {{type: file, path: a.jsonl}}}}"


@pytest.fixture
def mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mistakes:
    """Gives the lines of a file's ConfigError, `etl.yaml` being the file; it must have at least one."""
    monkeypatch.chdir(tmp_path)

    def said(text: str, *overrides: str) -> list[str]:
        Path("etl.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            config.load("etl.yaml", overrides)
        return str(caught.value).splitlines()

    return said


def test_seven_mistakes_are_seven_lines(mistakes: Mistakes) -> None:
    """Unknown keys, sizes, tasks, parameters, the graph and topics: a file with seven mistakes has seven lines."""
    text = """\
name: city
source: {type: mqtt, url: "mqtt://localhost:1883", topcs: [a/b], topics: [a/+/c], receive_maximum: 100}
stages:
  - {id: parse, task: senml_pars}
  - {id: range, task: range_filter, params: {rnages: {}, ranges: {temperature: [0, 1]}}}
  - {id: mean, task: average, after: [rang], params: {window: 0}}
sinks:
  results: {type: mqtt, topic: "results/{sourc}"}
"""
    size = "batch.max_records times engine.shards"
    window = "a batch that can't fill only ever times out: raise it"
    assert mistakes(text) == [
        "etl.yaml: source.topcs: there is no such key; did you mean 'topics'?",
        f"etl.yaml: source.receive_maximum: must be at least 350, {size} (is 100); {window}",
        "etl.yaml: stages[0].task: there is no task 'senml_pars'; did you mean 'senml_parse'?",
        "etl.yaml: stages[1].params.rnages: there is no such parameter; did you mean 'ranges'?",
        "etl.yaml: stages[2].params.window: must be a whole number from 1 to 2147483647 (is 0)",
        "etl.yaml: stages[2].after: there is no stage 'rang'; did you mean 'range'?",
        "etl.yaml: sinks.results.topic: unknown placeholder {sourc}; there is {source}, {stage}, {name}, {topic[0]}",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("topics: [sensors/+/senml]", "topics: []"), "source.topics: must have at least 1 entry"),
        (("topics: [sensors/+/senml]", "topics: [a/#/b]"), "source.topics[0]: + and # stand alone in a level"),
        (("mqtt://localhost:1883", "http://localhost"), "source.url: a broker's URL is mqtt://host:1883"),
        (("type: mqtt, url", "type: mqqt, url"), "source.type: must be 'mqtt', 'file' or 'timer' (is 'mqqt')"),
        (("type: mqtt, url", "url"), "source.type: must be given, 'mqtt', 'file' or 'timer'"),
        (("type: mqtt, url", "key: {field: x}, type: mqtt, url"), "source.key: there is no such key; it stands beside"),
        (("name: city", "name: a city"), "name: may only have letters, digits, '.', '_' and '-' (is 'a city')"),
        (("name: city\n", ""), "name: must be given; the daemon's, in topics, client ids and logs"),
        (("name: city", "grace: soon\nname: city"), "grace: 'soon' is not a duration; write it like 5ms"),
        (("name: city", "grace: -1\nname: city"), "grace: must be at least 0 (is -1)"),
        (("name: city", "max_in_flight: 1kB\nname: city"), "max_in_flight: must be at least 90kB"),
        (("name: city", "engine: {shards: 500}\nname: city"), "engine.shards: must be at most 128 (is 500)"),
        (("name: city", "engine: {shards: two}\nname: city"), "engine.shards: must be a whole number (is 'two')"),
        (("name: city", "batch: 5\nname: city"), "batch: must be a mapping (is 5)"),
        (("name: city", "stats: {topic: 'a/#'}\nname: city"), "stats.topic: '#' can't be in a topic one publishes to"),
        (
            ("key: {topic_level: 1}", "key: {topic_level: 3}"),
            "key.topic_level: must be below 3, for so many levels has",
        ),
        (("key: {topic_level: 1}", "key: {topic_regex: '('}"), "key.topic_regex: is no regular expression: missing )"),
        (("topic_level: 1", "topic_level: 1, field: x"), "key: give at most one of topic_level, topic_regex, field"),
        (("id: mean, task", "id: parse, task"), "stages[1].id: 'parse' is also the id of stages[0]; rename one"),
        (("task: average", "after: [mean], task: average"), "stages: mean → mean is a cycle"),
        (("window: 10", "window: ten"), "stages[1].params.window: must be a whole number"),
        (("window: 10", "widow: 10"), "stages[1].params.widow: there is no such parameter; did you mean 'window'?"),
        (("task: senml_parse", "task: nowhere:Task"), "stages[0].task: task 'nowhere:Task' can't be loaded"),
        (
            ("{type: mqtt, topic: ", "{type: mqtt, from: [men], topic: "),
            "sinks.results.from[0]: there is no stage 'men'",
        ),
        (
            ("mqtt, url", "mqtt, password: {fil: x}, url"),
            "source.password.fil: there is no such key; did you mean 'file'?",
        ),
        (("sinks:\n", "sinks: {}\nx:\n"), "sinks: must have at least 1 entry"),
    ],
)
def test_a_mistake_is_named_with_path_value_and_remedy(mistakes: Mistakes, change: tuple[str, str], said: str) -> None:
    """Each kind of mistake has a line that begins with its path and says what is wrong in the file's own words."""
    assert change[0] in GOOD
    lines = mistakes(GOOD.replace(*change))
    assert [line for line in lines if line.startswith(f"etl.yaml: {said}")], lines


@pytest.mark.parametrize("password", ["hunter2", "{file: hunter2, env: hunter2}", "[hunter2]", "5", "{}"])
def test_a_secret_that_is_not_by_reference_is_refused_and_not_repeated(mistakes: Mistakes, password: str) -> None:
    """Whatever stands at `password:`, no line shows it."""
    lines = mistakes(GOOD.replace("type: mqtt, url", f"type: mqtt, password: {password}, url"))
    assert "must be given by reference; write {file: path}, {env: NAME} or {credential: name}" in "".join(lines)
    assert "hunter2" not in "".join(lines)


def test_a_url_with_a_password_is_not_repeated(mistakes: Mistakes) -> None:
    """Credentials in the URL are refused without showing them."""
    (line,) = mistakes(GOOD.replace("mqtt://localhost", "mqtt://me:hunter2@localhost"))
    assert line == "etl.yaml: source.url: no credentials in the URL; use username: and password: {file: …}"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("{env: NO_SUCH_VARIABLE}", "the environment has no NO_SUCH_VARIABLE"),
        ("{file: nowhere/secret}", "nowhere/secret can't be read: No such file"),
        ("{credential: mqtt}", "no $CREDENTIALS_DIRECTORY; put LoadCredential=mqtt:<path> into the unit"),
    ],
)
def test_a_secret_that_is_not_there_is_a_mistake(
    mistakes: Mistakes, monkeypatch: pytest.MonkeyPatch, reference: str, said: str
) -> None:
    """A reference that leads nowhere is found when the file is loaded, not when the broker asks."""
    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    (line,) = mistakes(GOOD.replace("type: mqtt, url", f"type: mqtt, password: {reference}, url"))
    assert line.startswith(f"etl.yaml: source.password: {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "etl.yaml: is empty"),
        ("- a\n- b\n", "etl.yaml: must be a mapping (is a list)"),
        ("name: city\nname: town\n" + GOOD[11:], "etl.yaml: line 2, column 1: 'name' is there twice; keep one"),
        ("name: [city\n", "etl.yaml: line 2, column 1: is not YAML: while parsing a flow sequence"),
        ("name:\n\t- a\n", "etl.yaml: line 2, column 1: is not YAML: while scanning for the next token"),
        ("name: a: b\n", "etl.yaml: line 1, column 8: is not YAML: mapping values are not allowed here; put"),
        ("a: 1\n---\nb: 2\n", "etl.yaml: line 2, column 1: is not YAML: expected a single document"),
        ("a: !!python/object:os.system {}\n", "etl.yaml: line 1, column 4: is not YAML: could not determine"),
        (f"a: {'1' * 5000}\n", "etl.yaml: line 1, column 4: is not YAML: a number of too many digits"),
        ("a: \0\n", "etl.yaml: is not YAML: "),
    ],
)
def test_a_file_that_is_no_yaml_mapping_says_where(mistakes: Mistakes, text: str, said: str) -> None:
    """Mistakes of syntax come with line and column."""
    lines = mistakes(text)
    assert lines[0].startswith(said), lines


def test_a_file_that_is_not_there_or_not_utf8_is_a_mistake(tmp_path: Path) -> None:
    """What can't be read is a ConfigError like any other."""
    with pytest.raises(ConfigError, match=r"nothing\.yaml: cannot be read: No such file or directory"):
        config.load(tmp_path / "nothing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin\.yaml: byte 9 is not UTF-8"):
        config.load(tmp_path / "latin.yaml")


def test_what_a_file_source_lacks_is_named(mistakes: Mistakes) -> None:
    """A file source has no broker to publish to; missing inputs and folders are found before the start."""
    text = """\
name: x
source: {type: file, path: "in/*.jsonl"}
stages: [{task: noop}]
sinks:
  a: {type: mqtt, topic: a}
  b: {type: file, path: out/b.jsonl}
  c: {type: file, path: .}
rejects: {type: mqtt}
"""
    remedy = "give it connection: {url: …}, for the source is a file and has none"
    assert mistakes(text) == [
        "etl.yaml: source.path: there is no in/*.jsonl; follow: true waits for it",
        f"etl.yaml: sinks.a.connection: must be given; {remedy}",
        "etl.yaml: sinks.b.path: there is no folder out; make it first",
        "etl.yaml: sinks.c.path: . is a folder; give the path of a file in it",
        f"etl.yaml: rejects.connection: must be given; {remedy}",
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("path: nowhere/*/a.jsonl, follow: true", "source.path: there is no folder nowhere; make it first"),
        ("path: nowhere/a.jsonl", "source.path: there is no nowhere/a.jsonl; follow: true waits for it"),
        ("path: ''", "source.path: must be given; a file or a glob"),
    ],
)
def test_a_file_source_must_have_what_it_reads(mistakes: Mistakes, source: str, said: str) -> None:
    """A followed file may appear later, but its folder, up to the first wildcard, must be there."""
    assert mistakes(FROM_FILE.format(source)) == [f"etl.yaml: {said}"]


def test_certificates_must_be_there(mistakes: Mistakes) -> None:
    """For TLS towards any broker of the file; a certificate without its key is refused, too."""
    tls = "connection: {url: 'mqtts://b', tls: {ca: ca.pem}}, topic"
    assert mistakes(GOOD.replace("mqtt, topic", f"mqtt, {tls}")) == [
        "etl.yaml: sinks.results.connection.tls.ca: ca.pem is not there, or can't be read; give a PEM file"
    ]
    (line,) = mistakes(GOOD.replace("mqtt, url", "mqtt, tls: {cert: a.pem}, url"))
    assert line == "etl.yaml: source.tls: cert and key belong together"


def test_a_file_that_would_read_its_own_results_is_refused(mistakes: Mistakes) -> None:
    """A sink's file can't be the source's."""
    Path("a.jsonl").touch()
    said = "etl.yaml: sinks.a.path: a.jsonl is also what is read; write somewhere else"
    assert mistakes(FROM_FILE.format("path: a.jsonl")) == [said]


def test_a_wrong_block_does_not_hide_mistakes_across_others(mistakes: Mistakes) -> None:
    """With a source that can't be used, tasks, parameters and topics are still checked."""
    text = GOOD.replace("topics: [sensors/+/senml]", "qos: 7").replace("window: 10", "window: -1")
    assert mistakes(text) == [
        "etl.yaml: source.topics: must be given; topic filters; shared subscriptions as $share/<group>/<filter>",
        "etl.yaml: source.qos: must be 0, 1 or 2 (is 7)",
        "etl.yaml: stages[1].params.window: must be a whole number from 1 to 2147483647 (is -1)",
    ]


def test_a_mistake_in_an_override_is_ascribed_to_it(mistakes: Mistakes) -> None:
    """What came by --set is not blamed on the file."""
    assert mistakes(GOOD, "stages.mean.params.window=0", "engine.shards=0") == [
        "--set: stages[1].params.window: must be a whole number from 1 to 2147483647 (is 0)",
        "--set: engine.shards: must be at least 1 (is 0)",
    ]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("shards", "--set shards: is not of the form dotted.key=value"),
        ("=5", "--set : is not of the form dotted.key=value"),
        ("stages.9.id=x", "--set stages.9.id: there is no stages[9]; it has 2, counted from 0"),
        ("stages.men.id=x", "--set stages.men.id: there is no 'men' in stages; there are parse, mean"),
        ("name.first=x", "--set name.first: name is no mapping, so there is no 'first' in it"),
        ("source.password=[hunter2", "--set source.password: while parsing a flow sequence"),
    ],
)
def test_an_override_that_leads_nowhere_is_a_mistake(mistakes: Mistakes, setting: str, said: str) -> None:
    """The key is named, the value, which may be a secret, is not."""
    lines = mistakes(GOOD, setting)
    assert lines[0].startswith(said)
    assert "hunter2" not in lines[0]
