"""What is fed with anything: each takes bytes, and only what its contract says may come out."""

from collections.abc import Callable
from typing import NamedTuple

from tests.fuzz import packets, settings, states, texts

Try = Callable[[bytes], str]
"""Tries an input; gives in a word what came of it. Whatever it raises is a bug."""


class Target(NamedTuple):
    """Something that takes bytes.

    Attributes:
        run: tries an input.
        corpus: inputs that are right, or nearly.
    """

    run: Try
    corpus: tuple[bytes, ...]


TARGETS = {
    "senml": Target(texts.senml_json, texts.PACKS),
    "cbor": Target(texts.senml_cbor, texts.CBOR_PACKS),
    "tasks": Target(texts.tasks, texts.LINES),
    "lines": Target(texts.lines, texts.LINES),
    "recording": Target(texts.recording, texts.LINES),
    "letters": Target(texts.letters, texts.LETTERS),
    "timetable": Target(texts.timetable, texts.TIMETABLES),
    "models": Target(texts.models, texts.MODELS),
    "control": Target(texts.control, texts.REQUESTS),
    "config": Target(settings.config_text, settings.CONFIGS),
    "setting": Target(settings.setting, settings.SETTINGS),
    "journal": Target(states.journal, states.JOURNALS),
    "snapshot": Target(states.snapshot, states.SNAPSHOTS),
    "places": Target(states.places, states.PLACES),
    "suspects": Target(states.suspects, states.SUSPECTS),
    "mqtt": Target(packets.inbound, packets.STREAMS),
    "answers": Target(packets.outbound, packets.ANSWERS),
}
