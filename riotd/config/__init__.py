"""The YAML file as types; every mistake in it found at once."""

from riotd.config.blocks import (
    BatchLimits,
    Config,
    EngineBlock,
    FileRejects,
    FileSink,
    FileSource,
    Key,
    LogRejects,
    MqttRejects,
    MqttSink,
    MqttSource,
    StageBlock,
    StatsBlock,
)
from riotd.config.connection import Block, Connection, Duration, Secret, Size, Tls

__all__ = [
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
]
