"""RIoTBench's property files as configurations: what becomes of each key, and that what comes out can be run."""

import json
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import pytest
import yaml

from riotd import config, convert
from riotd.convert import properties
from riotd.convert.datasets import CITY, FIT, GRID, TAXI, Dataset
from riotd.convert.page import page

FOLDER = Path(__file__).resolve().parents[1] / "data/riotbench"
FILES = {
    "tasks.properties": CITY,
    "tasks_CITY.properties": CITY,
    "tasks_TAXI.properties": TAXI,
    "tasks_FIT.properties": FIT,
    "tasks_GRID.properties": GRID,
}
SECRETS = ("not-a-secret", "AccountKey", "sample-connection-string", "someone@")

Here = Callable[[str], str | None]


def _nowhere(_path: str) -> None:
    return None


@pytest.fixture
def everywhere(tmp_path: Path) -> Callable[[Dataset], Here]:
    """Finds every file that is asked for, except Weka's models: it makes one, of the kind that its name promises."""

    def of(dataset: Dataset) -> Here:
        def here(path: str) -> str | None:
            place = tmp_path / PurePath(path).name
            place.write_text(_content(place.name, dataset), encoding="utf-8")
            return str(place)

        return here

    return of


def _content(name: str, dataset: Dataset) -> str:
    columns = ["timestamp", dataset.id, *dataset.meta, *dataset.observed, *dataset.annotations]
    if "schema" in name:
        return "\n".join(",".join(row) for row in (columns, [""] * len(columns), ["sv"] * len(columns)))
    head = {"format": 1, "version": "x", "features": list(dataset.features)}
    if name.startswith("DecisionTree"):
        tree = {"kind": "decision_tree", "target": "label", "classes": ["A"], "tree": {"leaf": "A"}}
        return json.dumps(head | tree)
    if name.startswith("LR"):
        return json.dumps(
            head | {"kind": "linear_regression", "target": dataset.target, "coefficients": {}, "intercept": 1}
        )
    if name.startswith("bloom"):
        return "dev1"
    return "dev1:" + ",".join("x" for _ in dataset.annotations)


def _file(name: str, here: Here = _nowhere, flow: str = convert.ALL) -> convert.Conversion:
    return convert.convert((FOLDER / name).read_bytes(), flow=flow, here=here)


def _text(*lines: str, flow: str = convert.ALL, here: Here = _nowhere) -> convert.Conversion:
    return convert.convert("\n".join(["PARSE.ID_FIELD_SCHEMA=source", *lines]).encode(), flow=flow, here=here)


def _params(made: convert.Conversion, stage: str) -> dict[str, Any]:
    (found,) = (draft for draft in made.drafts if draft.id == stage)
    return found.params


def _fates(made: convert.Conversion) -> dict[str, convert.Fate]:
    return {fate.key: fate for fate in made.fates}


def _loaded(text: str, folder: Path) -> config.Config:
    written = folder / "made.yaml"
    written.write_text(text, encoding="utf-8")
    return config.load(written)


@pytest.mark.parametrize(("name", "dataset"), FILES.items(), ids=FILES)
@pytest.mark.parametrize("flow", [*convert.FLOWS, convert.ALL])
@pytest.mark.parametrize("files", ["found", "missing"])
def test_every_file_becomes_a_configuration_that_can_be_run(  # noqa: PLR0917 - what is crossed, and two fixtures
    name: str, dataset: Dataset, flow: str, files: str, everywhere: Callable[[Dataset], Here], tmp_path: Path
) -> None:
    """Each file, for each dataflow, with the files it names and without, is right, in YAML and as plain data."""
    if dataset is GRID and flow in {"train", "pred"}:
        with pytest.raises(ValueError, match=f"RIoTBench has no dataflow {flow} for devices called by meterid"):
            _file(name, flow=flow)
        return
    made = _file(name, everywhere(dataset) if files == "found" else _nowhere, flow)
    loaded = _loaded(page(made, origin=name), tmp_path)
    plain = _loaded(yaml.safe_dump(made.config(), sort_keys=False), tmp_path)
    assert config.plan(loaded) == config.plan(plain)
    assert (loaded.source, loaded.key, loaded.sinks) == (plain.source, plain.key, plain.sinks)
    assert files == "missing" or [draft.lacks for draft in made.drafts if draft.lacks] == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("flow", ["etl", convert.ALL])
def test_every_key_has_one_fate(name: str, flow: str) -> None:
    """Each line of the file is told of once, in order: where it stands, or why it has no place."""
    made = _file(name, flow=flow)
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    begun = [
        number
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith(("#", " ")) and not (number > 1 and lines[number - 2].endswith("\\"))
    ]
    assert [fate.line for fate in made.fates] == begun
    for fate in made.fates:
        assert fate.place or fate.why
        assert lines[fate.line - 1].startswith(fate.key)
        assert "no key of RIoTBench's" not in fate.why


