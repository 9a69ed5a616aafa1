"""`riotd generate SET --annotations`: what is known about the devices that the same verb makes packs of."""

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from riot_tasks import Record, senml
from riot_tasks.filter.bloom_filter import BloomFilter
from riot_tasks.parse.annotate import Annotate
from riotd import feeds
from riotd.cli.generate import command
from riotd.feeds import ANNOTATIONS, Dataset, annotations

SETS = list(ANNOTATIONS)
_SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "riotbench-data"
_real = pytest.mark.skipif(not _SAMPLES.exists(), reason="RIoTBench's sample data are not here")
_DIGESTS = {
    "city": "d5f0e9be191bf11511687237f6949480c9958e04627a7b50b42a498fca220256",
    "taxi": "664d64652a212eeeb0ee7e17fb9d79762beea6795b4a2f16445e8f1e540b6322",
    "fit": "6202514bb984c3197a97c80dddcc6ba88d65e9156dd098d1b9f0137025af760b",
    "grid": "95caf7c50a06cd9e0bb5d6ea54543ed26bea7536602d2fa4289d7b771661a1ff",
}
_FILES = {
    "city": ("city-metadata.txt", "SYS_sample_data_senml.csv", "source"),
    "taxi": ("taxi-metadata-fulldataset.txt", "TAXI_sample_data_senml.csv", "taxi_identifier"),
    "fit": ("mhealth_annotation_mapping.csv", "FIT_sample_data_senml.csv", "subjectId"),
}
"""RIoTBench's annotations and sample of a data set, and the field with the id."""


def _verb(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def _written(folder: Path, dataset: str, sensors: int, *more: str) -> str:
    path = folder / f"{dataset}.txt"
    assert _verb(dataset, "--sensors", str(sensors), *more, "--annotations", str(path)).exit_code == 0
    return str(path)


def _ids(dataset: str, sensors: int) -> list[str]:
    """The devices of a feed, each as the base name of its packs has it."""
    feed = getattr(feeds, dataset)(sensors=sensors, messages=sensors, gaps=0.0)
    bases = (senml.records(pack, id=0, source="", now=0.0)[0].meta["bn"] for _, pack in feed)
    return [base.split(":")[3] for base in bases]


@pytest.mark.parametrize("dataset", SETS)
def test_every_device_of_a_feed_is_annotated(dataset: Dataset, tmp_path: Path) -> None:
    """`annotate` finds each id that a feed of as many devices has, and gives it all of the set's fields."""
    task = Annotate(_written(tmp_path, dataset, 200), names=ANNOTATIONS[dataset], on_miss="reject")
    for number, device in enumerate(_ids(dataset, 200)):
        (result,) = task.process(Record(number, device, 0.0, {}))
        assert list(result.values) == list(ANNOTATIONS[dataset])


@pytest.mark.parametrize("dataset", SETS)
def test_the_file_is_a_whitelist(dataset: str, tmp_path: Path) -> None:
    """`bloom_filter` of the file lets in each of the devices, and not the ones that would come next."""
    task = BloomFilter(_written(tmp_path, dataset, 100), separator=":", false_positive=1e-6)
    devices = _ids(dataset, 200)
    passed = [result.source for device in devices for result in task.process(Record(1, device, 0.0, {}))]
    assert passed == devices[:100]


@pytest.mark.parametrize("dataset", SETS)
def test_the_bytes_are_known(dataset: Dataset) -> None:
    """On any machine the first 500 lines have this digest."""
    digest = hashlib.sha256(b"".join(annotations(dataset, sensors=500)))
    assert digest.hexdigest() == _DIGESTS[dataset]


@pytest.mark.parametrize("dataset", SETS)
def test_fewer_devices_are_the_first_ones(dataset: Dataset) -> None:
    """A file for many devices begins with the file for fewer, so one is enough for feeds of either size."""
    assert list(annotations(dataset, sensors=300))[:40] == list(annotations(dataset, sensors=40))


@pytest.mark.parametrize("dataset", SETS)
def test_who_a_device_is_does_not_depend_on_the_seed(dataset: str, tmp_path: Path) -> None:
    """Another seed gives the same file."""
    one = Path(_written(tmp_path, dataset, 30)).read_bytes()
    assert Path(_written(tmp_path, dataset, 30, "--seed", "9")).read_bytes() == one


def test_households_have_tariffs_and_businesses_groups() -> None:
    """In GRID nothing stands where the trial had nothing to say: no group for households, no tariff for businesses."""
    rows = [line.decode().rstrip("\n").partition(":")[2].split(",") for line in annotations("grid", sensors=400)]
    assert {code for code, *_ in rows} == {"1", "2"}
    for code, tariff, stimulus, group in rows:
        assert [bool(tariff), bool(stimulus), bool(group)] == (
            [True, True, False] if code == "1" else [False, False, True]
        )


def test_a_minus_is_standard_output() -> None:
    """`--annotations -` writes the lines where a pipe can have them."""
    assert _verb("fit", "--sensors", "4", "--annotations", "-").stdout_bytes == b"".join(annotations("fit", sensors=4))


@pytest.mark.parametrize("more", [["--messages", "5"], ["--seconds", "5"], ["-o", "feed.csv"], ["--sensors", "0"]])
def test_packs_can_not_be_asked_for_at_once(more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --annotations there are no packs: whatever says how many or where to is wrong usage, nothing is written."""
    monkeypatch.chdir(tmp_path)
    result = _verb("city", "--annotations", "city.txt", *more)
    assert result.exit_code == 2
    assert "Error" in result.output
    assert list(tmp_path.iterdir()) == []


@_real
@pytest.mark.parametrize("dataset", list(_FILES))
def test_riotbench_s_own_files_are_taken_too(dataset: Dataset) -> None:
    """The original's annotations cover each device of its sample, by `annotate` and by `bloom_filter`."""
    table, sample, field = _FILES[dataset]
    annotate = Annotate(str(_SAMPLES / table), names=ANNOTATIONS[dataset], on_miss="reject")
    bloom = BloomFilter(str(_SAMPLES / table), separator=":")
    for line in (_SAMPLES / sample).read_bytes().splitlines():
        (pack,) = senml.records(line.partition(b",")[2], id=1, source="", now=0.0)
        (known,) = bloom.process(Record(1, str(pack.values[field]), 0.0, {}))
        (result,) = annotate.process(known)
        assert None not in [result.values[name] for name in ANNOTATIONS[dataset]]
