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
    StatsBlock,
)
from riotd.config.connection import Block, Connection, Duration, Secret, Size, Tls
from riotd.config.endpoints import stood_for
from riotd.config.inputs import FileSource, MqttSource
from riotd.config.keying import Key, key_text
from riotd.config.loading import load, schema, settings_text
from riotd.config.planning import plan
from riotd.config.reloading import FIXED, difference, merged

__all__ = [
    "FIXED",
    "BatchLimits",
    "Block",
    "Config",
    "Connection",
    "Duration",
    "EngineBlock",
    "FileRejects",
    "FileSink",
    "FileSource",
    "Key",
    "LogRejects",
    "MqttRejects",
    "MqttSink",
    "MqttSource",
    "Secret",
    "Size",
    "StageBlock",
    "StatsBlock",
    "Tls",
    "difference",
    "key_text",
    "load",
    "merged",
    "plan",
    "schema",
    "settings_text",
    "stood_for",
    "warnings",
]
