"""Model documents: what was learnt, as small JSON texts that call features by their names; and notices of them."""

from riot_tasks.models.documents import FORMAT, LinearModel, Model, Node, Training, TreeModel
from riot_tasks.models.notices import Notice, notice, read_notice
from riot_tasks.models.reading import load, read, write

__all__ = [
    "FORMAT",
    "LinearModel",
    "Model",
    "Node",
    "Notice",
    "Training",
    "TreeModel",
    "load",
    "notice",
    "read",
    "read_notice",
    "write",
]
