"""The examples of RFC 8428 section 5.1, and the rules of section 4 they do not show."""

from typing import Any

import orjson
import pytest

from riot_tasks import BadRecord, Record, senml
from riot_tasks.senml import Observation

NOW = 1_700_000_000.0
WIRE = "urn:dev:ow:10e2073a01080063"


def decoded(*entries: dict[str, Any], now: float = NOW) -> list[Observation]:
    return senml.decode(orjson.dumps(entries), now=now)


def parsed(*entries: dict[str, Any], source: str = "", explode: bool = False) -> list[Record]:
    return senml.records(orjson.dumps(entries), id=7, source=source, now=NOW, explode=explode)


class TestExamplesOfTheRfc:
    def test_5_1_1_single_data_point(self) -> None:
        """A single reading without time was taken now, and its name is the whole name."""
        assert decoded({"n": WIRE, "u": "Cel", "v": 23.1}) == [Observation(WIRE, NOW, 23.1, "Cel")]

    def test_5_1_2_multiple_data_points(self) -> None:
        """Voltage and current of one base name, now, are one record with two fields."""
        entries = (
            {"bn": WIRE + ":", "n": "voltage", "u": "V", "v": 120.1},
            {"n": "current", "u": "A", "v": 1.2},
        )
        expected = Record(
            7, WIRE, NOW, {"voltage": 120.1, "current": 1.2}, {"voltage": "V", "current": "A"}, {"bn": WIRE + ":"}
        )
        assert parsed(*entries) == [expected]

    def test_5_1_2_times_before_the_base_time(self) -> None:
        """Times count from the base time, the base unit stands in for a missing one, and version 5 is understood."""
        entries = [{"n": "current", "t": -5 + at, "v": 1.2 + at / 10} for at in range(5)]
        first = {"bn": "urn:dev:ow:10e2073a0108006:", "bt": 1.276020076001e09, "bu": "A", "bver": 5}
        last = {"n": "current", "v": 1.7}
        found = decoded(first | {"n": "voltage", "u": "V", "v": 120.1}, *entries, last)
        assert [each.time for each in found] == pytest.approx([
            1276020076.001 + at for at in (0, -5, -4, -3, -2, -1, 0)
        ])
        assert [each.unit for each in found] == ["V", *"AAAAAA"]
        assert found[0].name == "urn:dev:ow:10e2073a0108006:voltage"
        assert {each.name for each in found[1:]} == {"urn:dev:ow:10e2073a0108006:current"}

    def test_5_1_2_stream_of_one_sensor(self) -> None:
        """Entries without a name are the base name's, one record for each time."""
        entries = (
            {"bn": WIRE, "bt": 1.320067464e09, "bu": "%RH", "v": 21.2},
            {"t": 10, "v": 21.3},
            {"t": 20, "v": 21.4},
        )
        found = parsed(*entries)
        assert [(each.time, each.values, each.units) for each in found] == [
            (1320067464.0, {WIRE: 21.2}, {WIRE: "%RH"}),
            (1320067474.0, {WIRE: 21.3}, {WIRE: "%RH"}),
            (1320067484.0, {WIRE: 21.4}, {WIRE: "%RH"}),
        ]

    def test_5_1_3_resolves_to_5_1_4(self) -> None:
        """The pack of many measurements of 5.1.3 resolves to the one printed in 5.1.4."""
        start, t0 = {"bn": WIRE, "bt": 1.320067464e09, "bu": "%RH"}, 1320067464.0
        readings = [
            (0, "%RH", 20), (0, "lon", 24.30621), (0, "lat", 60.07965), (60, "%RH", 20.3), (60, "lon", 24.30622),
            (60, "lat", 60.07965), (120, "%RH", 20.7), (120, "lon", 24.30623), (120, "lat", 60.07966), (150, "%EL", 98),
            (180, "%RH", 21.2), (180, "lon", 24.30628), (180, "lat", 60.07967),
        ]  # fmt: skip
        entries = [
            ({} if unit == "%RH" else {"u": unit}) | ({"t": after} if after else {}) | {"v": value}
            for after, unit, value in readings
        ]
        entries[0] = start | entries[0]
        resolved = senml.encode(parsed(*entries))
        assert orjson.loads(resolved) == [
            {"n": WIRE, "u": unit, "t": t0 + after, "v": value} for after, unit, value in readings
        ]

    def test_5_1_5_multiple_data_types(self) -> None:
        """Numbers, text, booleans and base64url data come as float, str, bool and bytes."""
        entries = (
            {"bn": WIRE + ":", "n": "temp", "u": "Cel", "v": 23.1},
            {"n": "label", "vs": "Machine Room"},
            {"n": "open", "vb": False},
            {"n": "nfv-reader", "vd": "aGkgCg"},
        )
        (record,) = parsed(*entries)
        assert record.values == {"temp": 23.1, "label": "Machine Room", "open": False, "nfv-reader": b"hi \n"}

    def test_5_1_6_collection_of_resources(self) -> None:
        """A new base name in mid-pack starts a new record and leaves the base time as it is."""
        entries = (
            {"bn": "2001:db8::2/", "bt": 1.320078429e09, "n": "temperature", "u": "Cel", "v": 25.2},
            {"n": "humidity", "u": "%RH", "v": 30},
            {"bn": "2001:db8::1/", "n": "temperature", "u": "Cel", "v": 12.3},
            {"n": "humidity", "u": "%RH", "v": 67},
        )
        first, second = parsed(*entries)
        assert (first.source, first.values) == ("2001:db8::2", {"temperature": 25.2, "humidity": 30})
        assert (second.source, second.values) == ("2001:db8::1", {"temperature": 12.3, "humidity": 67})
        assert first.time == second.time == 1320078429.0

    def test_5_1_7_base_only_entry(self) -> None:
        """An entry of base fields only is no observation, but holds for those after it."""
        entries = ({"bn": WIRE + ":"}, {"n": "temp", "u": "Cel", "v": 23.1}, {"n": "heat", "u": "/", "v": 1})
        assert [each.name for each in decoded(*entries)] == [WIRE + ":temp", WIRE + ":heat"]

    def test_5_1_7_names_without_a_base(self) -> None:
        """Without a base name the fields have the whole names, and a later time starts a new record."""
        first = {"bt": 1.320078429e09, "bu": "/", "n": "2001:db8::3", "v": 0.5}
        second = {"n": "2001:db8::4", "v": 0.5}
        later = [{"n": each["n"], "t": 0.1, "v": 0} for each in (first, second)]
        found = parsed(first, second, *later, source="lights")
        assert [each.values for each in found] == [
            {"2001:db8::3": 0.5, "2001:db8::4": 0.5},
            {"2001:db8::3": 0, "2001:db8::4": 0},
        ]
        assert [each.time for each in found] == pytest.approx([1320078429.0, 1320078429.1])
        assert {each.source for each in found} == {"lights"}


