"""`run_stream`: an iterable in, an iterator out."""

import gc
import logging
import subprocess
import sys
import weakref
from collections.abc import Iterator
from itertools import count, islice

import pytest

import riotd
from riot_tasks import Record
from riotd.bounded import streaming
from riotd.bounded.report import InputRefused
from riotd.errors import ConfigError
from riotd.messages import Reject
from tests.riotd.bounded.bounded_inputs import by_hand, packs


@pytest.mark.parametrize("shards", [1, 5])
def test_packs_give_what_a_loop_over_the_task_gives(shards: int) -> None:
    """In their order; `id` is the item's number."""
    lines = packs(700)
    found = list(riotd.run_stream("average", lines, params={"window": 6}, shards=shards))
    assert [(one.id, one.source, one.values) for one in sorted(found, key=lambda one: one.id)] == [
        (one["id"], one["source"], one["values"]) for one in by_hand("average", lines, window=6)
    ]


def test_items_are_packs_records_or_mappings() -> None:
    """Mixed as one likes; nothing of a record is lost on the way, neither bytes nor units."""
    record = Record(77, "a", 5.0, {"x": b"\xff", "n": None, "i": 1, "f": 1.0}, {"i": "m"}, {"bn": "a:"})
    items = [
        record,
        b'[{"bn":"urn:dev:b:","bt":1700000000,"n":"t","u":"Cel","v":1.5}]',
        '[{"bn":"urn:dev:c:","bt":1700000000,"n":"t","v":2}]',
        {"source": "d", "time": 6.0, "values": {"t": 3}, "units": {"t": "K"}},
        {"device": "e", "ts": 1700000000500, "t": 4},
    ]
    found = list(riotd.run_stream("noop", items))
    assert found[0] == Record(1, "a", 5.0, record.values, record.units, record.meta)
    assert [(one.id, one.source, one.time, one.values.get("t")) for one in found[1:]] == [
        (2, "b", 1700000000.0, 1.5),
        (3, "c", 1700000000.0, 2),
        (4, "d", 6.0, 3),
        (5, "e", 1700000000.5, 4),
    ]
    assert [one.units for one in found[1:4]] == [{"t": "Cel"}, {}, {"t": "K"}]


def test_a_task_that_wants_payloads_gets_bytes_as_they_are() -> None:
    """Bytes are no packs for `senml_parse`'s own input."""
    (record,) = riotd.run_stream("senml_parse", [b'[{"bn":"urn:dev:b:","n":"t","v":1.5}]'])
    assert (record.source, record.values) == ("b", {"t": 1.5})


def test_the_key_says_whose_state_it_is() -> None:
    """A field of records and mappings, or of packs."""
    items = [{"device": device, "room": "hall", "t": t} for device, t in (("a", 1.0), ("b", 3.0))]
    (mean,) = riotd.run_stream("average", items, params={"window": 2, "fields": ["t"]}, key="room")
    assert (mean.source, mean.values) == ("hall", {"t": 2.0})
    packed = [b'[{"bn":"%b:","n":"room","vs":"hall"},{"n":"t","v":%d}]' % (bn, v) for bn, v in ((b"a", 1), (b"b", 3))]
    (mean,) = riotd.run_stream("average", packed, params={"window": 2}, key="room")
    assert (mean.source, mean.values) == ("hall", {"t": 2.0})


def test_devices_of_one_pack_have_their_own_state() -> None:
    """As in a file."""
    pack = b'[{"bn":"a:","n":"t","v":1},{"bn":"b:","n":"t","v":10}]'
    found = riotd.run_stream("average", [pack, pack], params={"window": 2}, shards=4)
    assert sorted((one.id, one.source, one.values["t"]) for one in found) == [(2, "a", 1.0), (2, "b", 10.0)]


class Feed:
    """Items without end, and how many were taken."""

    def __init__(self) -> None:
        self.taken = 0
        self.closed = False

    def __iter__(self) -> Iterator[dict[str, object]]:
        try:
            for number in count():
                self.taken += 1
                yield {"device": f"d{number % 3}", "t": float(number)}
        finally:
            self.closed = True


