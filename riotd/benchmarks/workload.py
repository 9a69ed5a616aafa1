"""What a task is given to do when it is measured."""

from collections.abc import Sequence

import msgspec

from riotd.dataflow import Plan
from riotd.partitioning import KeyOf, one_key


class Workload(msgspec.Struct, frozen=True):
    """A plan whose last stage is measured, and what goes in.

    Attributes:
        plan: a parse stage where the task needs one, then the task; one outlet.
        payloads: taken round and round.
        key: of a message.
        note: what a reader of the figures must know, or "".
    """

    plan: Plan
    payloads: Sequence[bytes]
    key: KeyOf = one_key
    note: str = ""
