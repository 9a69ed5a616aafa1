import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks import BadRecord, Record
from riot_tasks.fields import LIMIT, derived, number, numbers, versioned
from riot_tasks.parameters import flag, name, names, one_of, path, positive, whole
from riot_tasks.record import text

HUGE = pytest.param(10**5000, id="huge")  # a number Python refuses to print
VALUES = {"temperature": 21.5, "count": 3, "humidity": "40.5", "kind": "indoor", "on": True, "raw": b"1", "gone": None}
RECORD = Record(1, "dev7", 0.0, VALUES)


def test_named_fields_come_in_their_order() -> None:
    """Watched fields are read in the order they were listed, missing and None ones passed over."""
    assert list(numbers(RECORD, ["humidity", "absent", "gone", "temperature"]).items()) == [
        ("humidity", 40.5),
        ("temperature", 21.5),
    ]


def test_without_names_every_numeric_field_counts() -> None:
    """Numbers and texts that are numbers count; booleans, bytes, other texts and None do not."""
    assert numbers(RECORD, None) == {"temperature": 21.5, "count": 3.0, "humidity": 40.5}


@pytest.mark.parametrize("field", ["kind", "on", "raw"])
def test_a_watched_field_that_is_no_number_is_refused(field: str) -> None:
    """A field that was named must hold a number; the reason names the field."""
    with pytest.raises(BadRecord, match=f"^{field}: "):
        numbers(RECORD, [field])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -LIMIT, 10**400, HUGE, "nan", "1e999", "1_000", ""])
def test_what_would_poison_a_sum_is_refused(value: float | str) -> None:
    """Values that are not finite, too large or not quite numbers are refused, however large they print."""
    with pytest.raises(BadRecord, match="is not a number within") as refused:
        number("x", value)
    assert len(str(refused.value)) < 100


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_without_names_a_poisonous_number_is_refused_too(value: float) -> None:
    """A field of a numeric type counts, so its number must be usable."""
    with pytest.raises(BadRecord, match="x: "):
        numbers(Record(1, "dev7", 0.0, {"x": value}), None)


@given(st.floats(-LIMIT, LIMIT, exclude_min=True, exclude_max=True))
def test_numbers_and_their_text_are_the_same(value: float) -> None:
    """A number written out is that number."""
    assert number("x", repr(value)) == number("x", value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [(8, "8"), (8.0, "8"), ("8", "8"), (-0.0, "0"), (8.5, "8.5"), (2**63, "9223372036854775808"), (True, "True")],
)
def test_equal_numbers_are_equal_texts(value: float | str, expected: str) -> None:
    """8, 8.0 and "8" are one and the same item."""
    assert text(value) == expected


@pytest.mark.parametrize("value", [b"\xff", HUGE, float("nan"), 1e300, None])
def test_every_value_has_a_text(value: object) -> None:
    """No value, however odd, makes `text` fail."""
    assert text(value)  # type: ignore[arg-type]


def test_a_result_of_some_fields_has_no_other_units() -> None:
    """Of a record with two measured fields, a result with one of them has that one's unit alone."""
    record = Record(1, "dev7", 0.0, {"temperature": 20.0, "dust": 5.0}, {"temperature": "Cel", "dust": "ug/m3"})
    assert derived(record, {"dust": 6.0}).units == {"dust": "ug/m3"}


def test_a_newer_snapshot_is_refused() -> None:
    """A snapshot of a version not known yet says what to do."""
    with pytest.raises(ValueError, match="version 2: this riot_tasks reads up to 1; upgrade it"):
        versioned({"version": 2}, 1)


@pytest.mark.parametrize("value", [[], "temperature", ["a", "a"], ["a", ""], [1], 7, {"a": 1}])
def test_field_names_are_checked(value: object) -> None:
    """Only a list of different, non-empty names passes; the message shows one."""
    with pytest.raises(ValueError, match=r"fields: .* write \[temperature, humidity\]"):
        names("fields", value)


@pytest.mark.parametrize("value", [0, -1, 1.0, "3", True, None, 2**31])
def test_whole_numbers_are_checked(value: object) -> None:
    """Only an int in range passes; the message has the range and the value."""
    with pytest.raises(ValueError, match=r"window: must be a whole number from 1 to 2147483647 \(is "):
        whole("window", value, least=1)


@pytest.mark.parametrize("value", [0, -0.5, float("nan"), float("inf"), "0.1", True, None])
def test_positive_numbers_are_checked(value: object) -> None:
    """Only a finite number above 0 passes."""
    with pytest.raises(ValueError, match="noise: must be a number above 0"):
        positive("noise", value)


def test_words_flags_and_names_are_checked() -> None:
    """A word must be one of the choices, a flag true or false, a name a text."""
    with pytest.raises(ValueError, match=r"mode: must be 'drop' or 'null' \(is 'x'\)"):
        one_of("mode", "x", ("drop", "null"))
    with pytest.raises(ValueError, match="parity: must be true or false"):
        flag("parity", 1)
    with pytest.raises(ValueError, match=r"field: must be a field's name \(is ''\)"):
        name("field", "")


@pytest.mark.parametrize("value", ["", "a\0b", "\ud800", b"a", 7, None])
def test_paths_are_checked(value: object) -> None:
    """Only a text that can be the path of a file passes."""
    with pytest.raises(ValueError, match=r"model: must be the path of a file \(is "):
        path("model", value)
    assert path("model", "a/b é.json") == "a/b é.json"


def test_what_can_not_be_written_is_refused_all_the_same() -> None:
    """An integer of more digits than Python writes, or than a double has room for, is refused by its size."""
    with pytest.raises(ValueError, match=r"window: .* \(is an integer of 20001 bits\)"):
        whole("window", 16**5000, least=1)
    with pytest.raises(ValueError, match=r"noise: must be a number above 0 \(is an integer of 1329 bits\)"):
        positive("noise", 10**400)
