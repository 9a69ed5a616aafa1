"""RIoTBench's ETL: parse, clean, fill gaps, join, annotate, store, publish (paper, figure 3a)."""

from riotd.convert.drafts import Draft, Given
from riotd.convert.settings import RANGES, count, first, names, ranges, real

_BLOOM = "FILTER.MULTI_BLOOM_FILTER."
_FILL = "STATISTICS.INTERPOLATION."
_STORE = "IO.AZURE_TABLE."
_TABLE = "ANNOTATE.ANNOTATE_FILE_PATH"


def parse(given: Given) -> Draft:
    """One record for each observation, as the original has it."""
    return Draft(given, "parse", "senml_parse", []).set("explode", value=True)


def etl(given: Given) -> list[Draft]:
    """The stages, in order."""
    made = [parse(given)]
    for stage in (_range, _bloom, _interpolate, _join, _annotate, _insert, _senml):
        if draft := stage(given, made[-1].id):
            made.append(draft)
    return made


def _range(given: Given, before: str) -> Draft | None:
    draft = Draft(given, "range", "range_filter", [before], "RGF")
    if draft.take("ranges", RANGES, ranges) is None:
        return None
    return draft.set("on_outlier", "null")


def _bloom(given: Given, before: str) -> Draft | None:
    settings = given.settings
    if not (settings.peek(f"{_BLOOM}MODEL_PATH_LIST") or settings.peek("FILTER.BLOOM_FILTER.MODEL_PATH")):
        return None
    draft = Draft(given, "bloom", "bloom_filter", [before], "BLF")
    _allowed(given, draft)
    listed = first(settings.peek(f"{_BLOOM}USE_MSG_FIELD_LIST").split(","))
    field = "source" if listed[0].strip() in {"", given.id, "source"} else listed[0].strip()
    draft.set("field", field, f"{_BLOOM}USE_MSG_FIELD_LIST")
    draft.take("false_positive", "FILTER.BLOOM_FILTER_TRAIN.FALSEPOSITIVE_RATIO", real)
    switch = "0 and below switch the original's filter off; for the same, take the stage out"
    settings.leave("FILTER.BLOOM_FILTER_CHECK.USE_MSG_FIELD", switch)
    return draft.set("on_miss", "null")


def _allowed(given: Given, draft: Draft) -> None:
    """The list to let in by: a model, else the ids of the annotations, which are those of the sample data."""
    if draft.file("allow", f"{_BLOOM}MODEL_PATH_LIST") or draft.file("allow", "FILTER.BLOOM_FILTER.MODEL_PATH"):
        draft.lacks = ""
        return
    table = given.here(given.settings.peek(_TABLE))
    if table is None:
        return
    draft.lacks = ""
    draft.about.append("by the ids of the annotations, for the model is not here")
    draft.set("allow", table).set("separator", ":")


def _interpolate(given: Given, before: str) -> Draft | None:
    settings = given.settings
    if settings.peek(f"{_FILL}WINDOW_SIZE") == "0":
        settings.leave(f"{_FILL}WINDOW_SIZE", "0 switches interpolation off: there is no stage")
        return None
    draft = Draft(given, "interpolate", "interpolate", [before], "INP")
    if settings.peek(f"{_FILL}USE_MSG_FIELD") in {"", "0"}:
        listed = draft.take("fields", f"{_FILL}USE_MSG_FIELD_LIST", names, "RIoTBench never reads this key")
        if listed is not None:
            why = "0 names no field, and RIoTBench makes 0.0 of all values then; the names are in USE_MSG_FIELD_LIST"
            settings.leave(f"{_FILL}USE_MSG_FIELD", why)
    else:
        draft.take("fields", f"{_FILL}USE_MSG_FIELD", names)
    draft.take("window", f"{_FILL}WINDOW_SIZE", count)
    return draft if draft.params else None


def _join(given: Given, before: str) -> Draft | None:
    settings, known = given.settings, given.dataset
    meta = [*_columns(given, "PARSE.META_FIELD_SCHEMA"), *_columns(given, "JOIN.META_FIELD_SCHEMA")]
    others = [name for name in meta if name != "timestamp"]  # which is the pack's time, no entry of it
    fields = dict.fromkeys([given.id, *(known.meta if known else others), *given.measured()])
    fields.pop("", None)
    if not fields:
        return None
    draft = Draft(given, "join", "join", [before]).set("fields", list(fields))
    for key in ("PARSE.META_FIELD_SCHEMA", "JOIN.META_FIELD_SCHEMA"):
        settings.put(key, draft.place("fields"), "with the measured columns; the time is the record's own")
    settings.leave("JOIN.MAX_COUNT_VALUE", f"a message is complete with the fields of {draft.place('fields')}")
    settings.leave("JOIN.SCHEMA_FILE_PATH", f"{draft.place('fields')} has the columns")
    return draft


def _columns(given: Given, key: str) -> list[str]:
    return [name.strip() for name in given.settings.peek(key).split(",") if name.strip()]


def _annotate(given: Given, before: str) -> Draft | None:
    settings, known = given.settings, given.dataset
    if not settings.peek(_TABLE):
        return None
    draft = Draft(given, "annotate", "annotate", [before], "ANN")
    draft.file("table", _TABLE)
    if known:
        draft.set("names", list(known.annotations))
    else:
        draft.lacks = draft.lacks or "names: of the columns it adds are in no setting"
    why = "a column of the row, counted from 0; the id of the record is its source"
    return draft.set("by", "source", "ANNOTATE.ANNOTATE_MSG_USE_FIELD", why)


def _insert(given: Given, before: str) -> Draft | None:
    """In line, where RIoTBench has a branch: what is published is in the table."""
    draft = Draft(given, "insert", "table_insert", [before], "ATI")
    if draft.take("table", f"{_STORE}TABLE_NAME", _table_name) is None:
        return None
    draft.set("store", f"sqlite:{given.name}.db")
    given.settings.leave(f"{_STORE}INSERTBATCHSIZE", "table_insert writes all that are in hand, however many")
    return draft


def _table_name(text: str) -> str:
    name = "".join(filter(str.isalnum, text))
    if not name[:1].isalpha() or len(name) < 3:
        raise ValueError("is no name of a table")
    return name[:63]


def _senml(given: Given, before: str) -> Draft:
    draft = Draft(given, "senml", "csv_to_senml", [before], "C2S")
    draft.file("schema", "PARSE.CSV_SCHEMA_WITH_ANNOTATEDFIELDS_FILEPATH", lacking="without it there are no units")
    return draft
