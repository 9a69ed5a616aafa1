"""What a person reads when there is no connection: the cause, once, and the end of it."""

import asyncio
import errno
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mqttium import BrokerDisconnectError, ConnectRefusedError, MalformedPacketError, MQTTError

from riotd import config
from riotd.mqtt import Patience
from riotd.mqtt.faults import explain
from riotd.sources.mqtt import MqttSource
from tests.riotd.brokers import MOSQUITTO, Answer, Broker, Ears, scripted, until
from tests.riotd.mqtt_parties import HASTY, collect, numbers, publish, source, stranger

PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")

CONNACK = b"\x20\x03\x00\x00\x00"
"""Of MQTT 5: accepted, a new session."""


def passwords(broker: Broker, **users: str) -> None:
    """Make these the broker's users; a running one is told."""
    file = broker.folder / "passwords"
    file.write_text("".join(f"{user}:{password}\n" for user, password in users.items()))
    subprocess.run(["mosquitto_passwd", "-U", str(file)], check=True)
    if broker._process is not None:
        broker._process.send_signal(signal.SIGHUP)


@pytest.fixture
def guarded(make_broker: Callable[..., Broker]) -> Broker:
    """A broker, not running, that wants a password and knows an access list."""
    broker = make_broker()
    acl = broker.folder / "acl"
    acl.write_text("user ann\ntopic readwrite allowed/#\n")
    broker.lines += ["allow_anonymous false", f"password_file {broker.folder}/passwords", f"acl_file {acl}"]
    passwords(broker, ann="right")
    return broker


@needs_mosquitto
async def test_waits_for_a_broker_that_is_not_there_yet(make_broker: Callable[..., Broker], ears: Ears) -> None:
    """No broker at start is said once, however often it is tried, and so is its coming."""
    broker = make_broker()
    async with source(broker, "n") as ours:
        await _counted(ours, "failures", 4)
        assert ears.count("connection refused, nothing listens there") == 1
        broker.start()
        await ears.hear("subscribed")
        await publish(broker, "n", [1])
        assert numbers(await collect(ours, 1)) == [1]
    assert ears.count("connected, session new") == 1


async def test_an_unknown_host_is_named(ears: Ears, tmp_path: Path) -> None:
    """A name that DNS does not know."""
    async with source(Broker(tmp_path), "n", url="mqtt://no-such-host.invalid"):
        await ears.hear("the name no-such-host.invalid can't be resolved")


async def test_a_host_that_does_not_answer_is_named(ears: Ears, tmp_path: Path) -> None:
    """A listener that accepts but never answers CONNECT is no broker."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with source(Broker(tmp_path), "n", url=f"mqtt://127.0.0.1:{silent.getsockname()[1]}"):
            await ears.hear("reachable, but no answer to CONNECT")


@needs_mosquitto
@PROTOCOLS
async def test_a_bad_password_is_said_and_its_correction_noticed(
    guarded: Broker, ears: Ears, tmp_path: Path, protocol: str
) -> None:
    """A refused password is one error that keeps no secret, and the link connects once the broker agrees."""
    secret = tmp_path / "secret"
    secret.write_text("s3cr3t\n")
    guarded.start()
    login = {"username": "ann", "password": {"file": str(secret)}, "protocol": protocol}
    async with source(guarded, "allowed/n", **login) as ours:
        await ears.hear("not authorized to connect; see username:, password:")
        await _counted(ours, "failures", 4)
        assert ears.count("not authorized") == 1
        passwords(guarded, ann="s3cr3t")
        await ears.hear("subscribed")
        assert "s3cr3t" not in repr(vars(ours._subscriber)) + repr(ours._subscriber._block)
    assert not ears.count("s3cr3t")


@needs_mosquitto
@PROTOCOLS
async def test_a_password_withdrawn_later_is_said(guarded: Broker, ears: Ears, tmp_path: Path, protocol: str) -> None:
    """A refusal at a reconnect is told like one at the start, and overcome like it."""
    secret = tmp_path / "secret"
    secret.write_text("right")
    guarded.start()
    login = {"username": "ann", "password": {"file": str(secret)}, "protocol": protocol}
    async with source(guarded, "allowed/n", **login) as ours:
        await ears.hear("subscribed")
        guarded.stop()
        passwords(guarded, ann="other")
        guarded.start()
        await ears.hear("not authorized")
        passwords(guarded, ann="right")
        await ears.hear("subscribed", times=2)
        async with stranger(guarded, username="ann", password="right") as client:
            await client.publish("allowed/n", "7", qos=1)
        assert numbers(await collect(ours, 1)) == [7]


async def test_a_refused_subscription_names_its_filter(ears: Ears, tmp_path: Path) -> None:
    """SUBACK's failure is told once with the filter, and it alone is asked for again until it is granted."""
    asked: list[bytes] = []

    def suback(*codes: int) -> Answer:
        def answer(packet: bytes) -> bytes:
            asked.append(packet)
            return bytes([0x90, 3 + len(codes), *packet[:2], 0, *codes])

        return answer

    script = [lambda _: CONNACK, suback(1, 0x87), suback(0x87), suback(1)]
    hasty = Patience(first=0.001, longest=0.01, moment=0.1)
    async with scripted(script) as url, source(Broker(tmp_path), "open/n", "shut/n", url=url, patience=hasty):
        await ears.hear("subscribed to shut/n")
    assert ears.count("subscribed to open/n") == 1
    assert ears.count("subscription to shut/n refused: not authorized; see the broker's access list") == 1
    assert [b"open/n" in packet for packet in asked] == [True, False, False]


