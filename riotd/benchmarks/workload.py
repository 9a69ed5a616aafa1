"""What a task is given to do when it is measured."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec

from riotd.dataflow import Outlet, Plan, Stage
from riotd.feeds import city, sensor_id

SENSORS = 90
_PACKS = 2_000
_DEVICES = [sensor_id(number) for number in range(SENSORS)]


class Workload(msgspec.Struct, frozen=True):
    """A plan whose last stage is measured, and what goes in.

    Attributes:
        plan: a parse stage where the task needs one, then the task; one outlet.
        payloads: taken round and round.
        keys: of the payloads; fewer are taken round and round, too.
        batch: messages in a micro-batch, few where one takes milliseconds.
        note: what a reader of the figures must know, or "".
    """

    plan: Plan
    payloads: Sequence[bytes]
    keys: Sequence[str] = ("",)
    batch: int = 350
    note: str = ""


def packs(number: int = _PACKS) -> list[bytes]:
    """SenML packs of a city's sensors, about 380 bytes each, one in a hundred with an outlier."""
    return [pack for _, pack in islice(city(sensors=SENSORS, gaps=0.0), number)]


def chained(
    *stages: tuple[str, dict[str, Any]], note: str = "", payloads: Sequence[bytes] | None = None, batch: int = 350
) -> Workload:
    """Tasks one behind the other, the last of which is measured; over city packs if nothing is said."""
    plan: list[Stage] = []
    for task, params in stages:
        plan.append(Stage(f"{task}-{len(plan)}", task, params, (plan[-1].id,) if plan else ()))
    outlet = Outlet("results", (plan[-1].id,), "json")
    return Workload(Plan(tuple(plan), (outlet,)), packs() if payloads is None else payloads, _DEVICES, batch, note)
