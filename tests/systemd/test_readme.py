"""systemd/README.md: what stands there, typed on a machine."""

import re
import socket
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.e2e.daemon import Listener, pack, publish
from tests.riotd.brokers import Broker
from tests.systemd.conftest import typed
from tests.systemd.machine import Machine

CITY, RAY, FLOWS = "riotd@city.service", "riotd-ray.service", "riotd-flows.target"
SHARED = "127.0.0.1:6380"


@pytest.fixture(autouse=True)
def _nothing_left(machine: Machine) -> Iterator[None]:
    """Afterwards none of the units runs."""
    yield
    machine.run("systemctl", "stop", FLOWS, CITY, RAY, check=False)


async def results(broker: Broker) -> None:
    """Return when the city's daemon makes results of what comes."""
    async with Listener(broker.port, "results/#") as listener:
        await publish(broker.port, [("sensors/dev1/senml", pack(1))])
        await listener.count(1)


async def test_an_instance(machine: Machine, broker: Broker) -> None:
    """One dataflow is installed, enabled and started, and does its work."""
    machine.run("sh", "-ec", typed("Install", port=broker.port))
    assert machine.run("systemctl", "is-enabled", CITY) == "enabled\n"
    await results(broker)


@pytest.mark.ray
@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")
async def test_a_ray_for_all(machine: Machine, broker: Broker) -> None:
    """An instance joins the head of the other unit, has no Ray of its own, and does its work."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 6380)) == 0:
            pytest.skip("somebody else has the head's port")
    machine.run("sh", "-ec", typed("Install", port=broker.port))
    config = machine.path("/etc/riotd/city.yaml").read_text()
    machine.write("/etc/riotd/city.yaml", f'{config}\nengine: {{type: ray, address: "{SHARED}"}}\n')
    machine.run("sh", "-ec", typed("A Ray for all", port=broker.port))
    assert "raylet" in machine.run("systemctl", "status", "--no-pager", RAY)
    assert "raylet" not in machine.run("systemctl", "status", "--no-pager", CITY)
    await results(broker)


@pytest.mark.skipif(find_spec("sklearn") is None or find_spec("obstore") is None, reason="the extras are not installed")
def test_the_four_dataflows(machine: Machine, broker: Broker) -> None:
    """All four start with their target, share a folder, and stop with it, each drained."""
    machine.run("sh", "-ec", typed("The four dataflows", port=broker.port))
    units = [f"riotd@{flow}.service" for flow in ("etl", "stats", "train", "pred")]
    assert [machine.properties(unit)["ActiveState"] for unit in units] == ["active"] * 4
    machine.run("systemctl", "stop", FLOWS)
    assert {machine.properties(unit)["ActiveState"] for unit in units} <= {"inactive", "deactivating"}
    for unit in units:
        assert machine.await_unit(unit, ActiveState="inactive")["Result"] == "success"
        assert re.search(r"received (\d+) = settled \1 \+ in flight 0", machine.journal(unit))
