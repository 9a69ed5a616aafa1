"""The YAML file as types; every mistake in it found at once."""

from riotd.config.advice import warnings
from riotd.config.blocks import (
    BatchLimits,
    Config,
    EngineBlock,
    FileRejects,
    FileSink,
    LogRejects,
    MqttRejects,
    MqttSink,
    StageBlock,
    StateBlock,
    StatsBlock,
)
from riotd.config.connection import Block, Connection, Duration, Secret, Size, Tls
from riotd.config.control import ControlBlock, commands
from riotd.config.endpoints import stood_for
from riotd.config.inlets import AnySource, FileEntry, Inlet, MqttEntry, TimerEntry
from riotd.config.inputs import FileSource, MqttSource
from riotd.config.keying import Key, SourceKey, key_text
from riotd.config.loading import load, schema, settings, settings_text
from riotd.config.memory import Shares, about, shares
from riotd.config.planning import plan
from riotd.config.reloading import FIXED, difference, merged, scaled
from riotd.config.timers import TimerSource

__all__ = [
    "FIXED",
    "AnySource",
    "BatchLimits",
    "Block",
    "Config",
    "Connection",
    "ControlBlock",
    "Duration",
    "EngineBlock",
    "FileEntry",
    "FileRejects",
    "FileSink",
    "FileSource",
    "Inlet",
    "Key",
    "LogRejects",
    "MqttEntry",
    "MqttRejects",
    "MqttSink",
    "MqttSource",
    "Secret",
    "Shares",
    "Size",
    "SourceKey",
    "StageBlock",
    "StateBlock",
    "StatsBlock",
    "TimerEntry",
    "TimerSource",
    "Tls",
    "about",
    "commands",
    "difference",
    "key_text",
    "load",
    "merged",
    "plan",
    "scaled",
    "schema",
    "settings",
    "settings_text",
    "shares",
    "stood_for",
    "warnings",
]
