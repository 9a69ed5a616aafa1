"""What can go wrong in the daemon, and who does what about it.

RiotdError
├── ConfigError      the file is wrong: refuse to start (exit 78), all mistakes at once
├── TransportError   broker or file out of reach: reconnect for ever, say so once per change
└── EngineError      the place where tasks run failed
    ├── ShardLost    an actor died: restore and resubmit
    └── ShardTimeout an actor did not answer in time
riot_tasks.errors.TaskError is the tasks' own tree. Anything else is a bug: crash, let systemd restart;
nothing unsettled was acknowledged.
"""

import msgspec


class RiotdError(Exception):
    """The common root."""


class Mistake(msgspec.Struct, frozen=True):
    """One thing wrong in a configuration: where, what, and what to do."""

    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")


class ConfigError(RiotdError):
    """A configuration that can't be run; carries every mistake found."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class TransportError(RiotdError):
    """A broker or a file is out of reach."""


class EngineError(RiotdError):
    """The engine could not do its work."""


class ShardLost(EngineError):  # noqa: N818 - it names what happened
    """A shard's worker died before it answered.

    Args:
        what: happened, in words.
        deed: what the worker was doing that it had to be ended for, as `took longer than 30s`; "" if it just died.
    """

    def __init__(self, what: str, *, deed: str = "") -> None:
        super().__init__(f"{what}: {deed}" if deed else what)
        self.deed = deed


class ShardTimeout(EngineError):  # noqa: N818
    """A shard's worker did not answer in time."""
