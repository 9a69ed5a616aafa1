"""`pi_viete`: a known amount of arithmetic for each record."""

from collections.abc import Iterable

from riot_tasks.algorithms.float32 import float32
from riot_tasks.algorithms.viete import pi_product, pi_product_from_scratch
from riot_tasks.parameters import flag, whole
from riot_tasks.record import Record, Value
from riot_tasks.task import Task


class PiViete(Task):
    """Works out pi for each record, whatever the record says: a load whose size is known, to try an engine with.

    Args:
        iterations: factors of Viète's product, about 0.1 µs each; past 26 of them the result stays the same.
        parity: RIoTBench's work and precision: every factor's roots are taken anew, iterations ** 2 / 2 square roots
            in all (about 50 ms at 1600), and the result is in single precision.

    The result has one field, `pi`.

    Example:
        >>> from riot_tasks import Record
        >>> [result.values for result in PiViete(iterations=5).process(Record(1, "dev7", 0.0, {"temperature": 20.0}))]
        [{'pi': 3.140331156954752}]

    References:
        Viète, "Variorum de rebus mathematicis responsorum liber VIII" (1593).
        RIoTBench PiByViete, arXiv 1701.08530; in its code, not among the 27 tasks of its paper.
    """

    stateful = False
    pattern = "1:1"

    def __init__(self, *, iterations: int = 1600, parity: bool = False) -> None:
        self.iterations = whole("iterations", iterations, least=1, most=10_000)
        self.parity = flag("parity", parity)

    def process(self, record: Record) -> Iterable[Record]:
        """A record of pi."""
        pi = float32(pi_product_from_scratch(self.iterations)) if self.parity else pi_product(self.iterations)
        values: dict[str, Value] = {"pi": pi}
        return (Record(record.id, record.source, record.time, values, {}, record.meta),)
