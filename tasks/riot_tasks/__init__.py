"""The task library: stateful stream tasks over sensor records, usable without the daemon."""

from riot_tasks.errors import BadRecord, TaskError, Unavailable
from riot_tasks.record import Aside, Record, Value, aside
from riot_tasks.task import BulkTask, Task

__all__ = ["Aside", "BadRecord", "BulkTask", "Record", "Task", "TaskError", "Unavailable", "Value", "aside"]
