import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riot_tasks import models
from riot_tasks.models import LinearModel, Node, Training, TreeModel
from tests.riot_tasks.weka import document

DOCS = Path(__file__).resolve().parents[2] / "docs/tasks.md"

LINEAR: dict[str, Any] = {
    "kind": "linear_regression",
    "format": 1,
    "version": "city-MLR-1",
    "features": ["temperature", "humidity", "light"],
    "target": "airquality",
    "coefficients": {"temperature": -0.5, "light": 0.25},
    "intercept": 37.5,
    "training": {"rows": 300, "from": 10.0, "until": 20.5, "source": "dev7", "id": 12},
    "metrics": {"rmse": 1.5, "r2": 0.9},
}
TREE: dict[str, Any] = {
    "kind": "decision_tree",
    "format": 1,
    "version": "city-DTC-1",
    "features": ["temperature", "humidity"],
    "target": "label",
    "classes": ["BAD", "GOOD"],
    "tree": {
        "attr": "humidity",
        "split_le": 50.5,
        "le": {"leaf": "GOOD", "counts": [1, 4]},
        "gt": {"leaf": "BAD"},
    },
}
names = st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable())
numbers = st.floats(-1e299, 1e299)


def _with(document: dict[str, Any], path: str, value: Any) -> str:
    """The document's text with one entry changed, or gone if the value is ..."""
    changed = inner = deepcopy(document)
    *outer, last = path.split(".")
    for key in outer:
        inner = inner[key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(changed)


def test_a_linear_model_is_read() -> None:
    """Each entry of the document is an attribute of the model, and only what counts is an input."""
    model = models.read(json.dumps(LINEAR))
    assert model == LinearModel(
        format=1,
        version="city-MLR-1",
        features=["temperature", "humidity", "light"],
        target="airquality",
        coefficients={"temperature": -0.5, "light": 0.25},
        intercept=37.5,
        training=Training(300, 10.0, 20.5, "dev7", 12),
        metrics={"rmse": 1.5, "r2": 0.9},
    )
    assert model.inputs == ["temperature", "light"]
    assert model.scorer([2.0, 4.0]) == 37.5 - 1.0 + 1.0


def test_a_tree_is_read() -> None:
    """A tree's document is nested nodes; a split's own value belongs to its lower branch."""
    model = models.read(json.dumps(TREE))
    assert isinstance(model, TreeModel)
    assert model.tree == Node("humidity", 50.5, Node(leaf="GOOD", counts=[1, 4]), Node(leaf="BAD"))
    assert model.inputs == ["humidity"]
    assert [model.scorer([humidity]) for humidity in (50.0, 50.5, 50.6)] == [1, 1, 0]


@pytest.mark.parametrize("document", [LINEAR, TREE], ids=["linear", "tree"])
def test_what_is_written_is_what_was_read(document: dict[str, Any]) -> None:
    """A document read and written again has the same entries; those that may be absent stay so."""
    assert json.loads(models.write(models.read(json.dumps(document)))) == document


@settings(deadline=None)
@given(st.dictionaries(names, numbers, max_size=5), names, numbers, st.integers(0, 2**60))
def test_no_digit_is_lost(weights: dict[str, float], version: str, intercept: float, rows: int) -> None:
    """A model written and read again is the same, to the last bit."""
    model = LinearModel(
        format=1,
        version=version,
        features=list(weights),
        target="the target",
        coefficients=weights,
        intercept=intercept,
        training=Training(rows, intercept),
    )
    assert models.read(models.write(model)) == model


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no model: Input data was truncated"),
        ("[1]", "no model: Expected `object`, got `array`"),
        (b"\xff", "no model: "),
        ("[" * 100_000, "no model: "),
        (_with(LINEAR, "kind", "svm"), "kind 'svm': this riot_tasks knows linear_regression and decision_tree"),
        (_with(LINEAR, "kind", ...), "missing required field `kind`"),
        (_with(LINEAR, "format", 2), "format 2: this riot_tasks reads up to 1; upgrade it"),
        (_with(LINEAR, "format", 0), "format 0: "),
        (_with(LINEAR, "coeficients", {}), "unknown field `coeficients`"),
        (_with(LINEAR, "intercept", ...), "missing required field `intercept`"),
        (_with(LINEAR, "intercept", "37"), r"Expected `float`, got `str` - at `\$.intercept`"),
        (_with(LINEAR, "intercept", 1e301), r"Expected `float` < 1e\+?300 - at `\$.intercept`"),
        (_with(LINEAR, "intercept", float("nan")), "no model: "),
        (_with(LINEAR, "coefficients.dust", 1.0), "coefficients: dust is not among the features"),
        (_with(LINEAR, "features", ["light", "light", "temperature"]), "features: a name is listed twice"),
        (_with(LINEAR, "target", "light"), "target: light is a feature as well"),
        (_with(LINEAR, "version", ""), r"Expected `str` of length >= 1 - at `\$.version`"),
        (_with(LINEAR, "training.rows", -1), r"Expected `int` >= 0 - at `\$.training.rows`"),
        (_with(TREE, "classes", ["GOOD", "FAIR"]), "tree: BAD is not among the classes"),
        (_with(TREE, "classes", ["GOOD", "BAD", "BAD"]), "classes: a name is listed twice"),
        (_with(TREE, "features", ["temperature"]), "tree: humidity is not among the features"),
        (_with(TREE, "tree.le.counts", [1, 2, 3]), "tree: 3 counts for 2 classes"),
        (_with(TREE, "tree.gt", ...), "either attr, split_le, le and gt, or leaf"),
        (_with(TREE, "tree.gt", {"leaf": "BAD", "attr": "humidity"}), "either attr, split_le, le and gt, or leaf"),
        (_with(TREE, "tree.gt", {}), r"or leaf - at `\$.tree.gt`"),
    ],
)
def test_what_is_no_model_is_refused(text: str | bytes, message: str) -> None:
    """Each mistake in a document is refused, saying what is wrong where."""
    with pytest.raises(ValueError, match=message):
        models.read(text)