@pytest.mark.parametrize("name", FILES)
def test_a_place_is_where_the_key_stands(name: str, everywhere: Callable[[Dataset], Here]) -> None:
    """What is said to stand at stages.<id>.params.<parameter> does; elsewhere it names a block that is there."""
    made = _file(name, everywhere(FILES[name]))
    written = made.config()
    stages = {stage["id"]: stage["params"] for stage in written["stages"]}
    placed = [fate.place.split(".") for fate in made.fates if fate.place]
    assert len([steps for steps in placed if steps[0] == "stages"]) > 15
    for block, *steps in placed:
        if block == "stages":
            assert steps[2] in stages[steps[0]], steps
        else:
            assert block in written
            assert not steps or steps[0] in written[block]


@pytest.mark.parametrize("name", FILES)
def test_no_secret_leaves_the_file(name: str) -> None:
    """Passwords, connection strings and what a URL holds of them are in no output; comments say what to write."""
    made = _file(name)
    said = page(made, origin=name) + str(made.fates) + str(made.config())
    assert [secret for secret in SECRETS if secret in said] == []
    if name == "tasks.properties":
        assert "# username: admin\n    # password: {env: MQTT_OUT_PASSWORD}" in said.replace("\n      #", "\n    #")
        assert "  # password: {env: MQTT_PASSWORD}" in said


def test_the_ranges_of_fit_are_joined() -> None:
    """A list that goes on in the next line without a backslash is whole again, and the stray key is told of."""
    made = _file("tasks_FIT.properties")
    ranges = _params(made, "range")["ranges"]
    assert (len(ranges), ranges["ecg_lead_2"], ranges["acc_ankle_x"]) == (11, [-6.786, 6.6604], [-5.0006, 8.1472])
    stray = _fates(made)["acc_ankle_x"]
    assert (stray.line, stray.place) == (14, "stages.range.params.ranges")
    assert stray.why == "goes on with line 13, which lacks a backslash at its end: RIoTBench never read this line"


@pytest.mark.parametrize(("name", "fields"), [("tasks_GRID.properties", 1), ("tasks_FIT.properties", 11)])
def test_names_in_the_key_that_nobody_reads_are_taken(name: str, fields: int) -> None:
    """INTERPOLATION's names under USE_MSG_FIELD_LIST are its fields, where USE_MSG_FIELD names none."""
    made = _file(name)
    assert len(_params(made, "interpolate")["fields"]) == fields
    fates = _fates(made)
    assert fates["STATISTICS.INTERPOLATION.USE_MSG_FIELD_LIST"].why == "RIoTBench never reads this key"
    assert fates["STATISTICS.INTERPOLATION.USE_MSG_FIELD"].why.startswith("0 names no field")


def test_a_window_of_0_switches_interpolation_off() -> None:
    """TAXI's file has no such stage, and says why."""
    made = _file("tasks_TAXI.properties")
    assert "interpolate" not in [draft.id for draft in made.drafts]
    fate = _fates(made)["STATISTICS.INTERPOLATION.WINDOW_SIZE"]
    assert (fate.place, fate.why) == ("", "0 switches interpolation off: there is no stage")


def test_forecasts_are_of_the_readings() -> None:
    """SLR's -1 makes RIoTBench forecast random numbers; here it has no place."""
    made = _file("tasks_CITY.properties")
    fate = _fates(made)["PREDICT.SIMPLE_LINEAR_REGRESSION.USE_MSG_FIELD"]
    assert (fate.place, fate.why) == ("", "below 0 RIoTBench forecasts random numbers; riotd the readings")
    assert (_params(made, "forecast")["window"], _params(made, "forecast")["horizon"]) == (10, 10)


def test_the_settings_of_city() -> None:
    """Every number of CITY's file is where it belongs."""
    made = _file("tasks_CITY.properties")
    assert _params(made, "range") == {
        "ranges": {
            "temperature": [-12.5, 43.1],
            "humidity": [10.7, 95.2],
            "light": [1345, 26282],
            "dust": [186.61, 5188.21],
            "airquality_raw": [17, 363],
        },
        "on_outlier": "null",
    }
    assert _params(made, "average") == {"fields": list(CITY.observed), "window": 5}
    assert _params(made, "kalman") == {
        "fields": list(CITY.observed),
        "process_noise": 0.125,
        "sensor_noise": 0.32,
        "estimated_error": 30.0,
    }
    assert _params(made, "distinct") == {"trigger": "temperature", "buckets": 10}
    assert _params(made, "join")["fields"] == ["source", "longitude", "latitude", *CITY.observed]


