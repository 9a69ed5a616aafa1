"""`riotd convert`, as a user sees it."""

import json
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from statistics import median

import msgspec
import pytest
from click.testing import CliRunner, Result

from riot_tasks import models
from riotd import config
from riotd.cli.verbs import riotd
from riotd.messages import Outcome, Portion
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
        ("K=1", (), "mine.properties: has none of RIoTBench's keys: is it one of its property files?"),
        (
            "MATH.PI_VIETE.ITERS=1",
            ("--flow", "train"),
            "mine.properties: RIoTBench has no dataflow train for devices called by nothing",
        ),
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
class TestOnTheSampleData:
    """What was converted, run over real messages."""

    @pytest.mark.parametrize(
        ("name", "added"), [("CITY", {"location", "type"}), ("TAXI", {"taxi_company", "taxi_city"})]
    )
    def test_etl(self, name: str, added: set[str]) -> None:
        """Each message becomes one record with all columns and annotations; all are in the table."""
        packs = _packs(name)
        keys = [_text(pack, {"CITY": "source", "TAXI": "taxi_identifier"}[name]) for pack in packs]
        outcome = _run("etl", name, packs, keys)
        assert [result.id for result in outcome.results] == list(range(len(packs)))
        for result, key in zip(outcome.results, keys, strict=True):
            assert result.source == key
            assert added <= {entry["n"].rpartition(":")[2] for entry in json.loads(result.payload)}
        with closing(sqlite3.connect(f"{name.lower()}.db")) as table:
            (rows,) = table.execute(f"SELECT count(*) FROM {_tables(table)[0]}").fetchone()
        assert rows == len(packs)

    def test_stats(self) -> None:
        """A body sensor's averages and forecasts are drawn and stored, and its charts are in the archives."""
        for needed in ("matplotlib", "obstore"):
            pytest.importorskip(needed)
        packs = _packs("FIT")
        outcome = _run("stats", "FIT", packs, ["subject8"] * len(packs))
        said = [json.loads(result.payload)["values"] for result in outcome.results]
        assert said
        for each in said:
            with zipfile.ZipFile(Path("blobs") / each["blob"]) as archive:
                assert len(archive.namelist()) == each["count"]
                assert archive.read(archive.namelist()[0]).startswith(b"<?xml")

    def test_train(self) -> None:
        """Taxi rides make a linear model and a tree for each window, of all taxis, each a blob that can be read."""
        for needed in ("sklearn", "obstore"):
            pytest.importorskip(needed)
        packs = _packs("TAXI")
        outcome = _run("train", "TAXI", packs, [""] * len(packs))
        kinds = [json.loads(result.payload)["values"]["blob"] for result in outcome.results]
        assert sum("-MLR-" in kind for kind in kinds) >= len(packs) // 300
        assert sum("-DTC-" in kind for kind in kinds) >= len(packs) // 300
        for kind in kinds:
            model = models.load(str(Path("mycontainer") / kind))
            assert model.target == ("fare_amount" if "-MLR-" in kind else "label")

    def test_pred(self) -> None:
        """With models of the names that the file has, rides get a class, and errors once their taxi has an average."""
        for name, target, rest in (
            ("DecisionTreeClassify-TAXI-withVeryGood", "label", {"kind": "decision_tree", **TREE}),
            ("LR-TAXI-Numeric", "fare_amount", {"kind": "linear_regression", **LINE}),
        ):
            head = {"format": 1, "version": name, "features": ["trip_distance"], "target": target}
            Path("data", f"{name}.json").write_text(json.dumps(head | rest), encoding="utf-8")
        packs = _packs("TAXI")
        outcome = _run("pred", "TAXI", packs, ["cab"] * len(packs), "--files", "data")
        classes = [result.payload for result in outcome.results if result.stage == "classify"]
        errors = [json.loads(result.payload)["values"] for result in outcome.results if result.stage == "error"]
        assert len(classes) == len(packs)
        assert len(errors) == len(packs) - 9  # the first average is that of ten
        assert median(abs(each["error"]) for each in errors) < 0.5  # of the usual fare


TREE = {
    "classes": ["A", "B"],
    "tree": {"attr": "trip_distance", "split_le": 2.0, "le": {"leaf": "A"}, "gt": {"leaf": "B"}},
}
LINE = {"coefficients": {"trip_distance": 2.4}, "intercept": 4.0}


def _packs(name: str) -> list[bytes]:
    sample = SAMPLES / f"{'SYS' if name == 'CITY' else name}_sample_data_senml.csv"
    return [line.partition(",")[2].encode() for line in sample.read_text(encoding="utf-8").splitlines()[:700]]


def _text(pack: bytes, field: str) -> str:
    found: str = next(entry["sv"] for entry in json.loads(pack)["e"] if entry["n"] == field)
    return found


def _tables(database: sqlite3.Connection) -> list[str]:
    found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [f'"{name}"' for (name,) in found]


def _run(flow: str, name: str, packs: list[bytes], keys: list[str], *arguments: str) -> Outcome:
    """Convert, load, run all messages at once and the end of the stream; nothing may be refused."""
    file = str(FOLDER / f"tasks_{name}.properties")
    done = _riotd("convert", file, "--flow", flow, "--files", str(SAMPLES), "-o", "made.yaml", *arguments)
    assert done.exit_code == 0, done.stderr
    shard = Shard(config.plan(config.load("made.yaml")))
    outcome = shard.run(Portion(1, 1.0, list(range(len(packs))), keys, packs))
    rest = shard.run(Portion(2, 2.0, [], [], []))
    assert [*outcome.rejects, *rest.rejects] == []
    return msgspec.structs.replace(outcome, results=[*outcome.results, *rest.results])
