"""Ways messages come in: which filter stands for a topic, and how many came by each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd import channels
from riotd.channels import Channel, Channels, matches
from riotd.messages import Message


def message(topic: str, origin: int = 0) -> Message:
    return Message(topic, b"", 0.0, None, origin)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("sport/#", "sports", False),
        ("#", "a/b/c", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/uptime", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/uptime", True),
        ("$share/group/in/+", "in/dev1", True),
        ("$share/group/in/+", "out/dev1", False),
        ("a/b", "a/b", True),
    ],
)
def test_filters_stand_for_what_the_standard_says(topic_filter: str, topic: str, expected: bool) -> None:  # noqa: FBT001 - a parameter
    """The examples of MQTT 5 section 4.7, and shared subscriptions."""
    assert matches(topic_filter, topic) is expected


def test_the_first_filter_that_fits_counts() -> None:
    """A message that several filters stand for counts for the first; what none stands for is counted by itself."""
    ways = Channels({"feed": ["in/a", "in/+"]})
    assert ways.all == [Channel("feed", "in/a"), Channel("feed", "in/+"), Channel("feed", "")]
    counts = ways.count([message("in/a"), message("in/b"), message("in/c"), message("out")])
    assert counts == {0: 1, 1: 2, 2: 1}
    assert ways.of(message("in/b")) == 1


def test_one_filter_takes_all_of_its_source() -> None:
    """A source of one filter has one channel, whatever the topics are."""
    ways = Channels({"a": ["x/#"], "b": ["y"]})
    assert ways.count([message("z"), message("y", 1), message("z")]) == {0: 2, 1: 1}
    assert ways.of(message("z", 1)) == 1


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["a", "b", "c/d", "e"])), max_size=30),
    st.integers(1, 12),
)
def test_counting_is_telling_each(sent: list[tuple[int, str]], filters: int) -> None:
    """However the sources are mixed, and however many filters there are, the counts are those of one by one."""
    more = [f"no/{number}" for number in range(filters)]
    ways = Channels({"one": ["#"], "two": ["a", "c/+", *more], "three": [*more, "+"]})
    messages = [message(topic, origin) for origin, topic in sent]
    counts = {channel: count for channel, count in ways.count(messages).items() if count}
    expected: dict[int, int] = {}
    for each in messages:
        expected[ways.of(each)] = expected.get(ways.of(each), 0) + 1
    assert counts == expected


def test_the_memory_of_topics_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound the older half is forgotten, and told again when it comes again."""
    monkeypatch.setattr(channels, "_REMEMBERED", 10)
    ways = Channels({"feed": ["a/+", "b/+"]})
    sent = [message(f"{'ab'[number % 2]}/{number}") for number in range(100)]
    assert ways.count(sent) == {0: 50, 1: 50, 2: 0}
    assert len(ways._topics[0] or ()) <= 10
    assert ways.count(sent[:2]) == {0: 1, 1: 1, 2: 0}
