import re
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from riotd.config.timers import TimerSource, timer_mistakes

DOCS = Path(__file__).resolve().parents[2] / "docs/operations.md"
FIT = "1,1443033000,1417890600000,1417890660000"


def block(**settings: object) -> TimerSource:
    return TypeAdapter(TimerSource).validate_python({"type": "timer", **settings})


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({}, "give exactly one of every, cron, file"),
        ({"every": "1m", "cron": "* * * * *"}, "give exactly one of every, cron, file"),
        ({"every": "1m", "timezone": "UTC"}, "timezone does not go with every, with which go align, window, at_start"),
        ({"cron": "* * * * *", "align": True}, "align does not go with cron"),
        ({"file": "timers.csv", "at_start": True}, "at_start does not go with file, with which go speed, repeat"),
        ({"every": "1ms"}, "at least 10ms (is 0.001s)"),
        ({"every": 0.0333}, "whole number of milliseconds"),
        ({"every": "1m", "window": 0}, "at least 10ms"),
        ({"cron": "61 * * * *"}, "'61 * * * *' is no line of cron: bad minute"),
        ({"cron": "* * * * *", "timezone": "Nowhere"}, "there is no time zone 'Nowhere'"),
        ({"file": "timers.csv", "speed": 0}, "greater than 0"),
    ],
)
def test_wrong_blocks(settings: dict[str, object], what: str) -> None:
    """What does not go together, or is out of range, is refused with the reason."""
    with pytest.raises(ValidationError) as caught:
        block(**settings)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    "settings", [{"every": "1m", "align": True}, {"cron": "*/5 * * * *"}, {"file": "timers.csv", "speed": 60}]
)
def test_settings_can_be_written_and_read(settings: dict[str, object]) -> None:
    """All settings in force, with the defaults of keys that don't go with them, are right settings too."""
    given = block(**settings)
    assert block(**given.model_dump()) == given


def mistakes(tmp_path: Path, *lines: str, **settings: object) -> list[str]:
    file = tmp_path / "timers.csv"
    file.write_text("\n".join(("msgId,timestamp,rowstart,rowend", *lines)))
    return [
        str(mistake).replace(f"{tmp_path}/", "")
        for mistake in timer_mistakes("source", block(file=str(file), **settings))
    ]


def test_a_right_file(tmp_path: Path) -> None:
    """There is nothing to say about a right file, nor about timers without one."""
    assert mistakes(tmp_path, FIT) == []
    assert list(timer_mistakes("source", block(every="1m"))) == []


def test_wrong_rows_are_named(tmp_path: Path) -> None:
    """Each wrong row is a mistake that names the file and the line."""
    assert mistakes(tmp_path, FIT, "2,x,1,2", "3,1443033120,1,2,5") == [
        "source.file: timers.csv, line 3: timestamp: must be a number of seconds (is 'x')",
        "source.file: timers.csv, line 4: has 5 columns, not the 4 of msgId,timestamp,rowstart,rowend",
    ]


def test_many_wrong_rows(tmp_path: Path) -> None:
    """Of very many wrong rows, the first ten are named and the others counted; that none is right is said too."""
    found = mistakes(tmp_path, *["wrong"] * 14)
    assert len(found) == 12
    assert found[10] == "source.file: timers.csv: 4 more of its rows are wrong"
    assert "has no right row" in found[11]


def test_a_file_that_is_not_there() -> None:
    """A file that can't be read is a mistake with the system's reason."""
    (mistake,) = timer_mistakes("sources.train", block(file="none.csv"))
    assert str(mistake).startswith("sources.train.file: none.csv can't be read: No such file or directory; rows are ")


def test_nothing_to_repeat(tmp_path: Path) -> None:
    """A file that can't be repeated, because it takes no time, is refused where it is to be."""
    assert mistakes(tmp_path, FIT, FIT) == []
    (said,) = mistakes(tmp_path, FIT, FIT, repeat=True)
    assert said == "source.repeat: all rows of timers.csv are at the same time; say every: instead"


def test_the_documented_timers_are_right() -> None:
    """Each timer of the documentation's example is one, and they are of all three kinds."""
    (example,) = re.findall(r"## Timers as a source.*?```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    timers = [
        TypeAdapter(TimerSource).validate_python(source) for source in yaml.safe_load(example)["sources"].values()
    ]
    assert [kind for timer in timers for kind in ("every", "cron", "file") if getattr(timer, kind)] == [
        "every",
        "cron",
        "file",
    ]
