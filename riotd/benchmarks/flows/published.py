"""What RIoTBench's authors published of their four dataflows: arXiv 1701.08530, tables 2 and 3, figures 6 to 11.

Read off the vector drawings, within about a millisecond of latency (a tenth of a second where the axis has seconds) and
half a point of CPU and memory. The text of p. 24 gives STATS in milliseconds; axis and caption say seconds, and so do
we.
"""

from typing import Final, Literal, get_args

import msgspec

from riotd.feeds import Dataset

Flow = Literal["etl", "stats", "train", "pred"]
FLOWS: Final[tuple[Flow, ...]] = get_args(Flow)
DATASETS: Final[tuple[Dataset, ...]] = ("city", "fit", "grid", "taxi")
"""In the order of the paper's figures."""

RATES: Final[dict[Dataset, float]] = {"city": 5_000.0, "fit": 500.0, "grid": 10_000.0, "taxi": 4_000.0}
"""Peak input rates, messages a second: table 2. No higher rate of a dataflow is published."""

TICKS: Final[dict[Dataset, float]] = {"city": 1 / 120, "fit": 1 / 60, "taxi": 1 / 120}
"""What TRAIN gets instead, ticks a second: rows of the timer files."""

CORES_OF_VM, GIB_OF_VM = 4, 14
"""Of a D3 in Azure, on which the tasks ran; source, sink and master had a D4 of eight cores to themselves."""


class Published(msgspec.Struct, frozen=True):
    """One dataflow over one data set.

    Attributes:
        latency: seconds from source to sink: lower quartile, median, upper quartile.
        jitter: its median.
        cores: how many had an executor placed on them, two threads a core.
        cpu: median of each VM's CPU, per cent of its four cores.
        memory: median of each VM's memory, per cent of its 14 GiB.
    """

    latency: tuple[float, float, float]
    jitter: float
    cores: int
    cpu: tuple[float, ...]
    memory: tuple[float, ...]

    @property
    def busy(self) -> float:
        """Cores' worth of CPU that the VMs used, their medians together."""
        return sum(self.cpu) / 100 * CORES_OF_VM

    @property
    def bytes(self) -> float:
        """Memory that the VMs used, their medians together."""
        return sum(self.memory) / 100 * GIB_OF_VM * 2**30


def rate(flow: Flow, dataset: Dataset) -> float:
    """Messages a second that a dataflow was given."""
    return TICKS.get(dataset, 0.0) if flow == "train" else RATES[dataset]


def _ms(low: float, middle: float, high: float) -> tuple[float, float, float]:
    return low / 1e3, middle / 1e3, high / 1e3


PUBLISHED: Final[dict[tuple[Flow, Dataset], Published]] = {
    ("etl", "city"): Published(_ms(31, 35, 41), -0.09, 11, (39, 47, 68), (8, 10, 21)),
    ("etl", "fit"): Published(_ms(25, 26, 29), 0.01, 8, (20, 16), (6, 6)),
    ("etl", "grid"): Published(_ms(39, 53, 73), -0.04, 14, (9, 11, 51, 15), (12, 7, 13, 6)),
    ("etl", "taxi"): Published(_ms(30, 33, 38), 0.0, 10, (7, 26, 25), (12, 8, 13)),
    ("stats", "city"): Published(
        (25.1, 25.8, 26.9), 0.0, 27, (40, 26, 72, 44, 52, 49, 34), (21, 15, 84, 44, 52, 46, 39)
    ),
    ("stats", "fit"): Published((24.5, 28.0, 32.8), 0.0, 10, (16, 13, 52), (13, 13, 26)),
    ("stats", "grid"): Published((10.5, 13.2, 17.3), 0.0, 11, (10, 10, 22), (14, 19, 17)),
    ("stats", "taxi"): Published(
        (31.9, 42.9, 51.8), 0.0, 32, (5, 7, 6, 23, 15, 8, 7, 7), (17, 14, 15, 25, 40, 48, 41, 41)
    ),
    ("train", "city"): Published((290, 296, 306), 0.0, 7, (2, 12), (21, 14)),
    ("train", "fit"): Published((58, 64, 70), 0.0, 7, (8, 2), (32, 11)),
    ("train", "taxi"): Published((40, 45, 57), 0.0, 7, (7, 7), (17, 14)),
    ("pred", "city"): Published(_ms(16.5, 22.5, 34), 0.0, 10, (19, 48, 15), (27, 16, 16)),
    ("pred", "fit"): Published(_ms(13, 13.5, 15), 0.0, 9, (11, 14, 0), (31, 19, 7)),
    ("pred", "taxi"): Published(_ms(13, 15, 18), 0.0, 9, (7, 6, 5), (21, 15, 13)),
}
"""TRAIN and PRED were not run over GRID. The fifth VM of STATS over TAXI is drawn between 6 and 24 %, and 15 taken."""
