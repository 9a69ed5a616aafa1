"""Tasks by name."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riot_tasks.filter.range_filter import RangeFilter
from riot_tasks.statistics.kalman_filter import KalmanFilter
from riotd import catalog

Install = Callable[..., None]

ECHO = """\
from riot_tasks import Task

class Echo(Task):
    def __init__(self, times: int = 1, *, word: str = "x", ratio: float = 0.5, names: list[str] | None = None):
        if times < 1:
            raise ValueError(f"times must be at least 1 (is {times})")
        if word == "boom":
            raise ValueError("nothing goes with boom")
        self.times, self.word, self.ratio, self.names = times, word, ratio, names

    def process(self, record):
        return [record] * self.times

class Half(Task):
    pass

class Open(Task):
    def __init__(self, **anything): ...
    def process(self, record): return ()

VALUE = 5
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution with a module and entry points for it."""
    monkeypatch.syspath_prepend(tmp_path)

    def installed(name: str, module: str, source: str, *points: str) -> None:
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text("[riotd.tasks]\n" + "\n".join(points), encoding="utf-8")
        catalog._registered.cache_clear()

    yield installed
    catalog._registered.cache_clear()
    for module in [name for name in sys.modules if name.startswith("plugin_")]:
        del sys.modules[module]


@pytest.mark.parametrize(
    "name",
    [
        "kalman_filter",
        "KAL",
        "kal",
        "KalmanFilter",
        "Kalman-Filter",
        "riot_tasks.statistics.kalman_filter:KalmanFilter",
    ],
)
def test_a_task_goes_by_several_names(name: str) -> None:
    """The registered name, RIoTBench's code and factory name, in any case, and module:Class all mean the same."""
    assert catalog.find(name) is KalmanFilter


def test_riotbench_s_names_are_those_of_the_classes() -> None:
    """The table agrees with the code each registered class has, and every class with a code is in it."""
    codes = {
        name: catalog.find(name).code for name in catalog.names() if catalog.origin(name).startswith("riot_tasks.")
    }
    assert {name: code for name, (code, _) in catalog.RIOTBENCH.items()} == codes


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kalman_fliter", "there is no task 'kalman_fliter'; did you mean 'kalman_filter'?"),
        ("KalmanFiltr", "there is no task 'KalmanFiltr'; did you mean 'kalman_filter'?"),
        ("xyzzy", "there is no task 'xyzzy'; `riotd tasks` lists what there is"),
        ("", "there is no task ''; `riotd tasks` lists what there is"),
    ],
)
def test_an_unknown_name_has_a_suggestion(name: str, said: str) -> None:
    """The nearest name, else how to see them all."""
    with pytest.raises(catalog.TaskNotFound) as caught:
        catalog.find(name)
    assert str(caught.value) == said


def test_asking_for_names_imports_no_task() -> None:
    """Listing names costs no import of a task's module."""
    program = "import sys; from riotd import catalog; catalog.names(); print([m for m in sys.modules if 'kalman' in m])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"[]\n"


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("plugin_echo:Gone", "can't be loaded: AttributeError: module 'plugin_echo' has no attribute 'Gone'"),
        ("plugin_nowhere:Echo", "can't be loaded: ModuleNotFoundError: No module named 'plugin_nowhere'"),
        ("plugin_echo:VALUE", "is not a subclass of riot_tasks.Task"),
        ("plugin_echo:Half", "has no method process"),
    ],
)
def test_a_broken_plugin_is_named_with_its_distribution_and_cause(install: Install, point: str, said: str) -> None:
    """Whoever reads the error knows which package to look at."""
    install("acme", "plugin_echo", ECHO, f"broken = {point}")
    with pytest.raises(catalog.BrokenTask) as caught:
        catalog.find("broken")
    assert str(caught.value) == f"task 'broken', {point} of the distribution acme 1.0, {said}"


