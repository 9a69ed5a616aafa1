"""`multi_line_plot`: what the picture shows, what is refused, and that the same record gives the same bytes."""

import json
import math
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from io import BytesIO
from threading import Thread
from typing import Any

import pytest

pytest.importorskip("matplotlib")

import matplotlib as mpl
from PIL import Image

from riot_tasks import BadRecord, Record, Value
from riot_tasks.testing import check_task
from riot_tasks.visualize.multi_line_plot import MultiLinePlot

START = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC"""
SVG = "{http://www.w3.org/2000/svg}"
Series = dict[str, list[tuple[float, float | None]]]


def record(series: Series, units: dict[str, str] | None = None, source: str = "dev7") -> Record:
    return Record(7, source, START + 60.0, {"series": json.dumps(series)}, units or {}, {"bn": "urn:dev:7:"})


def picture(record: Record, **params: Any) -> bytes:
    (chart,) = MultiLinePlot(**params).process(record)
    plot = chart.values["plot"]
    assert isinstance(plot, bytes)
    return plot


def elements(record: Record, name: str, **params: Any) -> list[ET.Element]:
    return list(ET.fromstring(picture(record, **params)).iter(SVG + name))


def words(record: Record, **params: Any) -> list[str]:
    """The texts of the picture, the title of the document left out."""
    return [element.text or "" for element in elements(record, "text", **params)]


def strokes(record: Record, color: str) -> list[str]:
    """The paths in a colour, without the line in the legend."""
    found = [path for path in elements(record, "path") if f"stroke: {color}" in path.get("style", "")]
    return [path.get("d", "") for path in found[:-1]]


def wave(count: int, phase: float = 0.0, step: float = 60.0) -> list[tuple[float, float | None]]:
    return [(START + step * at, 20.0 + math.sin(at / 9 + phase)) for at in range(count)]


FIRST, SECOND = "#3f90da", "#ffa90e"


class TestThePicture:
    def test_svg_of_800_by_600(self) -> None:
        """The SVG is 600 by 450 points, which is 800 by 600 pixels, and is named and typed so."""
        (chart,) = MultiLinePlot().process(record({"a": wave(9)}))
        root = ET.fromstring(picture(record({"a": wave(9)})))
        assert (root.get("width"), root.get("height")) == ("600pt", "450pt")
        assert (chart.id, chart.source, chart.time, list(chart.values)) == (7, "dev7", START + 60.0, ["plot"])
        assert chart.meta == {
            "bn": "urn:dev:7:",
            "content_type": "image/svg+xml",
            "name": "dev7-1700000060000.svg",
        }

    def test_png_of_800_by_600(self) -> None:
        """The PNG is 800 by 600 pixels, white where nothing is, with the colour of each series in it."""
        image = Image.open(BytesIO(picture(record({"a": wave(200), "b": wave(200, 1.0)}), format="png")))
        assert (image.format, image.size) == ("PNG", (800, 600))
        colors = {color for _, color in image.convert("RGB").getcolors(2**16)}
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
        for wanted in (FIRST, SECOND):
            red, green, blue = (int(wanted[at : at + 2], 16) for at in (1, 3, 5))
            assert min(abs(r - red) + abs(g - green) + abs(b - blue) for r, g, b in colors) < 12

    def test_what_is_written(self) -> None:
        """Source, series, a unit that all share, times of day and the date."""
        found = words(record({"in": wave(200), "out": wave(200)}, {"in": "Cel", "out": "Cel"}))
        assert {"dev7", "in", "out", "Cel", "23:00", "2023-11-14 to 2023-11-15 UTC", "20.25"} <= set(found)

    def test_different_units_stand_at_the_names(self) -> None:
        """Where series differ in unit the legend says which has which."""
        found = words(record({"t": wave(9), "h": wave(9), "x": wave(9)}, {"t": "Cel", "h": "%RH"}))
        assert {"t (Cel)", "h (%RH)", "x"} <= set(found)
        assert "Cel" not in found

    def test_lines_go_through_the_points(self) -> None:
        """Equal steps are equal distances: from left to right, higher values further up."""
        series: Series = {"a": [(START, 1.0), (START + 60, 2.0), (START + 120, 4.0)]}
        (path,) = strokes(record(series), FIRST)
        points = [tuple(map(float, part.split())) for part in path.replace("M", "L").split("L") if part.strip()]
        (x0, y0), (x1, y1), (x2, y2) = points
        assert x1 - x0 == pytest.approx(x2 - x1, abs=0.01)
        assert y1 - y2 == pytest.approx(2 * (y0 - y1), abs=0.01)
        assert y2 < y1 < y0

    def test_points_in_any_order_are_drawn_in_the_order_of_time(self) -> None:
        """The order in which points stand makes no difference, except among equal times."""
        ordered, turned = wave(20), wave(20)[::-1]
        assert picture(record({"a": turned})) == picture(record({"a": ordered}))

    def test_null_is_a_gap(self) -> None:
        """A null parts the line; a value between two of them is a dot."""
        series: Series = {"a": [(START + at, None if at in {3, 5} else 1.0 * at) for at in range(9)]}
        (path,) = strokes(record(series), FIRST)
        assert path.count("M") == 3
        (dot,) = elements(record(series), "circle")
        assert f"fill: {FIRST}" in dot.get("style", "")

    def test_lone_points_are_seen(self) -> None:
        """A series of one reading, also among others, and one at the same time twice, leave a mark."""
        assert len(elements(record({"a": [(START, 20.0)]}), "circle")) == 1
        assert len(elements(record({"a": wave(9), "b": [(START, 20.0)]}), "circle")) == 1
        (path,) = strokes(record({"a": [(START, 20.0), (START, 21.0)]}), FIRST)
        assert "L" in path

    def test_a_series_without_a_value_is_in_the_legend_only(self) -> None:
        """A series of nulls is named; one without points is not there at all."""
        found = words(record({"a": wave(9), "b": [(START, None)], "c": []}))
        assert "b" in found
        assert "c" not in found

    def test_the_legend_hides_nothing(self) -> None:
        """However many series, and however long their names, all lines stay below the legend and within the axes."""
        for count, name in ((1, "a"), (10, "sensor"), (26, "magnetometer_ankle"), (40, "a name that has no end " * 9)):
            series: Series = {f"{name} {at}": wave(30, at) for at in range(count)}
            paths = elements(record(series), "path")
            (box,) = [path.get("d", "") for path in paths if "fill: #ffffff" in path.get("style", "")][1:]
            bottom = max(float(part.split()[1]) for part in box.replace("z", "").replace("M", "L").split("L")[1:])
            lines = [path.get("d", "") for path in paths if "stroke-width: 1.35" in path.get("style", "")]
            tops = [min(float(part.split()[1]) for part in d.replace("M", "L").split("L")[1:]) for d in lines]
            assert len(lines) == count
            assert min(tops) > bottom

    def test_a_legend_of_hundreds_leaves_room(self) -> None:
        """Where there are more names than half of the plot takes, it says how many more there are."""
        many = record({f"an endless name of a series, the number of which is {at}": wave(3, at) for at in range(500)})
        found = words(many, max_series=500)
        assert "and 456 more" in found
        assert len([word for word in found if word.startswith("an endless")]) == 44

    def test_forty_series_look_different(self) -> None:
        """Colour and dashes together are different for 40 series."""
        paths = elements(record({f"s{at}": wave(9) for at in range(40)}), "path")
        styles = [path.get("style") for path in paths if "stroke-width: 1.35" in path.get("style", "")]
        assert len(set(styles)) == len(styles) == 40


class TestNames:
    def test_of_all_languages(self) -> None:
        """Names are written as they are, in SVG; what XML and matplotlib would take for markup is text."""
        names = ["Température à l'ombre", "温度", "حرارة", "😀", "$a^2_b$", '<b>&"x"</b>', "\\alpha"]
        found = words(record({name: wave(9) for name in names}, source="Gerät $7$ 温度"))
        assert {*names, "Gerät $7$ 温度"} <= set(found)

    @pytest.mark.parametrize("kind", ["svg", "png"])
    def test_that_nobody_can_read(self, kind: str) -> None:
        """Line ends, control characters and endless names do no harm."""
        series = {name: wave(9) for name in ("", "a\nb", "\0", "\x1b[1m", "\u202e", "x" * 100_000, "\uffff")}
        plot = picture(record(series, {"": "\x07", "a\nb": "u" * 999}, source="\udcff\n" + "y" * 9999), format=kind)
        if kind == "svg":
            said = [each.text or "" for each in ET.fromstring(plot).iter(SVG + "text")]
            assert "\N{REPLACEMENT CHARACTER}" in said
            assert any(each.startswith("a\N{REPLACEMENT CHARACTER}b (uuu") for each in said)

    @pytest.mark.parametrize(
        ("source", "name"),
        [
            ("urn:dev:ow:10e2073a", "urn_dev_ow_10e2073a-1700000060000.svg"),
            ("../../etc/passwd", "_.._etc_passwd-1700000060000.svg"),
            ("", "plot-1700000060000.svg"),
            ("ü/..", "_..-1700000060000.svg"),
            ("x" * 999, "x" * 128 + "-1700000060000.svg"),
        ],
    )
    def test_of_files(self, source: str, name: str) -> None:
        """The name made of the source is one file's, in the folder it is put in."""
        (chart,) = MultiLinePlot().process(record({"a": wave(2)}, source=source))
        assert chart.meta["name"] == name