def test_it_looks_ahead_by_one_cut_at_most() -> None:
    """So that neither side has to end, nor to fit in memory."""
    feed = Feed()
    stream = riotd.run_stream("noop", feed)
    assert feed.taken == 0
    for number, record in enumerate(islice(stream, 1000), start=1):
        assert record.id == number
        assert feed.taken <= number + 256


def test_a_consumer_may_stop_early() -> None:
    """Closing, or letting go of it, lets go of the items, too."""
    for close in (True, False):
        feed = Feed()
        stream = riotd.run_stream("noop", feed)
        next(stream)
        held = weakref.ref(stream)
        if close:
            stream.close()  # type: ignore[attr-defined]
        del stream
        gc.collect()
        assert held() is None
        assert feed.closed


def test_a_slow_feed_is_not_made_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each result is there before the next item is asked for, when items come one at a time."""
    monkeypatch.setattr(streaming, "_PATIENCE", 0.0)
    feed = Feed()
    for number, record in enumerate(islice(riotd.run_stream("noop", feed), 20), start=1):
        assert (record.id, feed.taken) == (number, number)


def test_refused_items_are_told() -> None:
    """To whoever asks, with number and reason; the rest goes on."""
    told: list[Reject] = []
    found = list(riotd.run_stream("noop", [b"[", b'[{"bn":"a:","n":"t","v":1}]', b"]"], refused=told.append))
    assert [(reject.id, reject.stage) for reject in told] == [(1, "item"), (3, "item")]
    assert [record.id for record in found] == [2]


def test_refused_items_are_logged_if_nobody_asks(caplog: pytest.LogCaptureFixture) -> None:
    """The first few."""
    with caplog.at_level(logging.WARNING, "riotd.bounded"):
        assert list(riotd.run_stream("noop", [b"["] * 100)) == []
    assert len(caplog.messages) == 5
    assert caplog.messages[0].startswith("item 1 refused: item: not JSON")


def test_strict_gives_what_was_before_the_first_refused() -> None:
    """Then it raises."""
    stream = riotd.run_stream("noop", [*packs(3), b"[", *packs(3)], strict=True)
    assert [next(stream).id for _ in range(3)] == [1, 2, 3]
    with pytest.raises(InputRefused, match=r"item 4: item: not JSON") as caught:
        next(stream)
    assert caught.value.number == 4


def test_what_is_wrong_is_said_at_the_call() -> None:
    """Not when the first result is asked for."""
    with pytest.raises(ConfigError, match=r"average\.window"):
        riotd.run_stream("average", [], params={"window": 0})


def test_one_pool_serves_many_runs_one_at_a_time() -> None:
    """Each from a fresh state; two at once are an error, not a mixture."""
    items = [{"device": "a", "t": 1.0}, {"device": "a", "t": 3.0}]
    with riotd.Pool(shards=2) as pool:
        for _ in range(2):
            assert [one.values["t"] for one in pool.run_stream("average", items, params={"window": 2})] == [2.0]
        first = pool.run_stream("noop", Feed())
        next(first)
        with pytest.raises(RuntimeError, match="busy with another run"):
            next(pool.run_stream("noop", items))
        first.close()  # type: ignore[attr-defined]
        assert len(list(pool.run_stream("noop", items))) == 2


def test_importing_riotd_loads_nothing_of_it() -> None:
    """The attributes are found, but only when asked for."""
    program = (
        "import sys, riotd\n"
        "assert {'Pool', 'run_file', 'run_batch', 'run_stream'} <= set(dir(riotd))\n"
        "print([name for name in ('msgspec', 'riot_tasks', 'riotd.bounded', 'ray') if name in sys.modules])\n"
        "riotd.run_stream\n"
        "print([name for name in ('pydantic', 'ray', 'uvloop', 'yaml') if name in sys.modules])\n"
        "try: riotd.nothing\nexcept AttributeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]", "module 'riotd' has no attribute 'nothing'"]
