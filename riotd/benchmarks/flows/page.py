"""The figures as one HTML page that needs nothing else: tables, drawings, the machine, how it was measured."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

from riotd.benchmarks.flows import courses
from riotd.benchmarks.flows.columns import HEADS, ours, remarks, share_text, stage_rows, theirs
from riotd.benchmarks.flows.figures import Figures
from riotd.benchmarks.flows.suite import Line
from riotd.benchmarks.machine import Machine

_CAPTIONS = {
    "latency": "From when a message was due to when its results came, mean over the results of a message. Boxes from "
    "quartile to quartile with the median, whiskers at 5 % and 95 %; published boxes have no whiskers here.",
    "throughput": "Messages taken in, grey, beside results given out, blue. Figure 6 of the paper.",
    "jitter": "How far the results of each second are from those that the mean input rate asks for.",
    "cpu": "Cores' worth of CPU that all processes of riotd used, Ray's included, second by second; published: the "
    "medians of all virtual machines together, four cores each.",
    "memory": "Of all processes of riotd, shared pages counted once; published: the medians of all virtual machines "
    "together, 14 GiB each.",
}
_METHOD = (
    "Load, broker, daemon and listener are processes of their own on one machine. The load sends packs of RIoTBench's "
    "schemas, made beforehand, when they are due, whatever becomes of them; latency counts from there. Each pack has a "
    "time of its own, in milliseconds, which every result that follows from it bears: by it the listener tells what "
    "belongs together. The daemon is an ordinary <code>riotd run</code> with the dataflow's file. A rate is sustained "
    "when, from the middle third of the measured time to the last, latency does not double (what is below 50 ms is "
    "unrest), and no more than 3 % of the messages, or as many as come in 50 ms, wait at the end. Published: "
    "Shukla, Chaturvedi, Simmhan, arXiv 1701.08530, tables 2 and 3, figures 6 to 11: Storm 1.0 on virtual machines at "
    "Azure, 2016."
)


def page(lines: Sequence[Line], drawings: Mapping[str, str], *, machine: Machine, when: str, setting: str) -> str:
    """The page.

    Args:
        lines: of the cases, in order.
        drawings: as `drawings.drawings` gave them.
        machine: that it was measured on.
        when: date and time.
        setting: how, in a line.
    """
    measured = [(line, line.figures) for line in lines if line.figures is not None]
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    return "\n".join([
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<title>riotd: RIoTBench's dataflows</title>",
        f"<style>{files(__package__).joinpath('page.css').read_text(encoding='utf-8')}</style></head><body><main>",
        "<h1>RIoTBench's dataflows on riotd</h1>",
        f'<p class="faint">{escape(when)} · {escape(machine.text)} · {escape(versions)}<br>{escape(setting)}</p>',
        _tiles(lines),
        "<h2>All figures</h2>",
        '<p class="faint">Latencies are quartile / median / quartile; ratio is the median over the published one.</p>',
        _table(lines),
        *_figures(drawings),
        *(["<h2>Where the time of a message goes</h2>", *map(_stages, measured)] if measured else []),
        *(
            ["<h2>Second by second</h2>", '<div class="courses">', *map(_course, measured), "</div>"]
            if measured
            else []
        ),
        f'<h2>How it was measured</h2><p class="faint">{_METHOD}</p>',
        "</main></body></html>",
    ])


def _tiles(lines: Sequence[Line]) -> str:
    """What a reader wants to know first."""
    asked = [line for line in lines if line.figures is not None]
    held = sum(line.figures is not None and line.figures.stable for line in lines)
    compared = [line.ratio for line in lines if line.ratio is not None]
    tiles = [
        (f"{held} of {len(asked)}", "sustain the rate they were given"),
        (f"{sum(ratio <= 1 for ratio in compared)} of {len(compared)}", "have at most the published median latency"),
    ]
    made = (f'<div class="tile"><b>{number}</b>{escape(text)}</div>' for number, text in tiles)
    return f'<div class="tiles">{"".join(made)}</div>'


def _table(lines: Sequence[Line]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in (*HEADS, ""))
    body = "".join(_rows(line) for line in lines)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _rows(line: Line) -> str:
    """A case's row, and below it the published one."""
    below = theirs(line)
    notes = f'<td class="text" rowspan="{1 if below is None else 2}">{escape("; ".join(remarks(line)))}</td>'
    first = "".join(f'<td class="{kind}">{escape(text)}</td>' for text, kind in ours(line))
    if below is None:
        return f"<tr>{first}{notes}</tr>"
    second = "".join(f"<td>{escape(text)}</td>" for text, _ in below)
    return f'<tr class="first">{first}{notes}</tr><tr class="published">{second}</tr>'


def _figures(drawings: Mapping[str, str]) -> list[str]:
    legend = (
        '<p class="faint legend"><i style="background:var(--ours)"></i>riotd'
        '<i style="background:var(--theirs)"></i>published</p>'
    )
    parts = []
    for name, drawing in drawings.items():
        shown = "" if name == "throughput" else legend
        parts.append(f"<h2>{name.capitalize() if name != 'cpu' else 'CPU'}</h2>{shown}")
        parts.append(f"<figure>{drawing}<figcaption>{_CAPTIONS[name]}</figcaption></figure>")
    return parts


def _stages(measured: tuple[Line, Figures]) -> str:
    line, figures = measured
    rows = stage_rows(figures)
    most = max((row.microseconds for row in rows), default=1.0) or 1.0
    body = "".join(
        f"<tr><td>{escape(row.name)}</td><td>{row.taken}</td><td>{row.given}</td><td>{row.microseconds:.1f}</td>"
        f"<td>{share_text(row)}</td>"
        f'<td class="bar"><span style="width:{100 * max(row.microseconds, 0) / most:.1f}%"></span></td></tr>'
        for row in rows
    )
    head = "".join(f"<th>{each}</th>" for each in ("", "in", "out", "µs a message", "of all CPU", ""))
    return (
        f"<h3>{escape(line.case.name)}, {figures.cpu:,.0f} µs of CPU a message</h3>"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _course(measured: tuple[Line, Figures]) -> str:
    line, figures = measured
    return courses.svg(
        f"{line.case.name}: a second's messages, results, and the queue",
        [
            courses.Line("messages", "var(--theirs,#999999)", figures.arrived, dashed=True),
            courses.Line("results", "var(--ours,#0072b2)", figures.departed),
            courses.Line("waiting", "var(--bad,#b91c1c)", figures.queue),
        ],
    )