class TestAxes:
    def test_elapsed(self) -> None:
        """Each series begins at 0, in the unit that fits."""
        later = [(at + 1e6, value) for at, value in wave(200)]
        found = words(record({"a": wave(200), "b": later}), axis="elapsed")
        assert {"hours", "0.0", "3.0"} <= set(found)

    def test_of_no_device_in_particular(self) -> None:
        """A title that is given stands in the place of the source."""
        found = words(record({"a": wave(10)}), title="all of them")
        assert "all of them" in found
        assert "dev7" not in found

    def test_as_the_original(self) -> None:
        """With parity time is in milliseconds since the first reading, and no axis has a title."""
        found = words(record({"a": wave(10, step=1.0)}, {"a": "Cel"}), parity=True)
        assert {"0", "2000", "8000", "a", "dev7"} <= set(found)
        assert not {"Cel", "seconds", "2023-11-14 UTC"} & set(found)

    @pytest.mark.parametrize(
        ("series", "said"),
        [
            ([(START, 20.0), (START + 1, 20.0)], "20.00"),
            ([(START, 0.0)], "0.00"),
            ([(START, -9e299), (START + 1, 9e299)], "\N{MULTIPLICATION SIGN}1e300"),
            ([(START, 1e-9), (START + 1, 2e-9)], "\N{MULTIPLICATION SIGN}1e-9"),
            ([(START, 5e-324), (START + 1, 0.0)], "0.00"),
            ([(START, 1e9), (START + 1, 1e9 + 0.001)], "1000000000.0010"),
            ([(-1e10, 1.0), (1e10, 2.0)], "1653-02-10 to 2286-11-20 UTC"),
            ([(START, 1.0), (START + 1e-6, 2.0)], "2023-11-14 UTC"),
            ([(0.25, 1.0), (0.75, 2.0)], "00:00:00.5"),
        ],
    )
    def test_numbers_of_any_size(self, series: list[tuple[float, float | None]], said: str) -> None:
        """Constant, huge, tiny, hardly changing values and long and short times have axes that say what they are."""
        assert said in words(record({"a": series}))


