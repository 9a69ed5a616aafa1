"""One followed file, and what may happen between two calls."""

from pathlib import Path

from riotd.sources.lines import LineCutter
from riotd.sources.rotation import LINGER
from riotd.sources.tailing import Tail
from riotd.sources.watching import Watch
from tests.riotd.tails import append


async def test_only_the_file_that_was_seen_is_opened(tmp_path: Path) -> None:
    """When another file took the path between the look and the opening, the one that was seen is opened, or none."""
    path = tmp_path / "a.log"
    append(path, b"seen\n")
    (sighting,) = Watch(str(path)).look().seen
    path.rename(tmp_path / "a.log.1")
    append(path, b"other\n")
    tail = Tail(sighting, lambda **_: LineCutter(100), lambda: 0)
    assert await tail.open()
    assert (await tail.read(0.0)).cut.lines == [b"seen"]
    await tail.close()
    (tmp_path / "a.log.1").unlink()
    assert not await tail.open()
    assert not tail.is_open


async def test_news_at_the_last_moment_is_not_torn(tmp_path: Path) -> None:
    """An unfinished line that grows just when its file was to be given up is waited for again."""
    path = tmp_path / "app.log"
    append(path, b"1\n2, unfin")
    (sighting,) = Watch(str(path)).look().seen
    tail = Tail(sighting, lambda **_: LineCutter(100), lambda: 0)
    assert await tail.open()
    tail.vanish()
    assert (await tail.read(0.0)).cut.lines == [b"1"]
    assert tail.rotation.is_finished(LINGER)
    append(path, b"ish")
    assert await tail.finish() is None
    assert not tail.rotation.is_finished(LINGER)
    append(path, b"ed\n")
    assert (await tail.read(LINGER)).cut.lines == [b"2, unfinished"]
    await tail.close()
