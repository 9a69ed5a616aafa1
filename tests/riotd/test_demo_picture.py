import asyncio
import io
import json
from typing import Any

import pytest
from rich.console import Console

from riotd.demo.full.picture import LAST, Picture
from riotd.demo.full.screen import Screen

NAMES = {flow: f"city-{flow}" for flow in ("etl", "stats", "train", "pred")}
NOTICE = {
    "format": 1,
    "kind": "linear_regression",
    "version": "city-MLR-7",
    "sha256": "0" * 64,
    "metrics": {"r2": 0.8125},
}


def told(picture: Picture, topic: str, said: Any, now: float = 0.0) -> Picture:
    picture.hear(topic, json.dumps(said).encode(), now)
    return picture


def error(version: str, **values: Any) -> dict[str, Any]:
    """A result of PRED as its sink publishes it."""
    fields = {"temperature": 21.5, "airquality_raw": 34, "prediction": 38.25, "error": -0.125} | values
    return {"id": 1, "source": "dev7", "time": 5.0, "values": fields, "meta": {"model": version}}


def shown(picture: Picture, states: dict[str, str] | None = None, now: float = 100.0, *, width: int = 160) -> str:
    """The screen's text."""
    screen = Screen(picture, NAMES, title="city", seconds=120.0, insert="insert", charts="blobs/")
    console = Console(file=io.StringIO(), width=width, height=50)
    console.print(screen.render(20.0, now, states or dict.fromkeys(NAMES, "runs")))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_before_anything_is_heard() -> None:
    """The screen says that the four start, and that there is no model yet."""
    text = shown(Picture(), dict.fromkeys(NAMES, "starts"))
    assert "none yet" in text
    assert "PRED waits for TRAIN's first model" in text
    assert "100 s left" in text


def test_the_model_in_force_is_the_one_that_results_bear() -> None:
    """A model is in force once a result bears its version, not when it is announced; changes are told with both."""
    picture = told(Picture(), "city/models/linear_regression", NOTICE, 1.0)
    model = picture.models["linear_regression"]
    assert (model.version, model.announced, model.quality) == ("", "city-MLR-7", "r2 0.812")
    assert "city-MLR-7 announced" in shown(picture)
    told(picture, "city/pred/dev7/error", error("city-MLR-7"), 2.0)
    told(picture, "city/pred/dev7/error", error("city-MLR-8"), 3.0)
    told(picture, "city/pred/dev7/error", error("city-MLR-8"), 9.0)
    assert (model.version, model.since, model.taken) == ("city-MLR-8", 3.0, 2)
    assert [event for _, event in picture.events] == [
        "TRAIN announced city-MLR-7 (r2 0.812)",
        "PRED's results are made with city-MLR-7",
        "PRED's results are made with city-MLR-8 instead of city-MLR-7",
    ]
    assert "city-MLR-8  number 2, in force for 97 s" in shown(picture)


def test_a_notice_that_comes_again_is_told_once() -> None:
    """A retained notice that comes once more is no new event."""
    picture = told(told(Picture(), "city/models/x", NOTICE), "city/models/x", NOTICE)
    assert picture.told == 1


def test_the_last_prediction() -> None:
    """The last prediction is shown with what was measured, the error, and whose model made it."""
    text = shown(told(Picture(), "city/pred/dev7/error", error("city-MLR-7")))
    assert "dev7: 38.2 foretold, 34 measured, error -0.125 of the mean   by city-MLR-7" in text


def test_classes_and_charts() -> None:
    """The last class is shown with its sensor, the newest chart with its path."""
    result = {"source": "dev8", "values": {"light": 5, "class": "GOOD"}, "meta": {"model": "city-DTC-1"}}
    picture = told(Picture(), "city/pred/dev8/class", result)
    told(picture, "city/stats/charts", {"source": "dev8", "values": {"blob": "charts/1.zip"}})
    text = shown(picture)
    assert "dev8: GOOD" in text
    assert "blobs/charts/1.zip" in text
    assert picture.models["decision_tree"].version == "city-DTC-1"


