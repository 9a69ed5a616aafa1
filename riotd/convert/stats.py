"""RIoTBench's STATS: averages, forecasts and counts, drawn, zipped and stored (paper, figure 3b)."""

import re

from riotd.convert.drafts import Draft, Given
from riotd.convert.etl import parse
from riotd.convert.settings import count, names, real

_COUNT = "AGGREGATE.DISTINCT_APPROX_COUNT."
_KALMAN = "STATISTICS.KALMAN_FILTER."
_FORECAST = "PREDICT.SIMPLE_LINEAR_REGRESSION."
_ZIP = "IO.ZIPBUFFER."
_UNFIT = re.compile(r"[^\w.-]")
"""What is better not in the name of a file."""
_GATHER = "AGGREGATE.ACCUMLATOR."


def stats(given: Given) -> list[Draft]:
    """The stages, in order."""
    average, kalman = _average(given), _kalman(given)
    forecast, distinct = _forecast(given, kalman), _distinct(given)
    drawn = [average, forecast, *([distinct] if distinct else [])]
    series = _series(given, [draft.id for draft in drawn])
    plot = Draft(given, "plot", "multi_line_plot", [series.id], "PLT")
    return [parse(given), average, kalman, *drawn[1:], series, plot, _zip(given, plot)]


def _average(given: Given) -> Draft:
    draft = Draft(given, "average", "average", ["parse"], "AVG")
    _watch(given, draft, "AGGREGATE.BLOCK_AVERAGE.USE_MSG_FIELD")
    draft.take("window", "AGGREGATE.BLOCK_COUNT.WINDOW_SIZE", count)
    return draft


def _watch(given: Given, draft: Draft, key: str) -> None:
    """The fields of a setting, else the measured ones: without any, positions on the map would count too."""
    if draft.take("fields", key, names) is None and (measured := given.measured()):
        draft.set("fields", measured)


def _kalman(given: Given) -> Draft:
    draft = Draft(given, "kalman", "kalman_filter", ["parse"], "KAL")
    _watch(given, draft, f"{_KALMAN}USE_MSG_FIELDLIST")
    for parameter, key in (
        ("process_noise", "PROCESS_NOISE"),
        ("sensor_noise", "SENSOR_NOISE"),
        ("estimated_error", "ESTIMATED_ERROR"),
    ):
        draft.take(parameter, f"{_KALMAN}{key}", real)
    return draft


def _forecast(given: Given, kalman: Draft) -> Draft:
    draft = Draft(given, "forecast", "sliding_regression", [kalman.id], "SLR")
    if "fields" in kalman.params:
        draft.set("fields", kalman.params["fields"])
    draft.take("window", f"{_FORECAST}WINDOW_SIZE_TRAIN", count)
    draft.take("horizon", f"{_FORECAST}WINDOW_SIZE_PREDICT", count)
    if given.settings.peek(f"{_FORECAST}USE_MSG_FIELD").startswith("-"):
        given.settings.leave(
            f"{_FORECAST}USE_MSG_FIELD", "below 0 RIoTBench forecasts random numbers; riotd the readings"
        )
    return draft


def _distinct(given: Given) -> Draft | None:
    """None for taxis: the paper has no such count for them, and RIoTBench's own settings give none."""
    settings, known = given.settings, given.dataset
    key = f"{_COUNT}USE_MSG_FIELD_LIST"
    if key not in settings:
        key = f"{_COUNT}USE_MSG_FIELD"
    named = settings.peek(key)
    draft = Draft(given, "distinct", "distinct_count", ["parse"], "DAC, a count for each key")
    if named in given.measured():
        draft.set("trigger", named, key)
    elif known and known.distinct:
        why = f"{named} is no measured column, so RIoTBench gives nothing; the paper's table 5 has {known.distinct}"
        draft.set("trigger", known.distinct, key, why)
    else:
        why = f"{named or 'nothing'} is no measured column, so RIoTBench gives nothing; nor has the paper such a count"
        settings.leave(key, why)
        settings.leave(f"{_COUNT}BUCKETS", "there is no distinct count for this data set")
        return None
    draft.take("buckets", f"{_COUNT}BUCKETS", count)
    return draft


def _series(given: Given, before: list[str]) -> Draft:
    draft = Draft(given, "series", "accumulate", before, "ACC, a window for each key; RIoTBench has one for all")
    draft.take("window", f"{_GATHER}TUPLE_WINDOW_SIZE", count)
    why = "forecasts come as records of their own, told apart by their step"
    return draft.set("name_from", "step", f"{_GATHER}MULTIVALUE_OBSTYPE", why)


def _zip(given: Given, plot: Draft) -> Draft:
    draft = given.blobs(Draft(given, "zip", "remote_zip", [plot.id], "LZP and ABU in one: RZP"))
    draft.set("field", "plot")
    pattern = _UNFIT.sub("_", given.settings.peek(f"{_ZIP}FILENAME_PATTERN"))
    ending = ".png" if given.settings.peek(f"{_ZIP}FILENAME_EXT") == ".png" else ".svg"
    plot.set("format", ending[1:], f"{_ZIP}FILENAME_EXT")
    draft.set("entry", f"{pattern and pattern + '-'}{{source}}-{{time}}{ending}", f"{_ZIP}FILENAME_PATTERN")
    draft.take("count", f"{_ZIP}MAX_FILES_COUNT", count)
    why = f"a path of the authors' machine: {draft.place('store')} says where they go"
    given.settings.leave(f"{_ZIP}OUTPUT_ZIP_FILE_PATH", why)
    return draft
