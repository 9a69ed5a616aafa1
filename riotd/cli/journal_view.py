"""A journal for people: its files, one of its messages, its damage, and what repairs it."""

from datetime import datetime

import click

from riotd.cli.letters_view import payload_lines
from riotd.cli.tables import print_labelled, print_table
from riotd.journal.repair import Repair
from riotd.journal.survey import Damage, Kept, Survey
from riotd.units import size_text


def show_files(survey: Survey) -> None:
    """Print the files, and the snapshots."""
    rows = [
        [each.name, size_text(each.size), f"{each.messages:,}", *_range(each.first, each.end), _time(each.ended)]
        for each in survey.segments
    ]
    print_table(["file", "size", "messages", "first", "last", "last came"], rows)
    click.echo()
    print_table(
        ["snapshot before message", "size", "shards", "taken"],
        [[str(each.sequence), size_text(each.size), str(each.shards), _time(each.wall)] for each in survey.snapshots],
    )
    for name, why in survey.refused.items():
        click.echo(f"{name}: {why}")
    click.echo(f"\nThe next start does messages again from {survey.since} on; results below {survey.settled} are out.")


def show_message(found: Kept, survey: Survey) -> None:
    """Print a message."""
    print_labelled("message", str(found.number))
    print_labelled("file", found.name)
    print_labelled("came", _time(found.wall))
    print_labelled("source", str(found.origin))
    print_labelled("topic", found.topic or "none")
    print_labelled("results", "are out" if found.number < survey.settled else "are not known to be out")
    print_labelled("state", "is in a snapshot" if found.number < survey.since else "is made again at the next start")
    print_labelled("payload", size_text(len(found.payload)))
    click.echo("\n".join(payload_lines(found.payload)))


def show_damages(survey: Survey) -> None:
    """Print where it is damaged, and what that costs."""
    for damage in survey.damages:
        click.echo(f"{damage.name}: {_place(damage)}: {damage.why}")
        click.echo(f"  {_cost(damage, survey)}")
    for name, why in survey.refused.items():
        click.echo(f"{name}: {why}; an earlier snapshot is taken, and more is done again")
    count = sum(each.messages for each in survey.segments)
    if not survey.damages:
        click.echo(f"whole: {count:,} messages in {len(survey.segments)} files, {len(survey.snapshots)} snapshots")


def show_repair(repair: Repair, *, write: bool) -> None:
    """Print what is done, or would be."""
    for name in repair.files:
        copy = repair.copies.get(name)
        kept = f"; the damaged one stays as {copy}" if copy else ""
        click.echo(f"{name}: {'written' if write else 'would be written'} anew without what is damaged{kept}")
    click.echo(
        f"{len(repair.refused):,} messages are refused at the next start, each a dead letter if no result is out"
    )
    if not write:
        click.echo("Nothing is done yet: stop the daemon, and give --write.")


def _place(damage: Damage) -> str:
    return "before it" if damage.whole else f"bytes {damage.at:,} to {damage.until:,}"


def _cost(damage: Damage, survey: Survey) -> str:
    if damage.torn:
        return (
            "the end of the last file, not yet kept when the daemon ended: nobody was promised it; cut off at a start"
        )
    if not damage.lost:
        return "no message: only when others were dispatched or settled; some are done again in other batches"
    what = _numbered(range(damage.first, damage.end))
    if damage.end > damage.sure:
        what += f", of which {damage.sure - damage.first:,} are sure and the others the most there can have been"
    harm = survey.harm(damage)
    if not harm:
        return f"{what}: nothing is lost, a snapshot has what followed from them"
    if len(harm) < damage.lost:
        what += f"; the last {len(harm):,} of them are in no snapshot"
    out = min(survey.settled, harm.stop) - harm.start
    return f"{what}: lost" + (f"; the results of {out:,} are out, tasks go on without them" if out > 0 else "")


def _numbered(numbers: range) -> str:
    if len(numbers) == 1:
        return f"message {numbers.start}"
    return f"{len(numbers):,} messages, {numbers.start} to {numbers.stop - 1}"


def _range(first: int, end: int) -> tuple[str, str]:
    return (str(first), str(end - 1)) if end > first else ("", "")


def _time(seconds: float) -> str:
    """Local time, as people read it."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "seconds")[:19] if seconds else ""