def test_a_plugin_whose_import_fails_is_named_and_the_others_work(install: Install) -> None:
    """Whatever an import raises is told; other tasks are not touched by it."""
    install("acme", "plugin_bad", "raise RuntimeError('no licence')", "broken = plugin_bad:Echo")
    with pytest.raises(catalog.BrokenTask, match=r"acme 1\.0, can't be loaded: RuntimeError: no licence"):
        catalog.find("broken")
    assert "broken" in catalog.names()
    assert catalog.find("range_filter") is RangeFilter


def test_a_plugin_is_found_like_our_own(install: Install) -> None:
    """Another distribution's entry point is a task by its name."""
    install("acme", "plugin_echo", ECHO, "echo = plugin_echo:Echo")
    assert catalog.create("Echo", {"times": 3}).times == 3
    assert catalog.origin("echo") == "plugin_echo:Echo"


def test_a_name_that_two_distributions_claim_is_neither_s(install: Install) -> None:
    """Which of the two runs must not depend on the order of the path."""
    install("acme", "plugin_echo", ECHO, "kalman_filter = plugin_echo:Echo")
    with pytest.raises(
        catalog.BrokenTask, match=r"registered twice, by .*plugin_echo:Echo \(acme 1\.0\).*module:Class"
    ):
        catalog.find("KAL")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"tims": 3}, ["tims: there is no such parameter; did you mean 'times'?"]),
        (
            {"q": 3, "w": 4},
            [f"{name}: there is no such parameter; there are times, word, ratio, names" for name in "qw"],
        ),
        ({"times": 0}, ["times: must be at least 1 (is 0)"]),
        ({"times": "x"}, ["times: must be a whole number (is 'x')"]),
        ({"times": 1.5, "word": 5}, ["times: must be a whole number (is 1.5)", "word: must be a text (is 5)"]),
        ({"names": "t"}, ["names: must be a list or null (is 't')"]),
        ({"names": ["t", 5]}, ["names: must be a text at [1] (is ['t', 5])"]),
        ({"times": "\ud800"}, ["times: must be a whole number (is '\\ud800')"]),
        ({"ratio": 10**400}, ["ratio: number out of range (is an integer of 1329 bits)"]),
        ({"names": 16**5000}, ["names: must be a list or null (is an integer of 20001 bits)"]),
        ({"word": "boom"}, ["nothing goes with boom"]),
        ({"times": 2, "ratio": 1, "names": None}, []),
    ],
)
def test_wrong_parameters_are_all_named(install: Install, params: dict[str, object], said: list[str]) -> None:
    """Unknown names, types against the annotations and the constructor's own refusals; an int is a float, too."""
    install("acme", "plugin_echo", ECHO, "echo = plugin_echo:Echo")
    assert [str(mistake) for mistake in catalog.parameter_mistakes(catalog.find("echo"), params)] == said
    if said:
        with pytest.raises(catalog.BadParameter):
            catalog.create("echo", params)


def test_a_parameter_without_a_default_must_be_given() -> None:
    """The error names it."""
    with pytest.raises(catalog.BadParameter, match="ranges: RangeFilter needs this parameter"):
        catalog.create("RGF", {})


@pytest.mark.parametrize(
    ("name", "params", "wants"),
    [
        ("senml_parse", {}, True),
        ("senml_parse", {"field": "pack"}, False),
        ("bloom_filter", {}, False),
        ("bloom_filter", {"field": "payload"}, True),
        ("annotate", {}, False),
        ("join", {}, False),
    ],
)
def test_which_tasks_read_raw_messages(name: str, params: dict[str, str], *, wants: bool) -> None:
    """Those whose parameter `field` is `payload`, by default or as it is set; not all that are called parse tasks."""
    assert catalog.wants_payload(catalog.find(name), params) is wants


def test_a_constructor_that_takes_anything_is_given_anything(install: Install) -> None:
    """No names are checked where the constructor has none."""
    install("acme", "plugin_echo", ECHO)
    assert catalog.parameter_mistakes(catalog.find("plugin_echo:Open"), {"a": 1}) == []
