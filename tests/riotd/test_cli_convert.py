"""`riotd convert`, as a user sees it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from riotd import config
from riotd.cli.verbs import riotd
from riotd.messages import Portion
from riotd.shard import Shard

FOLDER = Path(__file__).resolve().parents[1] / "data/riotbench"
CITY = str(FOLDER / "tasks_CITY.properties")
SAMPLES = Path(__file__).resolve().parents[2] / "../shared/riotbench-data"


def _riotd(*arguments: str) -> Result:
    return CliRunner().invoke(riotd, arguments, prog_name="riotd")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the annotations of two sensors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/city-metadata.txt").write_text("dev1:hall,indoor\ndev2:roof,outdoor\n", encoding="utf-8")
    return tmp_path


def test_the_configuration_is_on_stdout_and_the_rest_on_stderr() -> None:
    """What is printed is YAML that `riotd check` takes; keys without a place and what is left out are told beside."""
    done = _riotd("convert", CITY, "--flow", "etl", "--files", "data")
    assert done.exit_code == 0
    Path("city.yaml").write_text(done.stdout, encoding="utf-8")
    assert [stage.id for stage in config.load("city.yaml").stages][:2] == ["parse", "range"]
    assert "tasks_CITY.properties: " in done.stderr.splitlines()[0]
    assert "   63  STATISTICS.MOMENT.COUNTER  RIoTBench never reads it\n" in done.stderr
    assert "  IO.MQTT_SUBSCRIBE.APOLLO_URL  → source.url\n" in done.stderr
    assert "left out: stage senml, csv_to_senml: sys-schema-with-annotationfields.txt is not here" in done.stderr


def test_files_are_found_by_their_names(folder: Path) -> None:
    """In the folders of --files, in the property file's own folder, or where it says itself."""
    beside = folder / "tasks_MINE.properties"
    text = Path(CITY).read_text(encoding="utf-8")
    beside.write_text(text.replace("/Users/author/resources/city-metadata.txt", "data/city-metadata.txt"))
    (folder / "sys-schema-with-annotationfields.txt").write_text("timestamp,source\n,\nsv,sv\n", encoding="utf-8")
    params = {
        stage["id"]: stage["params"]
        for stage in json.loads(_riotd("convert", str(beside), "--json").stdout)["config"]["stages"]
    }
    assert params["annotate"]["table"] == "data/city-metadata.txt"
    assert params["senml"]["schema"] == str(folder / "sys-schema-with-annotationfields.txt")
    assert "annotate" in _riotd("convert", CITY, "--files", "data", "--flow", "etl").stdout


def test_output_goes_to_a_file_and_over_none() -> None:
    """-o writes the file and says what is next; one that is there stays, unless --force is said."""
    done = _riotd("convert", CITY, "-o", "city.yaml", "--flow", "stats")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.endswith("city.yaml is written; next: riotd check city.yaml\n")
    again = _riotd("convert", CITY, "-o", "city.yaml", "--flow", "etl")
    assert (again.exit_code, again.stderr) == (1, "Error: city.yaml is there already; --force writes over it\n")
    assert config.load("city.yaml").name == "city-stats"
    assert _riotd("convert", CITY, "-o", "city.yaml", "--flow", "etl", "--force").exit_code == 0
    assert config.load("city.yaml").name == "city-etl"


def test_json_has_everything() -> None:
    """Configuration, stages left out with the reason, and each key with its fate; stderr stays empty."""
    done = _riotd("convert", CITY, "--flow", "etl", "--files", "data", "--json")
    report = json.loads(done.stdout)
    assert done.stderr == ""
    assert report["config"]["key"] == {"field": "source"}
    assert report["left_out"] == {
        "senml": "sys-schema-with-annotationfields.txt is not here: without it there are no units"
    }
    (found,) = (key for key in report["keys"] if key["key"] == "PARSE.ID_FIELD_SCHEMA")
    assert found == {"line": 48, "key": "PARSE.ID_FIELD_SCHEMA", "place": "key.field", "why": ""}


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        (r"K=\u12", (), r"mine.properties: Invalid \u escape sequence: \u12"),
        ("K=1", ("--flow", "train"), "mine.properties: RIoTBench has no dataflow train for devices called by nothing"),
    ],
)
def test_what_can_not_be_converted_is_refused(text: str, arguments: tuple[str, ...], said: str) -> None:
    """Exit 1, in a line."""
    Path("mine.properties").write_text(text, encoding="utf-8")
    done = _riotd("convert", "mine.properties", *arguments)
    assert (done.exit_code, done.stderr) == (1, f"Error: {said}\n")


@pytest.mark.parametrize(
    ("file", "name"), [("tasks_PUMPS 2.properties", "pumps-2"), ("tasks.properties", "riotbench"), ("x.y", "x")]
)
def test_a_feed_of_ones_own_is_named_after_the_file(file: str, name: str) -> None:
    """The daemon's name is the file's, made fit."""
    Path(file).write_text("PARSE.ID_FIELD_SCHEMA=pump\n", encoding="utf-8")
    assert json.loads(_riotd("convert", file, "--json").stdout)["config"]["name"] == name


def test_other_verbs_do_not_load_the_parser() -> None:
    """What reads property files is loaded by this verb only."""
    program = "import sys, riotd.cli.check, riotd.cli.tasks; print('javaproperties' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="RIoTBench's sample data are not here")
@pytest.mark.parametrize(
    ("data_set", "id_field", "added"),
    [("CITY", "source", {"location", "type"}), ("TAXI", "taxi_identifier", {"taxi_company", "taxi_city"})],
)
def test_the_converted_etl_runs_on_the_sample_data(data_set: str, id_field: str, added: set[str]) -> None:
    """Real messages, every one: each becomes one record with all columns and the annotations, none refused."""
    arguments = ("--flow", "etl", "--files", str(SAMPLES), "-o", "made.yaml")
    assert _riotd("convert", str(FOLDER / f"tasks_{data_set}.properties"), *arguments).exit_code == 0
    plan = config.plan(config.load("made.yaml"))
    sample = SAMPLES / f"{'SYS' if data_set == 'CITY' else data_set}_sample_data_senml.csv"
    packs = [line.partition(",")[2].encode() for line in sample.read_text(encoding="utf-8").splitlines()[:300]]
    keys = [next(e["sv"] for e in json.loads(pack)["e"] if e["n"] == id_field) for pack in packs]
    outcome = Shard(plan).run(Portion(1, 1.0, list(range(len(packs))), keys, packs))
    assert list(outcome.rejects) == []
    assert [result.id for result in outcome.results] == list(range(len(packs)))
    for result, key in zip(outcome.results, keys, strict=True):
        named = {entry["n"] for entry in json.loads(result.payload)}
        assert result.source == key
        assert added <= {name.rpartition(":")[2] for name in named}, named
