"""Node-RED as a peer: brought by npm into a cache folder outside the repository, run without its editor."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from bench.broker import free_port

VERSION = "4.1"
Node = dict[str, object]
_FUNCTION = """\
const device = msg.topic.split('/')[1];
const pack = JSON.parse(msg.payload.toString());
const state = context.get('state') || {};
const [estimate, error] = state[device] || [0.0, 30.0];
const prior = error + 0.125, gain = prior / (prior + 0.32);
const next = estimate + gain * (pack[0].v - estimate);
state[device] = [next, (1 - gain) * prior];
context.set('state', state);
msg.topic = 'out/' + device;
msg.payload = JSON.stringify([{bn: pack[0].bn, bt: pack[0].bt, n: 'temperature', u: 'Cel', v: next}]);
return msg;
"""
_SETTINGS = """\
module.exports = {
  uiPort: %d, uiHost: '127.0.0.1', httpAdminRoot: false, httpNodeRoot: false,
  flowFile: 'flows.json', credentialSecret: false, telemetry: {enabled: false, updateNotification: false},
  logging: {console: {level: 'warn', metrics: false, audit: false}},
};
"""


def command(port: int, qos: int, folder: Path) -> list[str]:
    """The command that runs the flow with this broker; installs Node-RED where it is missing.

    Raises:
        RuntimeError: there is no node or npm, or npm fails.
    """
    script = install(cache())
    (folder / "flows.json").write_bytes(msgspec.json.encode(flows(port, qos)))
    (folder / "settings.js").write_text(_SETTINGS % free_port(), encoding="utf-8")
    return ["node", str(script), "--userDir", str(folder)]


def cache() -> Path:
    """Where it is kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "riotd-bench" / f"node-red-{VERSION}"


def install(folder: Path) -> Path:
    """The script that starts Node-RED, installed if need be.

    Raises:
        RuntimeError: there is no node or npm, or npm fails.
    """
    script = folder / "node_modules" / "node-red" / "red.js"
    if script.exists():
        return script
    if not (shutil.which("node") and shutil.which("npm")):
        raise RuntimeError("Node-RED needs node and npm (Debian, Ubuntu: apt-get install npm)")
    folder.mkdir(parents=True, exist_ok=True)
    print(f"installing Node-RED {VERSION} into {folder}", file=sys.stderr)
    npm = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--silent", f"node-red@{VERSION}"]
    if subprocess.run(npm, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode:
        raise RuntimeError(f"npm could not install Node-RED into {folder}")
    return script


def flows(port: int, qos: int) -> list[Node]:
    """MQTT in, a function, MQTT out."""
    broker: Node = {
        "id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(port), "clientid": "",
        "autoConnect": True, "usetls": False, "protocolVersion": "4", "keepalive": "60", "cleansession": True,
    }  # fmt: skip
    source: Node = {
        "id": "in", "type": "mqtt in", "z": "flow", "topic": "sensors/+/senml", "qos": str(qos),
        "datatype": "buffer", "broker": "broker", "inputs": 0, "wires": [["step"]],
    }  # fmt: skip
    step: Node = {"id": "step", "type": "function", "z": "flow", "func": _FUNCTION, "outputs": 1, "wires": [["out"]]}
    sink: Node = {
        "id": "out", "type": "mqtt out", "z": "flow", "topic": "", "qos": str(qos), "retain": "false",
        "broker": "broker", "wires": [],
    }  # fmt: skip
    return [{"id": "flow", "type": "tab", "label": "bench"}, broker, source, step, sink]
