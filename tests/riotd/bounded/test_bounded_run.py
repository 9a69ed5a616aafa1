"""`run_file`: what comes in, what comes out, and what becomes of the rest."""

import csv
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

import riotd
from riot_tasks import senml
from riotd.bounded.report import InputRefused
from riotd.errors import ConfigError, TransportError
from tests.riotd.bounded.bounded_inputs import by_hand, city, names, packs, results, write

KALMAN: dict[str, Any] = {"fields": ["temperature"]}


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("task", "params"), [("kalman_filter", {}), ("average", {"window": 7}), ("KAL", KALMAN)])
def test_results_are_those_of_a_loop_over_the_task(tmp_path: Path, task: str, params: dict[str, Any]) -> None:
    """Record by record, an instance for each device, what is held back at the end included; in the lines' order."""
    lines = packs(500)
    report = riotd.run_file(task, write(tmp_path / "in", lines), tmp_path / "out.jsonl", params=params)
    found = results(tmp_path / "out.jsonl")
    expected = by_hand(task, lines, **params)
    assert sorted(found, key=lambda one: one["id"]) == expected
    assert (report.records, report.results, report.errors) == (500, len(expected), 0)
    assert [set(one) for one in found[:1]] == [{"id", "source", "time", "values", "meta"}]


def test_stamped_packed_and_plain_lines_give_the_same(tmp_path: Path) -> None:
    """Four ways to write the same feed down, byte for byte the same results."""
    stamped = city(tmp_path / "stamped", 200)
    plain = write(tmp_path / "plain", [line.partition(b",")[2] for line in stamped.read_bytes().splitlines()])
    (tmp_path / "packed.gz").write_bytes(gzip.compress(stamped.read_bytes()))
    (tmp_path / "windows").write_bytes(b"\xef\xbb\xbf" + stamped.read_bytes().replace(b"\n", b"\r\n"))
    outputs = set()
    for source in (stamped, plain, tmp_path / "packed.gz", tmp_path / "windows"):
        riotd.run_file("kalman_filter", source, tmp_path / "out.jsonl")
        outputs.add((tmp_path / "out.jsonl").read_bytes())
    assert len(outputs) == 1


def test_ids_are_line_numbers(tmp_path: Path) -> None:
    """Blank lines and a header are none, but count."""
    write(tmp_path / "in.csv", [b"", b"device,t", b"a,1", b"", b"b,2", b"a,3"])
    riotd.run_file("noop", tmp_path / "in.csv", tmp_path / "out.jsonl")
    assert [(one["id"], one["source"], one["values"]["t"]) for one in results(tmp_path / "out.jsonl")] == [
        (3, "a", 1),
        (5, "b", 2),
        (6, "a", 3),
    ]


def test_text_lines_are_payloads(tmp_path: Path) -> None:
    """Their time is the file's: the same file gives the same results, always."""
    write(tmp_path / "in.txt", [b"hello", b"you, there"])
    os.utime(tmp_path / "in.txt", (1700000000, 1700000000))
    riotd.run_file("noop", tmp_path / "in.txt", tmp_path / "out.jsonl", form="raw")
    assert [(one["time"], one["values"]) for one in results(tmp_path / "out.jsonl")] == [
        (1700000000.0, {"payload": "hello"}),
        (1700000000.0, {"payload": "you, there"}),
    ]


def test_a_task_that_wants_the_payload_gets_it(tmp_path: Path) -> None:
    """Without the stamp, as a source would give it; no stage but the one that parts them stands in front."""
    city(tmp_path / "in", 50)
    report = riotd.run_file("senml_parse", tmp_path / "in", tmp_path / "out.jsonl", params={"explode": True})
    assert [stage.id for stage in report.stages] == ["stamp", "senml_parse"]
    assert report.results > 300
    report = riotd.run_file("senml_parse", write(tmp_path / "plain", packs(50)), tmp_path / "out.jsonl")
    assert ([stage.id for stage in report.stages], report.results) == (["senml_parse"], 50)


def test_results_are_input_for_the_next(tmp_path: Path) -> None:
    """JSON lines are read as they were written; one run after the other is one dataflow."""
    lines = packs(300)
    riotd.run_file("kalman_filter", write(tmp_path / "in", lines), tmp_path / "smooth.jsonl", params=KALMAN)
    riotd.run_file("average", tmp_path / "smooth.jsonl", tmp_path / "out.jsonl", params={"window": 5})
    config = tmp_path / "both.yaml"
    config.write_text(
        "name: both\nsource: {type: mqtt, url: 'mqtt://nowhere', topics: [a]}\nstages:\n"
        "  - {task: kalman_filter, params: {fields: [temperature]}}\n  - {task: average, params: {window: 5}}\n"
        "sinks: {}\n",
        encoding="utf-8",
    )
    riotd.run_file(config, tmp_path / "in", tmp_path / "both.jsonl")
    assert results(tmp_path / "out.jsonl") == [
        one | {"id": again["id"]}
        for one, again in zip(results(tmp_path / "both.jsonl"), results(tmp_path / "out.jsonl"), strict=True)
    ]