def test_a_tree_that_is_too_deep_is_refused() -> None:
    """A tree deeper than 100 splits is refused, before anything runs out."""
    tree: dict[str, Any] = {"leaf": "BAD"}
    for split in range(101):
        tree = {"attr": "humidity", "split_le": split, "le": {"leaf": "GOOD"}, "gt": tree}
    with pytest.raises(ValueError, match="tree: is deeper than 100"):
        models.read(_with(TREE, "tree", tree))
    assert models.read(_with(TREE, "tree", tree["gt"])).inputs == ["humidity"]


def test_a_refusal_is_short() -> None:
    """However long a hostile document's names are, the reason can be read."""
    for text in (_with(LINEAR, "kind", "x" * 9999), _with(LINEAR, "y" * 9999, 1), _with(LINEAR, "version", "z" * 9999)):
        with pytest.raises(ValueError, match=r"kind|unknown|length") as refusal:
            models.read(text)
        assert len(str(refusal.value)) < 400


def test_a_file_is_loaded(tmp_path: Path) -> None:
    """A path stands for the text in its file; a mapping for itself."""
    path = tmp_path / "city.json"
    path.write_text(json.dumps(TREE))
    assert models.load(str(path)) == models.load(TREE) == models.read(json.dumps(TREE))


def test_the_document_in_the_docs_is_riotbenchs() -> None:
    """The document that docs/tasks.md shows is the original's tree of the city, and can be read."""
    shown = re.findall(r"^```json\n(.+?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    (model,) = (models.read(text) for text in shown if '"kind"' in text)
    theirs = models.load(document("CITY-DTC-1422748810000"))
    assert isinstance(model, TreeModel)
    assert isinstance(theirs, TreeModel)
    assert (model.version, model.classes, model.tree) == (theirs.version, theirs.classes, theirs.tree)


def test_a_text_is_read_once() -> None:
    """Tasks that are given the same document share the model, with all that it works out: there is one for each key."""
    assert models.load(TREE) is models.load(dict(TREE))
    assert models.load(TREE).scorer is models.load(TREE).scorer


def test_a_file_s_mistake_names_the_file(tmp_path: Path) -> None:
    """A file that is absent, and one that holds no model, are refused by their path."""
    path = tmp_path / "city.json"
    with pytest.raises(ValueError, match=r"city\.json' can't be read: No such file or directory"):
        models.load(str(path))
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"city\.json': no model: Object missing required field `kind`"):
        models.load(str(path))


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"kind": {"a", "b"}}, "no model: Expected `str`, got `array`"),
        ({"kind": object()}, "no model: Encoding objects of type object is unsupported"),
        ({**LINEAR, "intercept": float("nan")}, "no model: Expected `float`, got `null`"),
        ({}, "no model: Object missing required field `kind`"),
        ("a\0b", "can't be read"),
    ],
)
def test_what_is_no_place_is_refused(place: Any, message: str) -> None:
    """A mapping that is no document, and a path that can't be one, are refused."""
    with pytest.raises(ValueError, match=message):
        models.load(place)
