"""The booted machine, with riotd installed as systemd/README.md says."""

import re
from collections.abc import Callable, Iterator
from itertools import count

import pytest
import yaml

from tests.riotd.brokers import Broker
from tests.systemd.machine import REPOSITORY, CannotBootError, Machine

_NAMES = count(1)
README = (REPOSITORY / "systemd/README.md").read_text(encoding="utf-8")
FLOW = {
    "source": {"type": "mqtt", "topics": ["in/+"], "session": "persistent"},
    "key": {"topic_level": 1},
    "stages": [{"task": "senml_parse"}],
}


def typed(heading: str, *, port: int = 1883) -> str:
    """What an administrator types under a heading, but for the environment, which is there; configs name `port`."""
    section = README.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].splitlines()  # type: ignore[index]
    kept = [line for line in lines if "/pip install" not in line and "-m venv" not in line]
    adapted = f"sed -i 's/:1883/:{port}/' /etc/riotd/*.yaml"
    at = kept.index("systemctl daemon-reload") if "systemctl daemon-reload" in kept else len(kept)
    return "\n".join(["cd /opt/source/systemd", *kept[:at], adapted, *kept[at:]])


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A booted systemd that knows the units; where there can be none, its tests are skipped."""
    try:
        booted = Machine(tmp_path_factory.mktemp("machine"))
    except CannotBootError as reason:
        pytest.skip(str(reason))
    with booted:
        until_started, _, _ = typed("Install").partition("cp ../config")
        booted.run("sh", "-ec", until_started)
        yield booted


@pytest.fixture
def make_instance(machine: Machine, broker: Broker) -> Iterator[Callable[..., str]]:
    """Starts `riotd@<a name of its own>` on the test's broker; gives the unit. `drop_in` is for its [Service]."""
    made: list[str] = []

    def make(name: str = "", *, drop_in: str = "", **changes: object) -> str:
        name = name or f"flow{next(_NAMES)}"
        unit = f"riotd@{name}.service"
        made.append(unit)
        source = FLOW["source"] | {"url": broker.url}  # type: ignore[operator] # a dict, too
        sinks = {"results": {"type": "mqtt", "topic": f"{name}/{{source}}"}}
        config = {"name": name, **FLOW, "source": source, "sinks": sinks} | changes
        machine.write(f"/etc/riotd/{name}.yaml", yaml.safe_dump(config))
        if drop_in:
            machine.write(f"/etc/systemd/system/{unit}.d/test.conf", f"[Service]\n{drop_in}\n")
            machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "start", unit, check=False)
        return unit

    yield make
    for unit in made:
        machine.run("systemctl", "stop", unit)
        machine.run("systemctl", "reset-failed", unit, check=False)
