"""`riotd replay`: a recorded file back onto a broker."""

import asyncio
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from riotd.cli.progress import bar

if TYPE_CHECKING:
    from riotd.config import Connection


def _speed(_context: click.Context, _option: click.Parameter, text: str) -> float:
    """Times faster than recorded; infinity for `max`."""
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise click.BadParameter(f"{text!r} is neither max nor a number above 0")
    return speed


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--url", default="mqtt://127.0.0.1:1883", show_default=True, help="The broker; mqtts:// for TLS.")
@click.option("--topic", default="sensors/{source}/senml", show_default=True, help="Template, see above.")
@click.option(
    "--speed", default="1", show_default=True, callback=_speed, metavar="TIMES|max", help="Faster than recorded."
)
@click.option(
    "--scaling", type=click.FloatRange(min=0, min_open=True), metavar="FACTOR", help="RIoTBench's: 0.01 is --speed 100."
)
@click.option("--qos", default="0", show_default=True, type=click.Choice(["0", "1", "2"]), help="Of the messages.")
@click.option(
    "--loop", "passes", default=1, show_default=True, type=click.IntRange(0), metavar="N", help="0 is for ever."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Stop after so many messages.")
@click.option(
    "--skip", default=0, show_default=True, type=click.IntRange(min=0), metavar="N", help="Lines to leave out first."
)
@click.option(
    "--log", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="What was sent when, see above."
)
@click.option("--msgid", metavar="NAME", help="An entry for the message's number, see above.")
@click.option(
    "--connections",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    metavar="N",
    help="A topic keeps its own.",
)
@click.option("--username", help="For the broker.")
@click.option(
    "--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Holds the password."
)
@click.option("--progress/--no-progress", default=None, help="A bar on standard error; default on a terminal only.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
def command(
    *,
    file: Path,
    url: str,
    topic: str,
    speed: float,
    scaling: float | None,
    qos: str,
    passes: int,
    limit: int | None,
    skip: int,
    log: Path | None,
    msgid: str | None,
    connections: int,
    username: str | None,
    password_file: Path | None,
    progress: bool | None,
    as_json: bool,
) -> None:
    """Publish FILE, a recorded feed, in its own time, faster, or as fast as the broker takes it.

    FILE has lines `<epoch ms>,<SenML>`, or SenML packs with their own times; .gz is unpacked, - is standard input.
    The first message is sent at once, every other when its time has come; what is late is sent without a pause, and
    short waits are none. RIoTBench's scaling factor (--scaling) is the inverse of --speed. Unlike RIoTBench's reader,
    this one keeps the first line, unless you --skip 1.

    \b
    In the topic:
      {source}   text of the entry `source`, else the device in the base name
      {n}        number of the message
      {hack_license} or any other entry that has text

    Lines that are no message are passed over, packs without the topic's field go to the level `unknown`; both are
    counted, the first few are shown. --log has a line for each message as RIoTBench's sources log them, numbered from a
    random MSGID on: host,process,component,epoch ms,MSGID,number,topic; the time is that before sending. With --msgid
    NAME each pack bears that number, as an entry of text: senml_parse with `meta: [NAME]` hands it on to all that
    follows from the message, so that results have it. Ctrl-C stops, with the summary and exit code 130 (SIGTERM: 143);
    without a broker it is 1. A connection lost on the way is made again, and what is late then caught up with.

    \b
    Examples:
      riotd replay city.csv --speed 10
      riotd replay city.csv.gz --speed max --qos 1 --url mqtt://broker:1883 --json
      riotd generate city | riotd replay - --topic "city/{source}"
    """  # noqa: D301 - click's mark for text not to be wrapped
    if scaling is not None:
        if click.get_current_context().get_parameter_source("speed") is not ParameterSource.DEFAULT:
            raise click.UsageError("Give --speed or --scaling, not both.")
        speed = 1 / scaling
    if str(file) == "-" and sys.stdin.isatty():
        raise click.UsageError("Standard input is the terminal; give a file, or a pipe.")
    from riotd import logs  # noqa: PLC0415 - `riotd replay --help` must not load the client
    from riotd.cli import replaying  # noqa: PLC0415
    from riotd.errors import TransportError  # noqa: PLC0415
    from riotd.mqtt import Loop  # noqa: PLC0415
    from riotd.replay import Recording, Topics  # noqa: PLC0415

    logs.setup("warning")
    path = None if str(file) == "-" else file
    try:
        recording, topics = Recording(path, passes=passes, skip=skip), Topics(topic)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    connection = _connection(url, username, password_file)
    job = replaying.Job(
        connection, connections, recording, topics, speed, int(qos), limit, _total(path, passes), log, msgid
    )
    known = job.total or limit
    try:
        with (
            bar("Replaying", total=1.0 if known else None, shown=progress) as shown,
            asyncio.Runner(loop_factory=Loop) as runner,
        ):
            ending = runner.run(replaying.run(job, shown))
    except TransportError as error:
        raise click.ClickException(str(error)) from None
    figures = replaying.summary(job, ending)
    click.echo(json.dumps(figures) if as_json else replaying.sentence(figures))
    for oddity in [*recording.oddities, *topics.oddities]:
        click.echo(oddity, err=True)
    sys.exit(128 + ending.signal if ending.signal else 0)


def _connection(url: str, username: str | None, password_file: Path | None) -> "Connection":
    """The broker; MQTT 3.1.1, which every broker speaks and which is 10 % faster to send than 5."""
    from riotd.config import Connection, Secret  # noqa: PLC0415
    from riotd.config.mistakes import translate  # noqa: PLC0415

    password = Secret(file=password_file) if password_file else None
    try:
        return Connection(url=url, protocol="3.1.1", username=username, password=password)
    except ValueError as error:
        mistakes = translate(error)  # type: ignore[arg-type]  # pydantic's, which only riotd.config may name
        raise click.UsageError(f"--{mistakes[0]}.") from None


def _total(path: Path | None, passes: int) -> int | None:
    """Bytes to read in all passes; None if there is no telling."""
    from riotd.replay.lines import size  # noqa: PLC0415

    once = size(path) if path else None
    return once * passes if once and passes else None