@pytest.mark.parametrize("shards", [2, 8])
def test_shards_change_nothing(tmp_path: Path, shards: int) -> None:
    """Not a byte: each device is in one of them, and their results are put in the lines' order again."""
    city(tmp_path / "in", 1000, sensors=20, malformed=0.02)
    for task, params in (("kalman_filter", {}), ("average", {"window": 9}), ("distinct_count", {"item": "light"})):
        one = riotd.run_file(task, tmp_path / "in", tmp_path / "one.jsonl", params=params)
        many = riotd.run_file(task, tmp_path / "in", tmp_path / "many.jsonl", params=params, shards=shards)
        assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "many.jsonl").read_bytes()
        assert (one.errors, one.filtered, one.refused) == (many.errors, many.filtered, many.refused)
        assert sum(part.records for part in many.per_shard) == many.records == 1000


def test_the_key_says_whose_state_it_is(tmp_path: Path) -> None:
    """By default the device; any field if told so."""
    write(tmp_path / "in.csv", [b"device,room,t", b"a,hall,1", b"b,hall,3", b"a,loft,5", b"b,loft,7"])
    means = {}
    for key in (None, "room"):
        riotd.run_file("average", tmp_path / "in.csv", tmp_path / "out.jsonl", params={"window": 2}, key=key)
        means[key] = {one["source"]: one["values"]["t"] for one in results(tmp_path / "out.jsonl")}
    assert means == {None: {"a": 3.0, "b": 5.0}, "room": {"hall": 2.0, "loft": 6.0}}


@pytest.mark.parametrize("shards", [1, 4])
def test_devices_of_one_pack_have_their_own_state(tmp_path: Path, shards: int) -> None:
    """A gateway's packs give what the same readings give one by one."""
    lines = [
        b'[{"bn":"urn:dev:%b:","bt":%d,"n":"t","v":%d},{"bn":"urn:dev:%b:","n":"t","v":%d}]' % (one, 1.7e9, v, other, w)
        for one, v, other, w in ((b"a", 1, b"b", 10), (b"b", 30, b"a", 5), (b"c", 7, b"a", 9), (b"a", 1, b"c", 9))
    ]
    report = riotd.run_file(
        "average", write(tmp_path / "in", lines), tmp_path / "out.jsonl", params={"window": 2}, shards=shards
    )
    found = {(one["id"], one["source"]): one["values"]["t"] for one in results(tmp_path / "out.jsonl")}
    assert found == {(2, "a"): 3.0, (2, "b"): 20.0, (4, "a"): 5.0, (4, "c"): 8.0}
    assert report.records == 4


