"""Model documents: what was learnt, as a small JSON text that calls its features by their names."""

from riot_tasks.models.documents import FORMAT, LinearModel, Model, Node, Training, TreeModel
from riot_tasks.models.reading import load, read, write

__all__ = ["FORMAT", "LinearModel", "Model", "Node", "Training", "TreeModel", "load", "read", "write"]
