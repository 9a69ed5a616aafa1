"""RIoTBench's TRAIN: models learnt from windows of messages, and handed to PRED (paper, figure 3c)."""

from riotd.convert.drafts import Draft, Given
from riotd.convert.pred import pack
from riotd.convert.settings import count

_TREE = "CLASSIFICATION.DECISION_TREE.TRAIN.MODEL_UPDATE_FREQUENCY"
_LINE = "PREDICT.LINEAR_REGRESSION.TRAIN.MODEL_UPDATE_FREQUENCY"


def train(given: Given) -> list[Draft]:
    """The stages, in order; none for a data set without a target, as the paper has it."""
    known = given.dataset
    if known is None or not known.target:
        return []
    line = Draft(given, "train-line", "linear_regression_train", ["pack"], "MLT, a window for each key")
    line.set("features", list(known.features)).set("target", known.target)
    line.take("window", _LINE, count)
    label = Draft(given, "label", "label_quantiles", ["pack"]).set("field", known.target)
    tree = Draft(given, "train-tree", "decision_tree_train", [label.id], "DTT, a window for each key")
    tree.set("features", [*known.features, known.target])
    window = tree.take("window", _TREE, count)
    if window is not None:
        label.set("window", window)
    upload = Draft(given, "models", "blob_upload", [line.id, tree.id], "ABU")
    given.blobs(upload).set("name", "{version}.json").set("field", "model")
    return [pack(given), line, label, tree, upload]