class TestOutputs:
    def test_csv_has_a_column_for_each_field(self, tmp_path: Path) -> None:
        """Also for one that appears late; what a record does not have is empty."""
        write(tmp_path / "in", [b'{"device":"a","t":1.5}', b'{"device":"b","on":true,"id":"x","t":null}'])
        riotd.run_file("noop", tmp_path / "in", tmp_path / "out.csv")
        rows = rows_of(tmp_path / "out.csv")
        assert [list(row.items())[3:] for row in rows] == [
            [("device", "a"), ("t", "1.5"), ("on", ""), ("values.id", "")],
            [("device", "b"), ("t", ""), ("on", "true"), ("values.id", "x")],
        ]
        assert [(row["id"], row["source"]) for row in rows] == [("1", "a"), ("2", "b")]

    def test_senml_is_a_pack_a_line(self, tmp_path: Path) -> None:
        """Under the base name it came with."""
        lines = packs(20)
        riotd.run_file("noop", write(tmp_path / "in", lines), tmp_path / "out.senml")
        again = (tmp_path / "out.senml").read_bytes().splitlines()
        assert [senml.decode(pack, now=0.0) for pack in again] == [senml.decode(pack, now=0.0) for pack in lines]

    def test_gz_is_packed_the_same_each_time(self, tmp_path: Path) -> None:
        """And holds what the plain file does."""
        write(tmp_path / "in", packs(20))
        riotd.run_file("noop", tmp_path / "in", tmp_path / "out.jsonl")
        for name in ("a.jsonl.gz", "b.jsonl.gz"):
            riotd.run_file("noop", tmp_path / "in", tmp_path / name)
        assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == (tmp_path / "out.jsonl").read_bytes()
        assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()

    def test_what_can_t_be_written_is_refused(self, tmp_path: Path) -> None:
        """Like any other record, with the format for a reason."""
        write(
            tmp_path / "in",
            [b'{"device":"a","time":1700000000,"no name":1}', b'{"device":"a","time":1700000000,"t":1}'],
        )
        report = riotd.run_file("noop", tmp_path / "in", tmp_path / "out.senml", form="json")
        assert (report.results, report.errors) == (1, 1)
        assert "cannot be written as senml: field 'no name'" in report.refused[0].reason

    def test_a_device_is_written_in_place(self, tmp_path: Path) -> None:
        """It is not replaced by a file."""
        write(tmp_path / "in", packs(3))
        riotd.run_file("noop", tmp_path / "in", tmp_path / "out.jsonl")
        (tmp_path / "null.jsonl").symlink_to(os.devnull)
        riotd.run_file("noop", tmp_path / "in", tmp_path / "null.jsonl")
        assert (tmp_path / "null.jsonl").is_symlink()

    def test_an_output_that_can_t_be_written_is_an_error(self, tmp_path: Path) -> None:
        """Of the kind that an unreadable input is."""
        write(tmp_path / "in", packs(3))
        with pytest.raises(TransportError, match=r"out\.jsonl: can't be written: No such file or directory"):
            riotd.run_file("noop", tmp_path / "in", tmp_path / "nowhere" / "out.jsonl")

    def test_stages_are_told_apart(self, tmp_path: Path) -> None:
        """Where a configuration's sinks take several, each line says whose it is."""
        (tmp_path / "two.yaml").write_text(
            "name: two\nsource: {type: mqtt, url: 'mqtt://nowhere', topics: [a]}\n"
            "stages:\n  - {id: mean, task: average, params: {window: 2}}\n"
            "  - {id: smooth, task: kalman_filter, after: []}\n"
            "sinks: {a: {type: mqtt, topic: a, from: [mean]}, b: {type: mqtt, topic: b, from: [smooth]}}\n",
            encoding="utf-8",
        )
        write(tmp_path / "in", [b'{"device":"a","t":1}', b'{"device":"a","t":3}'])
        riotd.run_file(tmp_path / "two.yaml", tmp_path / "in", tmp_path / "out.jsonl")
        found = {(one["id"], one["stage"]): round(one["values"]["t"], 2) for one in results(tmp_path / "out.jsonl")}
        assert found == {(1, "smooth"): 1.0, (2, "mean"): 2.0, (2, "smooth"): 2.16}
        riotd.run_file(tmp_path / "two.yaml", tmp_path / "in", tmp_path / "out.csv")
        assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[0] == "id,source,time,stage,t"


