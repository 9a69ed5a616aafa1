"""The kinds of models there are, as documents.

Everything in a document is checked when it is read; what a struct holds that was made in Python is its maker's word.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated

from msgspec import Meta, Struct, field

from riot_tasks.algorithms.decision_tree import DecisionTree, Growth
from riot_tasks.algorithms.weighted_sum import WeightedSum

FORMAT = 1
"""The newest layout of documents that is known here, as their key `format` says."""
MAX_DEPTH = 100
"""Splits from a tree's root to a leaf, at most; trained trees stay far below."""

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Number = Annotated[float, Meta(gt=-1e300, lt=1e300)]
Count = Annotated[int, Meta(ge=0)]
Metrics = dict[str, Number]


class Training(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a model was made from.

    Attributes:
        rows: how many rows it has seen.
        since: time of the earliest of them, Unix seconds; `from` in the document.
        until: time of the latest.
        source: whose they were.
        id: number of the message that brought the last of them.
    """

    rows: Count
    since: Number | None = field(name="from", default=None)
    until: Number | None = None
    source: str | None = None
    id: int | None = None


class Model(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", dict=True
):
    """What documents of all kinds have; `dict` lets them keep what they work out.

    Attributes:
        format: layout of the document, at most `FORMAT`.
        version: what this model is called; no two models should share it.
        features: the fields it may look at, in the order of the training rows.
        target: the field it foretells.
        training: what it was made from, if that is known.
        metrics: how good it was then, by name.
        created: when it was made, Unix seconds; of several for one purpose the latest is the one to use.
    """

    format: int
    version: Name
    features: list[Name]
    target: Name
    training: Training | None = None
    metrics: Metrics = {}
    created: Number | None = None

    def __post_init__(self) -> None:
        if len(set(self.features)) < len(self.features):
            raise ValueError("features: a name is listed twice")
        if self.target in self.features:
            raise ValueError(f"target: {self.target} is a feature as well")

    @property
    def kind(self) -> str:
        """What the document's key `kind` says."""
        return str(self.__struct_config__.tag)


class LinearModel(Model, frozen=True, kw_only=True, tag="linear_regression"):
    """A number foretold as a weighted sum of numbers.

    Attributes:
        coefficients: weight of each feature that counts; a feature without one does not.
        intercept: what is added.
    """

    coefficients: dict[Name, Number]
    intercept: Number

    def __post_init__(self) -> None:
        super().__post_init__()
        if strangers := self.coefficients.keys() - set(self.features):
            raise ValueError(f"coefficients: {min(strangers)} is not among the features")

    @cached_property
    def inputs(self) -> list[str]:
        """The features that count."""
        return [name for name in self.features if self.coefficients.get(name)]

    @cached_property
    def scorer(self) -> WeightedSum:
        """What makes a number of those of `inputs`."""
        return WeightedSum([self.coefficients[name] for name in self.inputs], self.intercept)


class Node(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A split of a decision tree, or a leaf.

    Attributes:
        attr: the feature a split looks at.
        split_le: where it splits: `le` goes on for values up to and including this one, `gt` for greater ones.
        le: the tree for those.
        gt: the tree for the others.
        leaf: a leaf's class.
        counts: training rows that came here, by class; empty if that is not known.
    """

    attr: Name | None = None
    split_le: Number | None = None
    le: "Node | None" = None
    gt: "Node | None" = None
    leaf: Name | None = None
    counts: list[Count] = []

    def __post_init__(self) -> None:
        parts = (self.attr, self.split_le, self.le, self.gt)
        if (None in parts) if self.leaf is None else any(part is not None for part in parts):
            raise ValueError("a node of a tree has either attr, split_le, le and gt, or leaf")

    def nodes(self, depth: int = 0) -> Iterator[tuple[int, "Node"]]:
        """This node and all below it, each with its depth, a split before its branches."""
        yield depth, self
        for branch in (self.le, self.gt):
            if branch is not None:
                yield from branch.nodes(depth + 1)


class TreeModel(Model, frozen=True, kw_only=True, tag="decision_tree"):
    """A class foretold by comparing one number after the other.

    Attributes:
        classes: what may come out, in order; RIoTBench's results are positions in it.
        tree: the root.
    """

    classes: Annotated[list[Name], Meta(min_length=1)]
    tree: Node

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes: a name is listed twice")
        for depth, node in self.tree.nodes():
            if fault := self._fault(node):
                raise ValueError(f"tree: {fault}")
            if depth > MAX_DEPTH:
                raise ValueError(f"tree: is deeper than {MAX_DEPTH}")

    def _fault(self, node: Node) -> str | None:
        if node.attr is not None and node.attr not in self.features:
            return f"{node.attr} is not among the features"
        if node.leaf is not None and node.leaf not in self.classes:
            return f"{node.leaf} is not among the classes"
        if node.counts and len(node.counts) != len(self.classes):
            return f"{len(node.counts)} counts for {len(self.classes)} classes"
        return None

    @cached_property
    def inputs(self) -> list[str]:
        """The features that the tree looks at somewhere."""
        used = {node.attr for _, node in self.tree.nodes()}
        return [name for name in self.features if name in used]

    @cached_property
    def scorer(self) -> DecisionTree:
        """What makes a position in `classes` of the numbers of `inputs`."""
        places = {name: place for place, name in enumerate(self.inputs)}
        return DecisionTree(_grown(self.tree, places, self.classes))


def _grown(node: Node, places: dict[str, int], classes: list[str]) -> Growth:
    if node.attr is None or node.split_le is None or node.le is None or node.gt is None:
        return classes.index(node.leaf or "")
    return places[node.attr], node.split_le, _grown(node.le, places, classes), _grown(node.gt, places, classes)
