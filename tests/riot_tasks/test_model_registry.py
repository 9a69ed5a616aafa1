from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from riot_tasks import Record, models
from riot_tasks.io.blob_upload import BlobUpload
from riot_tasks.models.registry import Entry, Registry
from riot_tasks.stores import blobs
from tests.riot_tasks.weka import document

pytest.importorskip("obstore")
LINE = models.load(document("CITY-MLR-1422748810000"))
TREE = models.load(document("CITY-DTC-1422748810000"))


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store, in memory and in a folder."""
    yield "memory://registry" if request.param == "memory" else f"file://{tmp_path}/models"
    blobs.close_all()


def _made(version: str, created: float | None = None, **change: Any) -> models.LinearModel:
    assert isinstance(LINE, models.LinearModel)
    return replace(LINE, version=version, created=created, **change)


def test_a_model_is_kept_under_its_purpose_and_version(store: str) -> None:
    """Its entry says what it is, when and of what it was made, how good it is, and where; it can be read again."""
    registry = Registry(store, "plants/berlin")
    training = models.Training(160, 0.0, 90.0)
    entry = registry.put(_made("v1", training=training, metrics={"rmse": 2.0}), metrics={"cv_rmse": 2.5}, created=100.0)
    assert entry == Entry(
        "plants/berlin/linear_regression/airquality_raw/v1.json",
        "linear_regression",
        "airquality_raw",
        "v1",
        100.0,
        160,
        {"rmse": 2.0, "cv_rmse": 2.5},
        entry.sha256,
    )
    assert registry.entries() == [entry]
    kept = registry.read(entry)
    assert kept == registry.read(entry.name)
    assert (kept.version, kept.created, kept.metrics) == ("v1", 100.0, {"rmse": 2.0, "cv_rmse": 2.5})


def test_the_newest_comes_first(store: str) -> None:
    """Entries are in the order of their making; the latest for a purpose is the first of its kind and target."""
    registry = Registry(store)
    for version, created in (("b", 2.0), ("c", 3.0), ("a", 1.0)):
        registry.put(_made(version), created=created)
    registry.put(_made("other", 9.0, target="noise"))
    registry.put(TREE, created=5.0)
    assert [entry.version for entry in registry.entries()] == ["other", TREE.version, "c", "b", "a"]
    assert [entry.version for entry in registry.entries("linear_regression", "airquality_raw")] == ["c", "b", "a"]
    assert [entry.version for entry in registry.entries(target="noise")] == ["other"]
    latest = registry.latest("linear_regression", "airquality_raw")
    assert latest is not None
    assert latest.version == "c"
    assert registry.latest("decision_tree", "noise") is None


def test_an_empty_store_has_no_entries(store: str) -> None:
    """Before the first model there is none, which is no error."""
    assert Registry(store).entries() == []


def test_without_a_time_of_its_making_that_of_its_rows_counts(store: str) -> None:
    """Models of a dataflow say when their window ended."""
    registry = Registry(store)
    assert registry.put(_made("a", training=models.Training(3, 1.0, 90.0))).created == 90.0
    assert registry.put(_made("b")).created == 0.0


def test_what_a_dataflow_uploads_is_an_entry(store: str) -> None:
    """`blob_upload` with such a name writes where the registry looks."""
    upload = BlobUpload(store, name=f"decision_tree/{TREE.target}/{{version}}.json", field="model")
    list(upload.process(Record(1, "CITY", 0.0, {"model": models.write(TREE), "version": TREE.version})))
    (entry,) = Registry(store).entries("decision_tree", TREE.target)
    assert (entry.version, Registry(store).read(entry)) == (TREE.version, TREE)


def test_the_same_model_is_kept_once(store: str) -> None:
    """To put it again, at a later time too, gives the entry that is there."""
    registry = Registry(store)
    assert registry.put(_made("a"), created=1.0) == registry.put(_made("a"), created=2.0)
    assert len(registry.entries()) == 1


def test_another_model_needs_another_version(store: str) -> None:
    """A version that is taken is not overwritten."""
    registry = Registry(store)
    entry = registry.put(_made("a"))
    with pytest.raises(ValueError, match=r"version: another a is at .*a\.json; give it its own name"):
        registry.put(_made("a", intercept=0.0))
    assert registry.entries() == [entry]


def test_writers_do_not_disturb_each_other(store: str) -> None:
    """Models put by eight at the same time are all there: there is no index to spoil."""
    with ThreadPoolExecutor(8) as pool:
        entries = list(pool.map(lambda number: Registry(store).put(_made(f"v{number}", float(number))), range(40)))
    assert Registry(store).entries() == entries[::-1]


def test_what_is_no_model_is_left_out(store: str) -> None:
    """A torn blob, one of a later format, and files of other names are no entries; to read one says what it is."""
    registry = Registry(store)
    entry = registry.put(_made("a"))
    folder = "linear_regression/airquality_raw/"
    for name, data in (("torn.json", b'{"kind": "lin'), ("later.json", b'{"kind":"linear_regression","format":9}')):
        blobs.blobs(store).put(folder + name, data)
    blobs.blobs(store).put(folder + "README", b"models")
    assert registry.entries() == [entry]
    with pytest.raises(ValueError, match="format 9: this riot_tasks reads up to 1"):
        registry.read(folder + "later.json")


def test_an_entry_is_a_promise_of_bytes(store: str) -> None:
    """A blob that is gone, or was replaced since it was listed, is not read as what it was."""
    registry = Registry(store)
    entry = registry.put(_made("a"))
    blobs.blobs(store).put(entry.name, models.write(_made("a", intercept=0.0)).encode())
    with pytest.raises(ValueError, match="is not what it was any more"):
        registry.read(entry)
    with pytest.raises(ValueError, match=r"there is no model .*nowhere\.json"):
        registry.read("nowhere.json")


def test_the_notice_of_an_entry_can_be_made(store: str) -> None:
    """What is told about a kept model names its blob and its bytes."""
    registry = Registry(store, "x")
    entry = registry.put(_made("a"))
    notice = registry.notice(entry, shadow=7)
    assert (notice.model, notice.sha256, notice.version, notice.shadow) == (entry.name, entry.sha256, "a", 7)
    assert registry.notice(entry.name, shadow=7) == notice


@pytest.mark.parametrize(
    ("version", "name"),
    [("../../etc", ".._.._etc.json"), ("a b/ü:%", "a_b_ü__.json"), ("..", "_.json")],
)
def test_no_version_leads_out_of_the_store(store: str, version: str, name: str) -> None:
    """What names can't have becomes `_`; the entry has the version as it is."""
    entry = Registry(store).put(_made(version, target=".."))
    assert entry.name == f"linear_regression/_/{name}"
    assert Registry(store).entries("linear_regression", "..") == [entry]
    assert entry.version == version


def test_a_version_that_is_too_long_is_refused(store: str) -> None:
    """A name that no file system takes is refused before anything is written."""
    with pytest.raises(ValueError, match=r"version: äää.* too long for the name of a blob"):
        Registry(store).put(_made("ä" * 200))


def test_metrics_are_numbers(store: str) -> None:
    """What could not be read again is not written."""
    with pytest.raises(ValueError, match=r"Expected `float`, got `null` - at `\$.metrics"):
        Registry(store).put(_made("a"), metrics={"r2": float("nan")})
    assert Registry(store).entries() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ftp://x",), "store: 'ftp://x' is no store"),
        (("memory://x", "../up"), "prefix: '../up' must be levels of letters"),
        (("memory://x", "a//b"), "prefix: 'a//b' must be levels of letters"),
        (("memory://x", "", {"key": "secret"}), "credentials: must be given by reference"),
    ],
)
def test_wrong_arguments_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    """Each mistake is refused when the registry is made."""
    with pytest.raises(ValueError, match=message):
        Registry(*arguments)