class TestRefusals:
    def test_they_are_counted_and_the_rest_goes_on(self, tmp_path: Path) -> None:
        """Line number, stage and reason of the first few; each line has one fate."""
        city(tmp_path / "in", 1000, malformed=0.05)
        report = riotd.run_file(
            "kalman_filter", tmp_path / "in", tmp_path / "out.jsonl", rejects=tmp_path / "bad.jsonl"
        )
        letters = results(tmp_path / "bad.jsonl")
        good = {one["id"] for one in results(tmp_path / "out.jsonl")}
        assert len(letters) == report.errors > 20
        assert good | {letter["id"] for letter in letters} == set(range(1, 1001))
        assert len(good) + len(letters) == 1000
        assert [(each.id, each.stage, each.reason) for each in report.refused] == [
            (letter["id"], letter["stage"], letter["reason"]) for letter in letters[:5]
        ]

    def test_rejects_hold_the_lines(self, tmp_path: Path) -> None:
        """Byte for byte, with where they stood."""
        city(tmp_path / "in", 300, malformed=0.05)
        riotd.run_file("noop", tmp_path / "in", tmp_path / "out.jsonl", rejects=tmp_path / "bad.jsonl")
        lines = (tmp_path / "in").read_bytes().splitlines()
        for letter in results(tmp_path / "bad.jsonl"):
            assert letter["payload"].encode() == lines[letter["id"] - 1]
            assert letter["topic"] == str(tmp_path / "in")

    def test_strict_stops_at_the_first(self, tmp_path: Path) -> None:
        """It is named; no output is left, not even a part of it; what was there stays."""
        lines = packs(30)
        write(tmp_path / "in", [*lines[:12], b"[", *lines[12:20], b"]", *lines[20:]])
        (tmp_path / "out.jsonl").write_text("before", encoding="utf-8")
        with pytest.raises(InputRefused, match=r"in: line 13: senml_parse: not JSON") as caught:
            riotd.run_file("noop", tmp_path / "in", tmp_path / "out.jsonl", strict=True, shards=3)
        assert (caught.value.number, caught.value.stage) == (13, "senml_parse")
        assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == "before"
        assert names(tmp_path) == ["in", "out.jsonl"]

    def test_an_overlong_line_is_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With its number, in between the others."""
        monkeypatch.setattr("riotd.bounded.reading.LONGEST", 2**17)
        lines = packs(30)
        write(tmp_path / "in", [*lines[:12], b"x" * 2**18, *lines[12:], b"[", b"y" * 2**18])
        report = riotd.run_file("noop", tmp_path / "in", tmp_path / "out.jsonl")
        assert [(each.id, each.stage) for each in report.refused] == [(13, "input"), (32, "senml_parse"), (33, "input")]
        assert (report.results, report.errors) == (30, 3)

    def test_lines_without_a_device_are_told(self, tmp_path: Path) -> None:
        """If they share a state, which is seldom meant; refused ones are not among them."""
        write(tmp_path / "in", [b'[{"n":"t","v":1}]', b'[{"bn":"a:","n":"t","v":1}]', b"[", b'[{"n":"t","v":2}]'])
        assert riotd.run_file("average", tmp_path / "in", tmp_path / "out.jsonl").unnamed == 2
        assert riotd.run_file("noop", tmp_path / "in", tmp_path / "out.jsonl").unnamed == 0


class TestBeforeTheFirstRecord:
    @pytest.mark.parametrize(
        ("task", "options", "said"),
        [
            ("kalman", {}, "task: there is no task 'kalman'; did you mean 'kalman_filter'?"),
            ("nothing:Task", {}, "task: task 'nothing:Task' can't be loaded"),
            ("average", {"params": {"window": 0}}, "average.window: must be a whole number from 1"),
            ("average", {"params": {"widow": 3}}, "average.widow: there is no such parameter; did you mean 'window'?"),
            ("bloom_filter", {"params": {"allow": "nothing.txt"}}, "bloom_filter.allow: .*nothing.txt"),
            (
                "average",
                {"params": {"fields": ["temprature"]}},
                "average.fields: there is no field 'temprature' in the",
            ),
            (
                "range_filter",
                {"params": {"ranges": {"x": [0, 1]}}},
                "range_filter.ranges: there is no field 'x' in the",
            ),
            ("average", {"key": "sensor"}, "key: no field 'sensor' in the first lines; there are longitude"),
            ("average", {"form": "csv"}, "schema: the first line of the CSV is no header"),
            ("average", {"schema": "nothing.csv"}, "schema: nothing.csv can't be read"),
            ("noop", {"form": "raw", "key": "t"}, "key: lines of text have no fields"),
            ("noop", {"metrics": "run.txt"}, "metrics: run.txt says no format; write .json or .csv"),
            ("noop", {"engine": "spark"}, "engine: there is no engine 'spark'; there are inline, ray, beam, flink"),
            ("noop", {"shards": 0}, r"shards: must be from 1 to 128 \(is 0\)"),
        ],
    )
    def test_what_does_not_fit_is_a_config_error(
        self, tmp_path: Path, task: str, options: dict[str, Any], said: str
    ) -> None:
        """It names what, and what to do; nothing is written."""
        city(tmp_path / "in", 20)
        with pytest.raises(ConfigError, match=said):
            riotd.run_file(task, tmp_path / "in", tmp_path / "out.jsonl", **options)
        assert names(tmp_path) == ["in"]

    def test_an_output_must_say_its_format(self, tmp_path: Path) -> None:
        """By its name."""
        with pytest.raises(ConfigError, match=r"out.xls: .xls says no format; write .jsonl, .csv or .senml"):
            riotd.run_file("noop", city(tmp_path / "in", 5), tmp_path / "out.xls")

    def test_an_output_is_not_the_input(self, tmp_path: Path) -> None:
        """Under whatever name."""
        city(tmp_path / "in.csv", 5)
        (tmp_path / "link.csv").symlink_to(tmp_path / "in.csv")
        with pytest.raises(ConfigError, match=r"link.csv: is also what is read; write somewhere else"):
            riotd.run_file("noop", tmp_path / "in.csv", tmp_path / "link.csv")

    def test_a_configuration_names_all_its_mistakes(self, tmp_path: Path) -> None:
        """Those of its dataflow; where it reads and writes as a daemon does not matter."""
        config = tmp_path / "bad.yaml"
        config.write_text(
            "name: bad\nsource: {type: file, path: nowhere}\nstages:\n  - {task: average, params: {widow: 1}}\n"
            "  - {task: nothing, after: [x]}\nsinks: {a: {type: mqtt, topic: '#'}}\n",
            encoding="utf-8",
        )
        with pytest.raises(ConfigError) as caught:
            riotd.run_file(config, city(tmp_path / "in", 5), tmp_path / "out.jsonl", params={"stages.average.id": "m"})
        assert [mistake.where for mistake in caught.value.mistakes] == [
            f"{config}: stages[0].params.widow",
            f"{config}: stages[1].task",
            f"{config}: stages[1].after",
        ]


def test_a_configuration_s_key_and_overrides_count(tmp_path: Path) -> None:
    """As they do in the daemon; infinities survive the way through YAML."""
    (tmp_path / "c.yaml").write_text(
        "name: c\nsource: {type: mqtt, url: 'mqtt://nowhere', topics: [a]}\nkey: {field: room}\nstages:\n"
        "  - {task: range_filter, params: {ranges: {t: [0, 1]}}}\n  - {task: average}\n"
        "sinks: {a: {type: mqtt, topic: a}}\n",
        encoding="utf-8",
    )
    write(tmp_path / "in", [b'[{"n":"room","vs":"hall"},{"n":"t","v":%d}]' % value for value in (1, 5)])
    params = {"stages.range_filter.params.ranges.t": [0, float("inf")], "stages.average.params": {"window": 2}}
    riotd.run_file(tmp_path / "c.yaml", tmp_path / "in", tmp_path / "out.jsonl", params=params)
    (mean,) = results(tmp_path / "out.jsonl")
    assert (mean["source"], mean["values"]) == ("hall", {"t": 3.0})


class TestMetrics:
    def test_as_json_they_are_the_report(self, tmp_path: Path) -> None:
        """Counts that add up, latencies, per stage and shard."""
        city(tmp_path / "in", 400, malformed=0.02)
        report = riotd.run_file(
            "kalman_filter", tmp_path / "in", tmp_path / "out.jsonl", metrics=tmp_path / "m.json", shards=3
        )
        figures = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
        assert figures == json.loads(json.dumps(report.plain()))
        assert (figures["task"], figures["engine"], figures["shards"], figures["records"]) == (
            "kalman_filter",
            "inline",
            3,
            400,
        )
        assert figures["records"] == figures["results"] + figures["errors"] + figures["filtered"]
        assert 0 < figures["latency_ms"]["p50"] <= figures["latency_ms"]["p99"] <= figures["latency_ms"]["max"] * 1.02
        for name in ("records", "results", "errors", "filtered"):
            assert sum(shard[name] for shard in figures["per_shard"]) == figures[name]
        for stage in figures["stages"]:
            assert stage["received"] == stage["passed"] + stage["filtered"] + stage["errors"]

    def test_as_csv_they_are_rows(self, tmp_path: Path) -> None:
        """One for all, one for each shard."""
        city(tmp_path / "in", 100)
        riotd.run_file("kalman_filter", tmp_path / "in", tmp_path / "out.jsonl", metrics=tmp_path / "m.csv", shards=2)
        rows = rows_of(tmp_path / "m.csv")
        assert [row["shard"] for row in rows] == ["all", "0", "1"]
        assert int(rows[0]["records"]) == int(rows[1]["records"]) + int(rows[2]["records"]) == 100
        assert all(float(row["latency_p99_ms"]) > 0 for row in rows)


def test_progress_is_told(tmp_path: Path) -> None:
    """Up to the whole file."""
    city(tmp_path / "in", 2000)
    seen = []
    riotd.run_file("noop", tmp_path / "in", tmp_path / "out.jsonl", watch=seen.append)
    assert [one.records for one in seen] == sorted(one.records for one in seen)
    assert (seen[-1].records, seen[-1].bytes) == (2000, (tmp_path / "in").stat().st_size)


def test_an_empty_input_gives_an_empty_output(tmp_path: Path) -> None:
    """Which is not an error."""
    (tmp_path / "in").touch()
    for name in ("out.jsonl", "out.csv"):
        report = riotd.run_file("kalman_filter", tmp_path / "in", tmp_path / name, params=KALMAN)
        assert (report.records, report.results) == (0, 0)
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    assert (tmp_path / "out.csv").read_bytes() == b"id,source,time\n"