def test_bloom_lets_in_the_annotated_ids_where_its_model_is_missing() -> None:
    """The models of the originals are lost; the ids of the annotations are those of the sample data."""
    made = _file("tasks_CITY.properties", lambda path: "here.txt" if "metadata" in path else None)
    assert _params(made, "bloom") == {
        "allow": "here.txt",
        "separator": ":",
        "field": "source",
        "false_positive": 0.01,
        "on_miss": "null",
    }
    fate = _fates(made)["FILTER.MULTI_BLOOM_FILTER.MODEL_PATH_LIST"]
    assert fate.why == "a path of the authors' machine, and no bloomfilter_sensor_id is here"


def test_a_stage_without_its_file_is_a_comment_and_the_others_close_up() -> None:
    """What stood behind it takes from what stood before it; its keys have no place."""
    made = _file("tasks_CITY.properties", flow="etl")
    assert [draft.id for draft in made.drafts if draft.lacks] == ["bloom", "annotate", "senml"]
    assert [(stage["id"], stage["after"]) for stage in made.config()["stages"]][:4] == [
        ("parse", []),
        ("range", ["parse"]),
        ("interpolate", ["range"]),
        ("join", ["interpolate"]),
    ]
    text = page(made, origin="x")
    assert "  # - id: annotate  # ANN\n  #   # left out: city-metadata.txt is not here\n  #   task: annotate\n" in text
    fate = _fates(made)["ANNOTATE.ANNOTATE_MSG_USE_FIELD"]
    assert (fate.place, fate.why) == ("", "of the stage annotate, left out: city-metadata.txt is not here")


def test_each_parameter_says_its_key() -> None:
    """In the YAML the key of RIoTBench stands behind the parameter; at the end those without a place."""
    text = page(_file("tasks_CITY.properties"), origin="tasks_CITY.properties")
    assert "      window: 5  # AGGREGATE.BLOCK_COUNT.WINDOW_SIZE\n" in text
    assert "      ranges:  # FILTER.RANGE_FILTER.VALID_RANGE\n        temperature: [-12.5, 43.1]\n" in text
    assert "key: {field: source}  # PARSE.ID_FIELD_SCHEMA\n" in text
    assert "\n#   STATISTICS.MOMENT.COUNTER: RIoTBench never reads it\n" in text


def test_each_dataflow_has_topics_of_its_own() -> None:
    """Results can't come in again, though CITY's file publishes to the topic that it subscribes to."""
    made = _file("tasks_CITY.properties")
    assert made.ends.source["topics"] == ["citydata"]
    topics = {name: sink["topic"] for name, sink in made.ends.sinks.items()}
    assert topics == {name: f"citydata/{name}/{{source}}" for name in ("etl", "stats", "train")}
    assert all("connection" not in sink for sink in made.ends.sinks.values())


def test_another_broker_for_results_is_their_connection() -> None:
    """Where the two URLs differ, sinks have a connection; schemes are MQTT's, credentials are gone."""
    made = _file("tasks.properties", flow="etl")
    assert made.ends.source["url"] == "mqtt://localhost:1883"
    assert made.ends.sinks["etl"]["connection"] == {"url": "mqtt://broker.example:1883"}


def test_models_are_learnt_from_all_devices() -> None:
    """TRAIN alone has one key for all messages, as RIoTBench has it; together with others, a key for each device."""
    assert "key" not in _file("tasks_TAXI.properties", flow="train").config()
    assert _file("tasks_TAXI.properties").config()["key"] == {"field": "taxi_identifier"}


def test_a_key_of_another_dataflow_says_which() -> None:
    """With --flow etl, a key of STATS says where it would have a place."""
    fates = _fates(_file("tasks_CITY.properties", flow="etl"))
    assert fates["AGGREGATE.BLOCK_COUNT.WINDOW_SIZE"].why == "of another dataflow: --flow stats or pred"
    assert fates["STATISTICS.MOMENT.COUNTER"].why == "RIoTBench never reads it"


