"""RIoTBench's PRED: a class and a number foretold for each message, and how far the number is off (figure 3d)."""

from pathlib import PurePath

from riotd.convert.drafts import Draft, Given
from riotd.convert.settings import count

_TREE = "CLASSIFICATION.DECISION_TREE."
_LINE = "PREDICT.LINEAR_REGRESSION."


def pack(given: Given) -> Draft:
    """One record for each message."""
    return Draft(given, "pack", "senml_parse", [])


def pred(given: Given) -> list[Draft]:
    """The stages, in order; none for a data set without a target, as the paper has it."""
    known = given.dataset
    if known is None or not known.target:
        return []
    classify = _model(given, Draft(given, "classify", "decision_tree_classify", ["pack"], "DTC"), f"{_TREE}MODEL_PATH")
    predict = _model(given, Draft(given, "predict", "linear_regression", ["pack"], "MLR"), f"{_LINE}MODEL_PATH")
    usual = Draft(given, "usual", "average", ["pack"], "AVG").set("fields", [known.target])
    usual.take("window", "AGGREGATE.BLOCK_COUNT.WINDOW_SIZE", count)
    error = Draft(given, "error", "error_estimate", [usual.id, predict.id]).set("actual", known.target)
    if predict.lacks:  # an average is only there to measure errors by
        usual.lacks = error.lacks = "there are no predictions"
    return [pack(given), classify, predict, usual, error]


def _model(given: Given, draft: Draft, key: str) -> Draft:
    """The model of a setting: Weka's are not read, but one of the same name as a document of ours is."""
    weka = given.settings.peek(key)
    if not weka:
        draft.lacks = f"{key} names no model"
        return draft
    ours = PurePath(weka).with_suffix(".json")
    place = given.here(str(ours))
    if place is None:
        draft.lacks = f"it needs a model; {PurePath(weka).name} is Weka's: train one, and call it {ours.name}"
        given.settings.leave(key, f"a model of Weka's; train one with riotd, and convert again with {ours.name} here")
        return draft
    return draft.set("model", place, key)
