import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from riot_tasks import senml
from riotd.benchmarks import wire
from riotd.benchmarks.flows.prepared import Prepared, Wanted, doubles, feed, packs, ticks, wholes, written
from riotd.feeds import Dataset, Form

FIRST = 1_422_748_800_000
DATASETS: list[Dataset] = ["city", "fit", "grid", "taxi"]
FORMS: list[Form] = ["riotbench", "rfc"]


def wanted(dataset: Dataset, form: Form = "riotbench", rate: float = 200.0, seconds: float = 2.0) -> Wanted:
    return Wanted(dataset=dataset, rate=rate, seconds=seconds, form=form)


def packets(prepared: Prepared) -> Iterator[tuple[int, bytes, bytes]]:
    """First byte, topic and the rest of each packet, cut where the index says."""
    data, at = Path(prepared.packets).read_bytes(), 0
    for end in wholes(prepared.ends):
        ((first, start, stop),), whole = wire.split(data[at:end])
        assert whole == end - at
        body = data[at:end][start:stop]
        size = int.from_bytes(body[:2], "big")
        yield first, body[2 : 2 + size], body[2 + size :]
        at = end
    assert at == len(data)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_each_pack_has_a_number_that_its_records_bear(dataset: Dataset, form: Form, tmp_path: Path) -> None:
    """Read as any parser would, the n-th pack's records have the time that is the n-th number, in milliseconds."""
    made = written(packs(wanted(dataset, form), "x/+/y", first=FIRST), tmp_path, first=FIRST, qos=0)
    found = list(packets(made))
    assert len(found) == pytest.approx(400, abs=10)  # a meter may be silent
    for index, (_, topic, payload) in enumerate(found):
        records = senml.records(payload, id=0, source="", now=0.0, explode=True)
        assert {round(record.time * 1000) for record in records} == {FIRST + index}
        assert topic.split(b"/")[1] in payload


def test_but_for_the_time_packs_are_the_feed_s(tmp_path: Path) -> None:
    """Devices, values and due times are those of `riotd generate` with the same arguments."""
    made = written(packs(wanted("city"), "t", first=FIRST), tmp_path, first=FIRST, qos=0)
    plain = list(feed(wanted("city")))
    for (_, _, payload), (_, pack) in zip(packets(made), plain, strict=True):
        assert json.loads(payload)["e"] == json.loads(pack)["e"]
    starts = [due - plain[0][0] for due, _ in plain]
    assert list(doubles(made.dues)) == pytest.approx(starts, abs=1e-6)


@pytest.mark.parametrize(("qos", "first"), [(0, 0x30), (1, 0x32)])
def test_packets_of_qos_1_have_identifiers(qos: Literal[0, 1], first: int, tmp_path: Path) -> None:
    """The first byte says the quality of service; with 1 the identifiers 1, 2, 3, ... come before the payload."""
    made = written(iter([(0.0, "t", b"{a}"), (0.1, "t", b"{b}")]), tmp_path, first=FIRST, qos=qos)
    found = list(packets(made))
    assert [each[0] for each in found] == [first, first]
    identifiers = [b"\0\1", b"\0\2"] if qos else [b"", b""]
    assert [each[2] for each in found] == [identifiers[0] + b"{a}", identifiers[1] + b"{b}"]


def test_ticks_ask_for_the_time_before_their_numbers() -> None:
    """Each tick's end is its number, its start a window before, and they come at their rate."""
    made = list(ticks("timer/city", rate=2.0, seconds=3.0, window=100.0, first=FIRST))
    assert [due for due, _, _ in made] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    ends = [json.loads(payload)["rowend"] for _, _, payload in made]
    assert ends == [FIRST + index for index in range(6)]
    assert {json.loads(payload)["rowend"] - json.loads(payload)["rowstart"] for _, _, payload in made} == {100_000}


def test_who_never_has_a_turn_is_not_made() -> None:
    """A short load of GRID is of as many meters as it has messages, not of three million."""
    assert wanted("grid", rate=100.0, seconds=3.0).speakers == 300
    assert wanted("fit").speakers == 10


def test_the_paper_s_arrivals_have_the_rate_as_their_highest() -> None:
    """With `paper` arrivals no second of CITY has more than the rate asked for, and the mean is a little below."""
    load = Wanted(dataset="city", rate=500.0, seconds=20.0, arrivals="paper")
    dues = [due for due, _, _ in packs(load, "t", first=FIRST)]
    seconds = [sum(second <= due < second + 1 for due in dues) for second in range(19)]
    assert max(seconds) <= 510
    assert sum(seconds) / 19 == pytest.approx(490, abs=8)
