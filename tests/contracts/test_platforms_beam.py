"""What is Beam's own: bundles, options, silence, what is left behind."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from riotd.dataflow import Stage
from riotd.errors import ConfigError, EngineError
from riotd.messages import Outcome, Portion
from riotd.platforms import beam, spool
from tests.contracts.feeds import ROOT, chain, direct, feed, plain, plan

pytestmark = pytest.mark.skipif(find_spec("apache_beam") is None, reason="apache-beam is not installed")

END = Portion(40, 1039.0, [], [], [])
VANISHING = "tests.contracts.platform_tasks:Vanishing"
PROGRAM = """
import logging, sys
from riotd import logs
from riotd.platforms import beam
from tests.contracts.feeds import chain, feed
if "logs" in sys.argv:
    logs.setup("INFO")
root = logging.getLogger()
before = (root.level, list(root.handlers), list(root.filters))
assert len(list(beam.run(chain(), feed(3), shards=1))) == 4
assert before == (root.level, root.handlers, root.filters)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


class TestRun:
    def test_gives_the_outcomes_of_one_shard(self) -> None:
        """With one shard the outcomes, portion by portion, and the flush's, are those of a shard in this thread."""
        outcomes = [plain(outcome) for outcome in beam.run(chain(), feed(40), shards=1)]
        assert outcomes == direct(chain(), [*feed(40), END])

    def test_keeps_the_order_over_many_slices(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However many slices a GroupByKey brings together, a shard has its input in order."""
        monkeypatch.setattr(spool, "_CHUNK", 1)
        outcomes = [plain(outcome) for outcome in beam.run(chain(), feed(40), shards=1)]
        assert outcomes == direct(chain(), [*feed(40), END])

    def test_reads_the_input_while_it_is_asked_for_outcomes(self) -> None:
        """Nothing of the input is taken before the first outcome is wanted."""
        taken: list[int] = []

        def portions() -> Iterator[Portion]:
            for portion in feed(3):
                taken.append(portion.batch)
                yield portion

        outcomes = beam.run(chain(), portions(), shards=2)
        assert taken == []
        assert len(list(outcomes)) == 4
        assert taken == [0, 1, 2]


class TestOptions:
    def test_name_another_runner(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What RIOTD_BEAM_OPTIONS says goes to the pipeline; on another runner the outcomes are the same."""
        monkeypatch.setenv("RIOTD_BEAM_OPTIONS", "--runner=BundleBasedDirectRunner")
        outcomes = [plain(outcome) for outcome in beam.run(chain(), feed(40), shards=1)]
        assert outcomes == direct(chain(), [*feed(40), END])

    def test_that_are_wrong_are_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A runner that Beam does not know is an EngineError with Beam's own words."""
        monkeypatch.setenv("RIOTD_BEAM_OPTIONS", "--runner=Unheard")
        with pytest.raises(EngineError, match=r"Beam: .*Unheard"):
            list(beam.run(chain(), feed(1), shards=1))


class TestFailures:
    def test_of_the_plan_come_at_once(self) -> None:
        """A task that can't be made is an EngineError before any input is read."""
        with pytest.raises(EngineError, match="no_such_module"):
            beam.run(plan(Stage("odd", "no_such_module:Task")), iter(()), shards=1)

    def test_of_a_shard_name_the_cause(self, tmp_path: Path) -> None:
        """A task that can't be made when the pipeline has started is an EngineError with the task's own words."""
        model = tmp_path / "model"
        model.touch()

        def portions() -> Iterator[Portion]:
            model.unlink()
            yield from feed(2)

        with pytest.raises(EngineError, match="path: there is no "):
            list(beam.run(plan(Stage("it", VANISHING, {"path": str(model)})), portions(), shards=1))

    def test_of_the_user_are_no_errors(self) -> None:
        """A Ctrl-C that comes while a task is at work comes out as itself, though Beam makes an error of it."""
        interrupted = plan(Stage("it", "tests.contracts.platform_tasks:Interrupted"))
        with pytest.raises(KeyboardInterrupt):
            list(beam.run(interrupted, feed(1), shards=1))

    def test_for_want_of_beam_say_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without Beam the first thing said is how to install it."""
        monkeypatch.setitem(sys.modules, "apache_beam", None)
        with pytest.raises(ConfigError, match=r"pip install 'riotd\[beam\]'"):
            beam.run(chain(), [], shards=1)


class TestEnd:
    @pytest.mark.parametrize("wanted", [1, 99])
    def test_leaves_no_file(self, temporary: Path, wanted: int) -> None:
        """The temporary folder is gone when all outcomes were taken, and when the rest is not wanted."""
        outcomes = beam.run(chain(), feed(3), shards=2)
        taken: list[Outcome] = [outcome for outcome, _ in zip(outcomes, range(wanted), strict=False)]
        del outcomes
        assert taken
        assert list(temporary.iterdir()) == []

    @pytest.mark.parametrize("logs", [[], ["logs"]], ids=["without logging", "with the daemon's"])
    def test_is_quiet(self, logs: list[str]) -> None:
        """Beam says nothing, warns of nothing, and leaves the root logger as it was."""
        command = [sys.executable, "-W", "error", "-c", PROGRAM, *logs]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