class TestBaseFields:
    def test_base_value_and_base_sum_are_added(self) -> None:
        """Base value and base sum are added to what the entries have, and stand in for what they lack."""
        found = decoded({"bn": "a:", "bv": 20, "bs": 100, "n": "x", "v": 1.5, "s": 7}, {"n": "y"}, {"n": "z", "v": -20})
        assert [(each.value, each.sum) for each in found] == [(21.5, 107), (20, 100), (0, 100)]

    def test_base_value_leaves_text_alone(self) -> None:
        """Base value and base sum do not touch text, booleans and data."""
        found = decoded(
            {"bn": "a:", "bv": 20, "bs": 1, "n": "x", "vs": "on"}, {"n": "y", "vb": True}, {"n": "z", "vd": ""}
        )
        assert [(each.value, each.sum) for each in found] == [("on", None), (True, None), (b"", None)]

    def test_each_base_changes_from_its_entry_on(self) -> None:
        """A base field holds for its own entry and all after it, until the next one of its kind."""
        found = decoded(
            {"bn": "a", "bt": NOW, "bu": "V", "v": 1},
            {"v": 2, "t": 1},
            {"bu": "W", "bt": NOW + 10, "bn": "b", "v": 3},
            {"v": 4},
        )
        assert [(each.name, each.time - NOW, each.unit) for each in found] == [
            ("a", 0, "V"), ("a", 1, "V"), ("b", 10, "W"), ("b", 10, "W"),
        ]  # fmt: skip

    def test_version_may_come_later_if_it_is_the_default(self) -> None:
        """Version 10 said in mid-pack is what the entries before it had."""
        assert len(decoded({"n": "a", "v": 1}, {"bver": 10, "n": "b", "v": 2})) == 2


class TestTimes:
    @pytest.mark.parametrize(
        ("said", "time"),
        [
            (0, NOW),
            (-60.5, NOW - 60.5),
            (2**28 - 1, NOW + 2**28 - 1),
            (2**28, 2.0**28),
            (1422748800, 1422748800.0),
            (1422748800000, 1422748800.0),
            ("1422748800000", 1422748800.0),
            (1422748800000000, 1422748800.0),
            ("1.4227488e9", 1422748800.0),
        ],
    )
    def test_relative_absolute_and_fine_times(self, said: float | str, time: float) -> None:
        """A time below 2**28 is relative to now; one past 1e11 is in milliseconds or finer; text is tolerated."""
        assert decoded({"bn": "a", "bt": said, "v": 1})[0].time == time
        assert decoded({"n": "a", "t": said, "v": 1})[0].time == time

    def test_relative_times_add_up_before_they_are_resolved(self) -> None:
        """Base time and time are added first; their sum says whether the time is relative."""
        assert decoded({"bn": "a", "bt": -10, "t": 4, "v": 1})[0].time == NOW - 6

    @pytest.mark.parametrize("said", [1e300, -1e300, 1e21, "soon", ""])
    def test_impossible_times_are_refused(self, said: float | str) -> None:
        """A time no clock can mean is refused, and the reason names the label."""
        with pytest.raises(BadRecord, match="entry 1: t: "):
            decoded({"n": "a", "v": 1}, {"n": "a", "t": said, "v": 1})


