import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import e2e, load
from bench.broker import Broker
from bench.collect import Collector, Latencies
from bench.fates import Fates
from bench.load import Load
from bench.usage import Family

pytestmark = pytest.mark.skipif(
    shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") is None, reason="mosquitto is not installed"
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as broker:
        yield broker


def sent_and_seen(what: Load, reader: Fates | Latencies) -> int:
    collector = Collector(what.port, "sensors/#")
    collector.expect(what.messages, reader)
    load.finish(load.start(what), 30)
    collector.wait_while_it_comes(5)
    collector.close()
    return collector.count


def test_the_pack_is_of_the_size_all_figures_are_for() -> None:
    """Every pack has 258 bytes and is SenML with the instant at which it is due."""
    for number in (0, 57, 99):
        pack = load.pack(Load(1883, 1), number, 1.7e9)
        assert len(pack) == 258
        assert json.loads(pack)[0]["bt"] == 1.7e9


@pytest.mark.parametrize("qos", [0, 1])
def test_the_load_arrives(broker: Broker, qos: int) -> None:
    """All that the generator sends comes out of the broker once and in order, at either QoS."""
    fates = Fates(3000, 7)
    assert sent_and_seen(Load(broker.port, 3000, devices=7, qos=qos, numbered=True), fates) == 3000
    assert (fates.lost, fates.doubled, fates.disordered) == (0, 0, 0)


def test_latency_counts_from_the_due_time(broker: Broker) -> None:
    """With a rate every pack carries its due time: no latency is below zero or above the test's patience."""
    latencies = Latencies()
    sent_and_seen(Load(broker.port, 200, rate=1000.0), latencies)
    assert len(latencies.values) == 200
    assert all(-0.1 <= value < 5000 for value in latencies.values)  # bt has microseconds, the clock's offset less


def test_a_stalled_broker_answers_again(broker: Broker) -> None:
    """A stalled broker hands nothing on; once it goes on, all that was waiting comes."""
    collector = Collector(broker.port, "sensors/#")
    collector.expect(100)
    broker.stall()
    sending = load.start(Load(broker.port, 100))
    assert not collector.wait(1)
    broker.resume()
    load.finish(sending, 30)
    assert collector.wait(10)
    collector.close()


def test_family_finds_a_process_that_left_the_tree(tmp_path: Path) -> None:
    """A process that gave itself a new parent is found, counted and ended with the rest."""
    orphan = "import os, time; os.fork() and os._exit(0); os.setsid(); print(os.getpid(), flush=True); time.sleep(600)"
    mother = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {orphan!r}]); time.sleep(600)"
    note = tmp_path / "log"
    with Family([[sys.executable, "-c", mother]], log=str(note), patience=5) as family:
        pid = first_line(note)
        assert {pid, family.started[0].pid} <= {member.pid for member in family.members()}
        assert family.usage().unique > 0
    assert family.members() == []


def first_line(file: Path) -> int:
    """The number in the file's first line, once it is there."""
    tail = subprocess.Popen(["tail", "-n", "+1", "-f", str(file)], stdout=subprocess.PIPE)
    assert tail.stdout is not None
    line = tail.stdout.readline()
    tail.kill()
    tail.communicate()
    return int(line)


@pytest.mark.skipif(shutil.which("mosquitto_sub") is None, reason="mosquitto's clients are not installed")
def test_one_round_with_the_relay(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole run measures the relay, loses nothing, prints JSON and keeps it."""
    monkeypatch.setattr(e2e, "RESULTS", tmp_path / "results")
    code = e2e.main(["--messages", "1000", "--rounds", "1", "--peers", "relay", "--json"])
    document = json.loads(capsys.readouterr().out)
    (measurement,) = document["rounds"][0]
    assert (code, measurement["peer"], measurement["results"]) == (0, "relay", 1000)
    assert measurement["per_second"] > 0
    assert measurement["processes"] == 2
    (kept,) = (tmp_path / "results").iterdir()
    assert json.loads(kept.read_text(encoding="utf-8")) == document


def test_the_relay_is_always_what_is_compared_with() -> None:
    """At QoS 1 the relay still runs, at QoS 0 and once; an unknown peer ends the run."""
    assert e2e.cases_of(["inline", "relay", "ray"], "1") == [("relay", 0), ("inline", 1), ("ray", 1)]
    assert e2e.cases_of(["relay", "inline"], "both") == [("relay", 0), ("inline", 0), ("inline", 1)]
    with pytest.raises(SystemExit, match="no such peer: kafka"):
        e2e.cases_of(["kafka"], "0")
