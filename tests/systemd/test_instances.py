"""riotd@.service in a systemd that really runs."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from riotd.cli.verbs import EXIT_CONFIG
from tests.e2e.daemon import Listener, feed, publish
from tests.riotd.brokers import Broker, free_port
from tests.systemd.machine import Machine

MakeInstance = Callable[..., str]
DYNAMIC = range(61184, 65520)
"""Users that systemd makes up for a service."""


def name_of(unit: str) -> str:
    """`flow1` of `riotd@flow1.service`."""
    return unit.partition("@")[2].removesuffix(".service")


class TestStart:
    async def test_returns_when_it_takes_messages_in(self, broker: Broker, make_instance: MakeInstance) -> None:
        """What is published as soon as `systemctl start` returns is heard as results."""
        async with Listener(broker.port, "+/dev0", "+/dev1", "+/dev2", "+/dev3", "+/dev4") as listener:
            unit = make_instance()
            await publish(broker.port, feed(10))
            await listener.until(lambda heard: sum(topic.startswith(name_of(unit)) for topic, _ in heard) == 10)

    def test_without_a_broker_succeeds_with_a_warning(self, machine: Machine, make_instance: MakeInstance) -> None:
        """The instance is up, goes on trying, and the journal has that as a warning."""
        source = {"type": "mqtt", "url": f"mqtt://127.0.0.1:{free_port()}", "topics": ["in/+"]}
        unit = make_instance(source=source)
        machine.await_unit(unit, ActiveState="active", SubState="running")
        machine.run("journalctl", "--sync")
        warnings = machine.run("journalctl", "-u", unit, "-p", "warning", "-o", "cat").splitlines()
        assert warnings
        assert all("nothing listens there" in line for line in warnings)

    def test_is_as_somebody_who_may_nothing(self, machine: Machine, make_instance: MakeInstance) -> None:
        """A user made up by systemd, without capabilities, behind a filter of system calls; its state is its own."""
        unit = make_instance()
        process = machine.properties(unit)["MainPID"]
        lines = machine.path(f"/proc/{process}/status").read_text().splitlines()
        status = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
        user = int(status["Uid"][0])
        assert user in DYNAMIC
        assert {status[name][0] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
        assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["2"])
        folder = machine.path(f"/var/lib/private/riotd/{name_of(unit)}").stat()
        assert (folder.st_uid, folder.st_mode & 0o777) == (user, 0o700)

    def test_gives_each_a_user_of_its_own(self, machine: Machine, make_instance: MakeInstance) -> None:
        """What one instance keeps no other can read."""
        folders = [machine.path(f"/var/lib/private/riotd/{name_of(make_instance())}").stat() for _ in range(2)]
        assert folders[0].st_uid != folders[1].st_uid

    def test_of_a_wrong_config_is_not_tried_again(self, machine: Machine, make_instance: MakeInstance) -> None:
        """Exit 78 is the end of it, whatever Restart= says, and the journal names the mistake."""
        unit = make_instance(stages=[{"task": "no_such_task"}])
        found = machine.await_unit(unit, ActiveState="failed", SubState="failed")
        assert (found["ExecMainStatus"], found["NRestarts"]) == (str(EXIT_CONFIG), "0")
        assert "no_such_task" in machine.journal(unit)

    def test_hands_over_a_password(
        self, machine: Machine, make_broker: Callable[..., Broker], make_instance: MakeInstance, tmp_path: Path
    ) -> None:
        """A secret from /etc/credstore reaches the daemon as its credential, and with it the broker."""
        passwords = tmp_path / "passwords"
        passwords.write_text("gateway:secret\n")
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
        strict = make_broker("allow_anonymous false", f"password_file {passwords}")
        strict.start()
        machine.write("/etc/credstore/riotd.gateway.mqtt-password", "secret")
        source = {"type": "mqtt", "url": strict.url, "topics": ["in/+"], "username": "gateway"}
        unit = make_instance("gateway", source={**source, "password": {"credential": "mqtt-password"}})
        assert "as riotd-gateway-in: subscribed to in/+" in machine.journal(unit)


class TestLife:
    async def test_survives_kill_9(self, machine: Machine, broker: Broker, make_instance: MakeInstance) -> None:
        """A killed daemon is started again, and what was published in between gives its results."""
        unit = make_instance(drop_in="RestartSec=100ms")
        async with Listener(broker.port, f"{name_of(unit)}/#") as listener:
            machine.run("systemctl", "kill", "--signal=KILL", unit)
            await publish(broker.port, feed(10))
            machine.await_unit(unit, NRestarts="1", ActiveState="active", SubState="running")
            await listener.count(10)

    def test_of_a_frozen_daemon_is_ended_by_the_watchdog(self, machine: Machine, make_instance: MakeInstance) -> None:
        """A daemon that says nothing for WatchdogSec= is replaced by a new one."""
        unit = make_instance(drop_in="WatchdogSec=2s\nRestartSec=100ms")
        process = machine.properties(unit)["MainPID"]
        machine.run("systemctl", "kill", "--signal=STOP", unit)
        found = machine.await_unit(unit, NRestarts="1", ActiveState="active", SubState="running")
        assert found["MainPID"] != process
        assert "Watchdog timeout" in machine.journal(unit)

    async def test_goes_on_through_a_reload(
        self, machine: Machine, broker: Broker, make_instance: MakeInstance
    ) -> None:
        """`systemctl reload` brings the new config to the same process."""
        unit = make_instance()
        before = machine.properties(unit)["MainPID"]
        file = f"/etc/riotd/{name_of(unit)}.yaml"
        machine.write(file, machine.path(file).read_text().replace(f"{name_of(unit)}/{{source}}", "changed/{source}"))
        machine.run("systemctl", "reload", unit)
        machine.await_line(unit, "reloaded: sinks")
        async with Listener(broker.port, "changed/#") as listener:
            await publish(broker.port, feed(1))
            await listener.count(1)
        assert machine.properties(unit)["MainPID"] == before

    async def test_ends_with_a_drain(self, machine: Machine, broker: Broker, make_instance: MakeInstance) -> None:
        """At `systemctl stop` what came in is settled, and that is a success; the rest is there at the next start."""
        unit = make_instance()
        async with Listener(broker.port, f"{name_of(unit)}/#") as listener:
            await publish(broker.port, feed(100))
            machine.run("systemctl", "stop", unit)
            found = machine.properties(unit)
            assert (found["Result"], found["ExecMainStatus"]) == ("success", "0")
            assert re.search(r"received (\d+) = settled \1 \+ in flight 0", machine.journal(unit))
            machine.run("systemctl", "start", unit)
            await listener.count(100)


def test_exposure_as_systemd_sees_it(machine: Machine) -> None:
    """The loaded unit's exposure is 2.0 or better."""
    machine.run("systemd-analyze", "security", "--no-pager", "--threshold=20", "riotd@any.service")