class TestRecords:
    def test_a_field_that_comes_again_starts_a_new_record(self) -> None:
        """No observation overwrites another of the same name and time."""
        found = parsed({"bn": "a:", "n": "x", "v": 1}, {"n": "y", "v": 2}, {"n": "x", "v": 3})
        assert [each.values for each in found] == [{"x": 1, "y": 2}, {"x": 3}]

    def test_explode_gives_one_record_per_observation(self) -> None:
        """Exploded, every observation is a record with the id, source and time of its pack."""
        found = parsed({"bn": "a:", "bt": NOW, "n": "x", "u": "V", "v": 1}, {"n": "y", "vs": "on"}, explode=True)
        assert found == [
            Record(7, "a", NOW, {"x": 1}, {"x": "V"}, {"bn": "a:"}),
            Record(7, "a", NOW, {"y": "on"}, {}, {"bn": "a:"}),
        ]

    def test_sum_and_update_time(self) -> None:
        """A sum is a field of its own beside the value's; an update time is meta, and where it changes splits."""
        first, second = parsed(
            {"bn": "meter:", "n": "power", "u": "W", "v": 5, "s": 1200, "ut": 60}, {"n": "energy", "u": "J", "s": 9}
        )
        assert (first.values, first.units) == ({"power": 5, "power#sum": 1200}, {"power": "W"})
        assert first.meta == {"bn": "meter:", "ut": "60.0"}
        assert (second.values, second.units, second.meta) == ({"energy#sum": 9}, {"energy": "J"}, {"bn": "meter:"})

    @pytest.mark.parametrize(
        ("base", "source"), [("dev7:", "dev7"), ("dev7/", "dev7"), ("dev7_.-", "dev7"), ("dev7", "dev7")]
    )
    def test_the_source_is_the_base_name_unless_given(self, base: str, source: str) -> None:
        """An empty source becomes the base name without what separates it from the local names."""
        entries = ({"bn": base, "n": "x", "v": 1},)
        assert parsed(*entries)[0].source == source
        assert parsed(*entries, source="topic")[0].source == "topic"

    def test_numbers_as_text(self) -> None:
        """A number written as text is that number, in the form of the RFC too."""
        assert parsed({"bn": "a:", "n": "x", "v": "12.5"}, {"n": "y", "v": "8"})[0].values == {"x": 12.5, "y": 8}

    def test_wide_integers(self) -> None:
        """Integers of 64 bits are kept to the last digit; wider ones become the nearest double."""
        entries = b'[{"n":"a","v":9007199254740993},{"n":"b","v":-9223372036854775808},{"n":"c","v":1%s}]' % (b"0" * 30)
        (record,) = senml.records(entries, id=1, source="", now=NOW)
        assert record.values == {"a": 2**53 + 1, "b": -(2**63), "c": 1e30}
        assert [type(value) for value in record.values.values()] == [int, int, float]


class TestDraft:
    def test_bases_stand_outside_the_entries(self) -> None:
        """The older form gives the same record: `sv` is text, numbers may be text, milliseconds are seconds."""
        pack = (
            b'{"e":[{"u":"string","n":"source","sv":"ci4l"},{"v":"46.19","u":"lat","n":"latitude"},'
            b'{"v":8,"n":"temperature"},{"bv":true,"n":"ok"}],"bn":"geneva/","bu":"far","bt":1422748800000}'
        )
        (record,) = senml.records(pack, id=3, source="", now=NOW)
        assert record == Record(
            3,
            "geneva",
            1422748800.0,
            {"source": "ci4l", "latitude": 46.19, "temperature": 8, "ok": True},
            {"source": "string", "latitude": "lat", "temperature": "far", "ok": "far"},
            {"bn": "geneva/"},
        )

    def test_offsets_of_entries(self) -> None:
        """An entry's own time is added to the base time, also where both are milliseconds."""
        pack = b'{"e":[{"n":"a","v":1,"t":20},{"n":"a","v":2,"t":40}],"bt":"1417890600000"}'
        assert [each.time for each in senml.decode(pack, now=NOW)] == [1417890600.02, 1417890600.04]