@needs_mosquitto
@PROTOCOLS
async def test_a_lower_qos_than_asked_for_is_said(
    make_broker: Callable[..., Broker], ears: Ears, protocol: str
) -> None:
    """A broker that grants less is believed, not trusted in silence."""
    broker = make_broker("max_qos 0")
    broker.start()
    async with source(broker, "n", protocol=protocol):
        await ears.hear("subscription to n: the broker grants QoS 0, not 1")


async def test_a_take_over_is_called_by_its_name(ears: Ears, tmp_path: Path) -> None:
    """A broker that says so threw us out for our client id; we say so, too, stay away for a while, and come back."""
    suback: Answer = lambda packet: bytes([0x90, 4, *packet[:2], 0, 1])  # noqa: E731 - one of several answers
    thrown_out: Answer = lambda packet: suback(packet) + b"\xe0\x02\x8e\x00"  # noqa: E731
    message: Answer = lambda packet: suback(packet) + b"\x32\x08\x00\x01n\x00\x07\x00hi"  # noqa: E731
    start: Answer = lambda _: CONNACK  # noqa: E731
    loop = asyncio.get_running_loop()
    async with scripted([start, thrown_out], [start, message]) as url, source(Broker(tmp_path), "n", url=url) as ours:
        await ears.hear("taken over by another client with the same client_id; give each its own")
        begun = loop.time()
        assert [message.payload for message in await collect(ours, 1)] == [b"hi"]
        assert loop.time() - begun > HASTY.taken_over / 3


@needs_mosquitto
@PROTOCOLS
async def test_an_unspoken_take_over_is_suspected(broker: Broker, ears: Ears, protocol: str) -> None:
    """Where the broker gives no reason, as MQTT 3.1.1 can't, being thrown out twice in a row raises the suspicion."""
    async with source(broker, "n", protocol=protocol, session="persistent", client_id="shared") as ours:
        for lost in range(2):
            await _counted(ours, "connects", lost + 1)
            async with stranger(broker, identifier="shared", clean_session=False):
                await _counted(ours, "losses", lost + 1)
        await ears.hear("taken over by another client with the same client_id")
        await publish(broker, "n", range(3))
        assert numbers(await collect(ours, 3)) == [0, 1, 2]


@needs_mosquitto
async def test_a_frozen_broker_is_a_keep_alive_time_out(broker: Broker, ears: Ears) -> None:
    """A broker that no longer answers is noticed by the keep-alive, found again, and not taken for a take-over."""
    async with source(broker, "n", keepalive=1) as ours:
        for lost in range(2):
            await _counted(ours, "connects", lost + 1)
            broker.freeze()
            await _counted(ours, "losses", lost + 1)
            broker.thaw()
        await _counted(ours, "connects", 3)
    assert ears.count("keep-alive time-out") > 0
    assert ears.count("taken over") == 0


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_broker_of_another_protocol_version_is_told(ears: Ears, tmp_path: Path, version: str) -> None:
    """The message for a protocol that the broker does not speak names the setting to change."""
    remedies = {"5": 'set protocol: "3.1.1"', "3.1.1": 'set protocol: "5"'}
    script = [lambda _: b"\x20\x02\x00\x01", lambda _: b""]
    async with scripted(script) as url, source(Broker(tmp_path), "n", url=url, protocol=version):
        await ears.hear(remedies[version])


@pytest.mark.parametrize(
    ("error", "protocol", "words"),
    [
        (ConnectRefusedError(0x86), "5", "bad user name or password"),
        (ConnectRefusedError(4), "3.1.1", "bad user name or password"),
        (ConnectRefusedError(2), "3.1.1", "refuses this client_id"),
        (ConnectRefusedError(0x84), "5", 'set protocol: "3.1.1"'),
        (ConnectRefusedError(0x88), "5", "unavailable"),
        (ConnectRefusedError(0xFE), "5", "reason 0xfe"),
        (BrokerDisconnectError(0x8B), "5", "shutting down"),
        (BrokerDisconnectError(0x8E), "5", "taken over by another client"),
        (MalformedPacketError("?"), "5", 'set protocol: "3.1.1"'),
        (MQTTError("Connection closed"), "3.1.1", "closed the connection without a reason"),
        (None, "5", "closed the connection without a reason"),
        (OSError(errno.EHOSTUNREACH, "x"), "5", "no route to the host"),
        (OSError("Multiple exceptions: [Errno 111] a, [Errno 111] b"), "5", "connection refused"),
        (TimeoutError(), "5", "no answer from the host"),
    ],
)
def test_every_cause_has_its_words(error: BaseException | None, protocol: str, words: str) -> None:
    """Reason codes and system errors are told in words a person can act on."""
    connection = config.Connection(url="mqtt://broker", protocol=protocol)  # type: ignore[arg-type]
    assert words in explain(error, connection).text


async def _counted(ours: MqttSource, count: str, wanted: int) -> None:
    await until(lambda: ours.counters()[count] >= wanted)
