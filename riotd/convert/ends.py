"""Where messages come from and results go: the MQTT keys, for what RIoTBench has as a file in the process."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from riotd.convert.drafts import Draft, Given
from riotd.convert.settings import Settings

_IN, _OUT, _ID = "IO.MQTT_SUBSCRIBE.", "IO.MQTT_PUBLISH.", "PARSE.ID_FIELD_SCHEMA"
_SCHEMES = {"tcp": "mqtt", "mqtt": "mqtt", "ssl": "mqtts", "mqtts": "mqtts"}
"""Paho's and riotd's schemes, in riotd's."""


class Ends(msgspec.Struct, frozen=True):
    """A configuration's blocks beside its stages.

    Attributes:
        source: where messages come from.
        key: which column says the device; empty if all messages have one key.
        sinks: where results go, by the dataflow's name.
        who: lines that say who we are to the source's broker, for a comment.
        who_out: the same, to the broker of the results, where that is another.
    """

    source: dict[str, Any]
    key: dict[str, str]
    sinks: dict[str, dict[str, Any]]
    who: list[str]
    who_out: list[str]


def ends(given: Given, flows: dict[str, list[Draft]]) -> Ends:
    """The source, the key and a sink for each dataflow that gives results."""
    settings, key = given.settings, _key(given, list(flows))
    url = settings.take(f"{_IN}APOLLO_URL", "source.url", url_of) or "mqtt://localhost:1883"
    out = settings.take(f"{_OUT}APOLLO_URL", "sinks", url_of) or url
    why = "RIoTBench replays a file, and subscribes for the names of models only"
    topic = settings.take(f"{_IN}TOPIC_NAME", "source.topics", str, why) or "sensors/+/senml"
    root = (
        settings.take(f"{_OUT}TOPIC_NAME", "sinks", str, "each dataflow has topics of its own, below it") or "results"
    )
    live = {name: drafts for name, drafts in flows.items() if _results(drafts)} or flows
    rest = "/{source}" if key else ""
    sinks = {name: _sink(name, f"{root}/{name}{rest}", drafts) for name, drafts in live.items()}
    who = _who(settings, _IN, "source", "MQTT_PASSWORD")
    who_out = _who(settings, _OUT, "sinks", "MQTT_PASSWORD" if out == url else "MQTT_OUT_PASSWORD")
    source = {"type": "mqtt", "url": url, "topics": [topic], "session": "persistent"}
    if out == url:
        return Ends(source, key, sinks, who or who_out, [])
    return Ends(source, key, {name: {**sink, "connection": {"url": out}} for name, sink in sinks.items()}, who, who_out)


def _key(given: Given, flows: Sequence[str]) -> dict[str, str]:
    """State is for each device, but RIoTBench's TRAIN learns from all of them together."""
    if flows == ["train"]:
        given.settings.leave(_ID, "models are learnt from all devices together: all messages have one key")
        return {}
    given.settings.put(_ID, "key.field")
    return {"field": given.id} if given.id else {}


def _sink(flow: str, topic: str, drafts: Sequence[Draft]) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "mqtt", "topic": topic, "from": _results(drafts) or [drafts[0].id]}
    return block if flow == "etl" else {**block, "format": "json"}  # RIoTBench has SenML in ETL only, too


def _results(drafts: Sequence[Draft]) -> list[str]:
    """The stages that can be run and that no other takes from; not the one that parses."""
    taken = {name for draft in drafts if not draft.lacks for name in draft.after}
    return [draft.id for draft in drafts if draft.after and not draft.lacks and draft.id not in taken]


def url_of(text: str) -> str:
    """A broker's URL as riotd has it, of one as Paho has it; without credentials.

    Raises:
        ValueError: it is none.
    """
    try:
        parts = urlsplit(text)
        scheme, host, port = _SCHEMES[parts.scheme], parts.hostname, parts.port
    except (KeyError, ValueError):
        host = None
    if not host:
        raise ValueError("is no broker's URL")
    return f"{scheme}://" + (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")


def _who(settings: Settings, prefix: str, block: str, variable: str) -> list[str]:
    """The lines that say who we are, for whoever makes the secret known."""
    lines = []
    if user := settings.peek(f"{prefix}APOLLO_USER"):
        settings.leave(f"{prefix}APOLLO_USER", f"goes with the password: a comment in {block}")
        lines.append(f"username: {user}")
    if settings.peek(f"{prefix}APOLLO_PASSWORD"):
        why = f"a secret, which riotd takes by reference only: a comment in {block}"
        settings.leave(f"{prefix}APOLLO_PASSWORD", why)
        lines.append(f"password: {{env: {variable}}}")
    return lines
