"""Who is measured: each a pipeline of commands that turns sensors/+/senml into results below out/.

All but the relay do the same small job: decode a pack of five values, one Kalman step on `temperature` per device,
publish one result per message.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import yaml

from bench import nodered
from bench.broker import program

HERE = Path(__file__).parent
Command = list[str]


class Setting(msgspec.Struct, frozen=True):
    """What a peer is told: the broker's port, the QoS in and out, a folder of its own."""

    port: int
    qos: int
    folder: Path


class Peer(msgspec.Struct, frozen=True):
    """A name, what it is, and how it is started."""

    name: str
    about: str
    commands: Callable[[Setting], Sequence[Command]]


def relay(setting: Setting) -> Sequence[Command]:
    """Two C programs and a pipe, without computation: the ceiling of broker and sockets."""
    where = ["-p", str(setting.port), "-q", str(setting.qos)]
    return [
        [program("mosquitto_sub"), *where, "-t", "sensors/+/senml"],
        [program("mosquitto_pub"), *where, "-l", "-t", "out/relay"],
    ]


def aiomqtt_loop(setting: Setting) -> Sequence[Command]:
    """The loop everybody writes first."""
    return [[sys.executable, str(HERE / "aiomqtt_loop.py"), str(setting.port), str(setting.qos)]]


def node_red(setting: Setting) -> Sequence[Command]:
    """The tool most people reach for."""
    return [nodered.command(setting.port, setting.qos, setting.folder)]


def riotd_inline(setting: Setting) -> Sequence[Command]:
    """The daemon, with its tasks in its own process."""
    return [riotd(setting, {"type": "inline", "shards": 1})]


def riotd_ray(setting: Setting) -> Sequence[Command]:
    """The daemon, with its tasks in two Ray actors."""
    return [riotd(setting, {"type": "ray", "shards": 2})]


def riotd_journal(setting: Setting) -> Sequence[Command]:
    """The daemon as riotd_inline, but acknowledging what is on disk, not what is done."""
    return [riotd(setting, {"type": "inline", "shards": 1}, ack="journal")]


def riotd(setting: Setting, engine: dict[str, str | int], *, ack: str = "processed") -> Command:
    """The command that runs the job on this engine, its config written to the folder."""
    return run_riotd(
        setting.folder,
        {
            "name": "bench",
            "source": {
                "type": "mqtt",
                "url": f"mqtt://127.0.0.1:{setting.port}",
                "topics": ["sensors/+/senml"],
                "qos": setting.qos,
                "session": "persistent" if setting.qos else "clean",  # what QoS 1 is for
            },
            "key": {"topic_level": 1},
            "stages": [
                {"id": "parse", "task": "senml_parse"},
                {"id": "kalman", "task": "kalman_filter", "params": {"fields": ["temperature"]}},
            ],
            "engine": engine,
            "ack": ack,
            "state": {"path": str(setting.folder / "state")},
            "sinks": {"results": {"type": "mqtt", "topic": "out/{source}", "qos": setting.qos}},
        },
    )


def run_riotd(folder: Path, config: dict[str, object]) -> Command:
    """The command that runs a config, which is written to the folder."""
    file = folder / "riotd.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return [str(Path(sys.executable).with_name("riotd")), "run", str(file)]


PEERS = {
    peer.name: peer
    for peer in (
        Peer("relay", "mosquitto_sub | mosquitto_pub, C, no computation", relay),
        Peer("aiomqtt", "a loop on aiomqtt, asyncio", aiomqtt_loop),
        Peer("nodered", "Node-RED, three nodes", node_red),
        Peer("inline", "riotd, tasks in the daemon", riotd_inline),
        Peer("ray", "riotd, tasks in two Ray actors", riotd_ray),
        Peer("journal", "riotd, tasks in the daemon, acknowledged once on disk", riotd_journal),
    )
}