class TestRefusals:
    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (None, "series: must hold series as JSON text (is NoneType)"),
            (5.0, "series: must hold series as JSON text (is float)"),
            ("", "series: no JSON of series"),
            ("[1]", "series: no JSON of series"),
            ('{"a":[[1]]}', "series: no JSON of series"),
            ('{"a":[["1",2]]}', "series: no JSON of series"),
            ('{"a":[[1,1e400]]}', "series: no JSON of series"),
            ('{"a":[[null,1]]}', "series: no JSON of series"),
            ("[" * 100_000, "series: no JSON of series"),
            ("{}", "series: there is no reading to draw"),
            ('{"a":[],"b":[[1,null]]}', "series: there is no reading to draw"),
            ('{"a":[[1700000000000,1]]}', "series: 'a': 1700000000000.0 is no time in Unix seconds within ±1e10"),
            ('{"a":[[1,1e300]]}', "series: 'a': 1e+300 is not a number within ±1e+300"),
        ],
        ids=range(13),
    )
    def test_what_is_no_series(self, value: Value, said: str) -> None:
        """What can't be drawn is refused with the field and the reason."""
        with pytest.raises(BadRecord) as refusal:
            picture(Record(1, "d", START, {"series": value}))
        assert str(refusal.value).startswith(said)

    def test_too_much(self) -> None:
        """More series or readings than allowed are refused, as many are drawn."""
        two = record({"a": wave(5), "b": wave(5)})
        assert picture(two, max_series=2, max_points=10)
        with pytest.raises(BadRecord, match="series: 2 series are more than max_series, 1"):
            picture(two, max_series=1)
        with pytest.raises(BadRecord, match="series: 10 readings are more than max_points, 9"):
            picture(two, max_points=9)

    @pytest.mark.parametrize(
        ("params", "said"),
        [
            ({"field": ""}, "field: must be a field's name"),
            ({"into": 5}, "into: must be a field's name"),
            ({"format": "jpg"}, "format: must be 'svg' or 'png'"),
            ({"axis": "log"}, "axis: must be 'clock' or 'elapsed'"),
            ({"title": ""}, "title: must be a text"),
            ({"max_series": 0}, "max_series: must be a whole number"),
            ({"max_points": 0}, "max_points: must be a whole number"),
            ({"parity": "no"}, "parity: must be true or false"),
        ],
    )
    def test_wrong_parameters(self, params: dict[str, Any], said: str) -> None:
        """A parameter that can't be is refused with what it must be."""
        with pytest.raises(ValueError, match=said):
            MultiLinePlot(**params)

    def test_without_matplotlib(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where matplotlib is absent the task can't be made, and says how to get it."""
        monkeypatch.delitem(sys.modules, "riot_tasks.visualize.chart", raising=False)
        monkeypatch.delitem(sys.modules, "riot_tasks.visualize.pen", raising=False)
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(ValueError, match=r"multi_line_plot needs matplotlib: .*pip install 'riotd\[plot\]'"):
            MultiLinePlot()


MANY = record({f"sensor {at}": wave(200, at) for at in range(10)} | {"lone": [(START, 1.0)]}, {"lone": "V"})


class TestSameBytes:
    @pytest.mark.parametrize("kind", ["svg", "png"])
    def test_in_another_process_with_other_settings(self, kind: str) -> None:
        """Neither the process, nor its hash seed, nor somebody's matplotlib settings, change a byte."""
        program = (
            "import sys, matplotlib as mpl; from hashlib import sha256; from riot_tasks import Record\n"
            "from riot_tasks.visualize.multi_line_plot import MultiLinePlot\n"
            "mpl.rcParams.update({'svg.fonttype': 'path', 'font.family': 'serif', 'lines.linewidth': 9,\n"
            "    'path.simplify': False, 'text.color': 'red', 'text.parse_math': False, 'svg.hashsalt': 'x'})\n"
            "record = Record(7, 'dev7', 0.0, {'series': sys.stdin.read()}, {'lone': 'V'})\n"
            f"(chart,) = MultiLinePlot(format='{kind}').process(record)\n"
            "print(sha256(chart.values['plot']).hexdigest(), mpl.rcParams['svg.fonttype'])"
        )
        said = {
            subprocess.run(
                [sys.executable, "-c", program],
                input=str(MANY.values["series"]).encode(),
                env={"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C", "SOURCE_DATE_EPOCH": seed},
                capture_output=True,
                check=True,
            ).stdout.split()[0]
            for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
        }
        from hashlib import sha256  # noqa: PLC0415

        assert said == {sha256(picture(MANY, format=kind)).hexdigest().encode()}

    def test_in_threads_side_by_side(self) -> None:
        """Threads that draw at the same time, SVG and PNG, each get what they get alone; settings are left alone."""
        before, got = dict(mpl.rcParams), []
        alone = [picture(MANY, format=kind) for kind in ("svg", "png")] * 2
        threads = [
            Thread(target=lambda kind=kind: got.append([picture(MANY, format=kind) for _ in range(3)]))
            for kind in ("svg", "png") * 2
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(each for trio in got for each in trio) == sorted(alone * 3)
        assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_ten_series_of_200_points_in_50_ms(kind: str) -> None:
    """A chart of ten series of 200 readings takes at most 50 ms of CPU, where nobody else is on it."""
    task, spent = MultiLinePlot(format=kind), []
    for _ in range(9):
        begun = time.process_time()
        list(task.process(MANY))
        spent.append(time.process_time() - begun)
    assert min(spent) <= 0.05


def test_keeps_the_contract() -> None:
    """The task passes the public battery."""
    inputs = [
        record({"a": wave(5)}),
        record({"a": wave(5), "b": [(START, None), (START, 1.0)]}, {"a": "Cel"}),
        record({}),
        Record(3, "dev8", START, {"other": 1.0}),
    ]
    examples = [({}, inputs), ({"format": "png", "parity": True}, inputs[:1])]
    check_task(MultiLinePlot, examples, records=400)  # each takes milliseconds
