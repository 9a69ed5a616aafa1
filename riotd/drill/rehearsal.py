"""What comes of a dataflow when nothing happens to it: learnt by running it so."""

import msgspec

from riotd.clock import Clock
from riotd.drill.judge import Judge
from riotd.drill.scratch import Options
from riotd.drill.session import Drill
from riotd.drill.subject import Finding, Subject


async def rehearsed(options: Options, subject: Subject, *, clock: Clock) -> list[Finding]:
    """Run a subject without faults; what came out, in order.

    Args:
        options: of the drill to come; the feed is the same.
        subject: whose results are not known beforehand.
        clock: the machine's.

    Raises:
        RiotdError: as `Drill.run`.
    """
    folder = options.folder / "rehearsal"
    folder.mkdir()
    drill = Drill(msgspec.structs.replace(options, faults=(), folder=folder), subject, clock=clock)
    drill.findings = []
    await drill.run()
    return drill.findings


def expect(judge: Judge, findings: list[Finding]) -> None:
    """Owe what came out, in that order."""
    for finding in findings:
        judge.oblige(finding.stream, judge.expect(*finding))