def test_an_unknown_key_has_a_suggestion() -> None:
    """A key that is none of RIoTBench's is told of, with the nearest one."""
    fate = _fates(_text("STATISTICS.INTERPOLATION.WINDOW_SIZ=5"))["STATISTICS.INTERPOLATION.WINDOW_SIZ"]
    assert fate.why == "no key of RIoTBench's; did you mean STATISTICS.INTERPOLATION.WINDOW_SIZE?"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("AGGREGATE.BLOCK_COUNT.WINDOW_SIZE=ten", "is no number, so riotd's default counts"),
        ("AGGREGATE.BLOCK_COUNT.WINDOW_SIZE=0", "is no whole number above 0, so riotd's default counts"),
        ("AGGREGATE.BLOCK_COUNT.WINDOW_SIZE=nan", "is no number, so riotd's default counts"),
        ("STATISTICS.KALMAN_FILTER.SENSOR_NOISE=inf", "is no number, so riotd's default counts"),
        ("AGGREGATE.BLOCK_AVERAGE.USE_MSG_FIELD=0", "is no list of names, so riotd's default counts"),
        ("FILTER.RANGE_FILTER.VALID_RANGE=a:b", "has no entry of the form field:lowest:highest"),
        ("IO.MQTT_SUBSCRIBE.APOLLO_URL=localhost", "is no broker's URL, so riotd's default counts"),
        ("IO.MQTT_SUBSCRIBE.APOLLO_URL=tcp://h:port", "is no broker's URL, so riotd's default counts"),
    ],
)
def test_a_value_that_makes_no_sense_is_told_of(line: str, why: str, tmp_path: Path) -> None:
    """The key has no place, says why, and the configuration is right all the same."""
    made = _text(line)
    fate = _fates(made)[line.partition("=")[0]]
    assert fate.place == ""
    assert fate.why.startswith(why)
    _loaded(page(made, origin="x"), tmp_path)


def test_a_key_that_is_there_twice_counts_once() -> None:
    """As in Java the last one counts; the first one says so."""
    made = _text("AGGREGATE.BLOCK_COUNT.WINDOW_SIZE=5", "AGGREGATE.BLOCK_COUNT.WINDOW_SIZE=7")
    assert _params(made, "average")["window"] == 7
    first, second = (fate for fate in made.fates if fate.key == "AGGREGATE.BLOCK_COUNT.WINDOW_SIZE")
    assert (first.place, first.why) == ("", "line 3 says it again, and that counts")
    assert (second.line, second.place) == (3, "stages.average.params.window")


def test_a_data_set_of_ones_own(tmp_path: Path) -> None:
    """Columns come from the settings; what only a known data set has is left out, and all that is said."""
    made = convert.convert(
        b"PARSE.ID_FIELD_SCHEMA=pump\nPARSE.META_FIELD_SCHEMA=timestamp,pump,site\n"
        b"FILTER.RANGE_FILTER.VALID_RANGE=pressure:0:5.5,flow:0:9\n"
        b"STATISTICS.KALMAN_FILTER.USE_MSG_FIELDLIST=pressure,heat\n"
        b"ANNOTATE.ANNOTATE_FILE_PATH=/data/sites.txt\n",
        name="pumps",
        here=lambda _: "sites.txt",
    )
    assert (made.name, made.ends.key) == ("pumps", {"field": "pump"})
    assert _params(made, "join")["fields"] == ["pump", "site", "pressure", "flow", "heat"]
    assert _params(made, "average")["fields"] == ["pressure", "flow", "heat"]
    assert {draft.id: draft.lacks for draft in made.drafts if draft.lacks}["annotate"].startswith("names:")
    assert [name for name, drafts in made.flows.items() if drafts] == ["etl", "stats"]
    _loaded(page(made, origin="x"), tmp_path)


def test_a_file_without_columns_is_right_too(tmp_path: Path) -> None:
    """Nothing to join by, nothing to key by: what can be made of the rest is a right configuration."""
    made = convert.convert(b"AGGREGATE.BLOCK_COUNT.WINDOW_SIZE=7\nIO.ZIPBUFFER.FILENAME_PATTERN=a {b}/\n")
    assert [draft.id for draft in made.flows["etl"] if not draft.lacks] == ["parse"]
    assert _params(made, "average") == {"window": 7}
    loaded = _loaded(page(made, origin="x"), tmp_path)
    assert (loaded.name, loaded.key) == ("riotbench", config.Key())


def test_a_file_that_is_none_is_refused() -> None:
    """An escape that Java refuses is refused, in words."""
    with pytest.raises(ValueError, match=r"Invalid \\u escape sequence"):
        _text(r"KEY=\u12")


def test_java_escapes_and_continuations() -> None:
    """Escapes, both separators, blanks and continued lines are read as Java reads them, with their first line."""
    entries = properties.read(b"# note\n a\\:b = x\\u00e9 \nlong : 1,\\\n   2\n\n! c\nempty\nlast=a\\tb\n")
    assert [(each.line, each.key, each.value) for each in entries] == [
        (2, "a:b", "xé"),
        (3, "long", "1,2"),
        (7, "empty", ""),
        (8, "last", "a\tb"),
    ]
