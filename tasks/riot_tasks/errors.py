"""What a task may raise.

TaskError
├── BadRecord        this record, never: a dead letter with its reason
└── Unavailable      the world outside the task: retry with back-off
"""


class TaskError(Exception):
    """The common root of what a task raises on purpose."""


class BadRecord(TaskError):  # noqa: N818 - it names the record's fate, as in the design
    """This record can never be processed; the reason is for whoever reads the dead letter."""


class Unavailable(TaskError):  # noqa: N818
    """Something outside the task is out of reach; the same record may succeed later."""