def test_what_became_of_a_model() -> None:
    """An event of PRED is told with its reason."""
    values = {"event": "refused", "version": "city-MLR-9", "reason": "needs dust"}
    picture = told(Picture(), "city/pred/models", {"source": "", "values": values})
    assert [event for _, event in picture.events] == ["PRED: refused city-MLR-9: needs dust"]


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[1]", b"5", b'"x"', b"null", b'{"values": 5}', b'{"values": {}}'])
def test_what_is_none_of_ours(payload: bytes) -> None:
    """Whatever else is published beside it is passed over."""
    picture = Picture()
    picture.hear("city/pred/x/y", payload, 0.0)
    assert (picture.told, picture.prediction, picture.chart) == (0, None, "")


def test_what_happened_is_kept_for_a_while() -> None:
    """The last things that happened are kept, and can be asked for by how many one knows already."""
    picture = Picture()
    for number in range(LAST + 3):
        picture.tell(f"thing {number}", float(number))
    assert len(picture.events) == LAST
    assert picture.since(picture.told - 2) == [f"thing {LAST + 1}", f"thing {LAST + 2}"]
    assert picture.since(0) == [f"thing {number}" for number in range(3, LAST + 3)]
    assert picture.since(picture.told) == []


async def test_all_online() -> None:
    """It is known when all four have said that they are online, and that one is not any more."""
    picture = Picture()
    waiting = asyncio.create_task(picture.all_online(NAMES.values()))
    for name in NAMES.values():
        await asyncio.sleep(0)
        assert not waiting.done()
        picture.hear(f"riotd/{name}/status", b"online", 0.0)
    await waiting
    picture.hear("riotd/city-etl/status", b"offline", 0.0)
    assert "city-etl" not in picture.online


def test_what_does_not_add_up() -> None:
    """An alarm of one of the four is shown while it lasts, and told once though its numbers grow."""
    report: dict[str, Any] = {
        "window": {"received_per_s": 1, "results_per_s": 1, "settled": 1},
        "messages": {"in_flight": 0, "rejected": 0},
        "latency_ms": {"p50": 1.0, "p99": 1.0},
        "stages": [],
    }
    picture = told(Picture(), "riotd/city-stats/stats", {**report, "alarms": ["stage zip: in 5 ≠ out 4 (residue 1)"]})
    told(picture, "riotd/city-stats/stats", {**report, "alarms": ["stage zip: in 9 ≠ out 6 (residue 3)"]})
    assert "ALARM stats: stage zip: in 9 ≠ out 6 (residue 3)" in shown(picture)
    assert [event for _, event in picture.events] == ["ALARM city-stats: stage zip: in 5 ≠ out 4 (residue 1)"]
    told(picture, "riotd/city-stats/stats", {**report, "alarms": []})
    assert "ALARM stats" not in shown(picture)


def test_rates_of_each() -> None:
    """A daemon's figures are those of its last report; latencies of an idle one are those since its start."""
    report = {
        "window": {"received_per_s": 199.7, "results_per_s": 1234.2, "settled": 0},
        "messages": {"in_flight": 12, "rejected": 3},
        "latency_ms": {"p50": 0.0, "p99": 0.0},
        "latency_ms_since_start": {"p50": 29.31, "p99": 60.2},
        "stages": [{"id": "parse", "out": 5}, {"id": "insert", "out": 12345}],
    }
    text = shown(told(Picture(), "riotd/city-etl/stats", report))
    assert all(figure in text for figure in ("200", "1,234", "29.3 ms", "60.2 ms", "12", "12,345 rows"))


@pytest.mark.parametrize("width", [80, 100, 160])
def test_it_fits_a_terminal(width: int) -> None:
    """Each daemon has one line of the table, however narrow the terminal is."""
    lines = shown(Picture(), width=width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert sum(" runs " in line for line in lines) == 4
    assert len(lines) < 24
