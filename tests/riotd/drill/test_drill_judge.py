"""The judge: what a drill counts."""

from hypothesis import given
from hypothesis import strategies as st

from riotd.drill.judge import Judge


def judge_of(*streams: str, messages: int) -> Judge:
    """A judge that is owed so many results of each stream."""
    judge = Judge()
    for stream in streams:
        for number in range(messages):
            judge.oblige(stream, judge.expect(stream, number, f"state {number}"))
    return judge


def hear(judge: Judge, *numbers: int, stream: str = "a", now: float = 0.0) -> None:
    for number in numbers:
        judge.hear(stream, number, f"state {number}", now=now)


class TestJudge:
    def test_finds_nothing_where_nothing_is_wrong(self) -> None:
        """All results once and in order: nothing is counted but them."""
        judge = judge_of("a", messages=5)
        hear(judge, 0, 1, 2, 3, 4)
        counts = judge.counts
        assert (judge.lost, counts.heard) == (0, 5)
        assert (counts.doubled, counts.late, counts.wrong, counts.unknown) == (0, 0, 0, 0)

    def test_owes_from_the_acknowledgement_on(self) -> None:
        """What the broker has not acknowledged is not lost, and what came before its acknowledgement is not owed."""
        judge = Judge()
        first, _ = (judge.expect("a", number) for number in range(2))
        assert judge.lost == 0
        judge.hear("a", 0, now=0.0)
        judge.oblige("a", first)
        assert judge.lost == 0

    def test_counts_what_comes_again_as_doubled_and_not_as_late(self) -> None:
        """A batch that is published twice is doubled; the order of first results is what counts."""
        judge = judge_of("a", messages=6)
        hear(judge, 0, 1, 2, 3, 1, 2, 3, 4, 5)
        assert (judge.counts.doubled, judge.counts.late, judge.lost) == (3, 0, 0)

    def test_counts_a_first_result_behind_a_later_one_as_late(self) -> None:
        """What was overtaken is late, and not lost; streams have orders of their own."""
        judge = judge_of("a", "b", messages=4)
        hear(judge, 0, 2, 1, 3)
        hear(judge, 0, 1, 2, 3, stream="b")
        assert (judge.counts.late, judge.counts.doubled, judge.lost) == (1, 0, 0)

    def test_compares_states(self) -> None:
        """A result with another content than the reference's is wrong, also when it comes again."""
        judge = judge_of("a", messages=2)
        judge.hear("a", 0, "state 0", now=0.0)
        judge.hear("a", 0, "state 1", now=0.0)
        judge.hear("a", 1, "state 2", now=0.0)
        assert judge.counts.wrong == 2
        assert judge.examples == [
            "a: 0 is state 1, the reference has state 0",
            "a: 1 is state 2, the reference has state 1",
        ]

    def test_names_what_nobody_expects(self) -> None:
        """Results of unknown keys or streams are counted apart."""
        judge = judge_of("a", messages=1)
        hear(judge, 7)
        hear(judge, 0, stream="x")
        assert (judge.counts.unknown, judge.lost) == (2, 1)

    def test_names_what_is_lost(self) -> None:
        """The first few of what was owed and did not come are said."""
        judge = judge_of("a", messages=4)
        hear(judge, 0, 3)
        assert judge.missing(most=1) == ["a: 1 is lost"]
        assert judge.missing() == ["a: 1 is lost", "a: 2 is lost"]

    def test_measures_the_longest_silence_of_a_stream(self) -> None:
        """The longest time between two results of one stream, since the mark, and since the beginning."""
        judge = judge_of("a", "b", messages=9)
        hear(judge, 0, now=0.0)
        hear(judge, 0, stream="b", now=1.0)
        hear(judge, 1, stream="b", now=4.0)
        assert judge.silence == 3.0
        judge.mark()
        hear(judge, 1, now=5.0)
        hear(judge, 2, now=5.5)
        hear(judge, 2, stream="b", now=4.5)
        assert (judge.silence, judge.longest) == (5.0, 5.0)

    def test_takes_what_comes_again_for_what_it_was(self) -> None:
        """Where equal results are far apart, one that comes twice is doubled, and no later one is taken for it."""
        judge, keys = Judge(), [*"abcdefgh", "a"]
        for key in keys:
            judge.oblige("x", judge.expect("x", key))
        for key in "ab" + "ab" + "cdefgha":
            judge.hear("x", key, now=0.0)
        assert (judge.counts.doubled, judge.counts.late, judge.lost) == (2, 0, 0)

    @given(st.lists(st.sampled_from("xyz"), max_size=30))
    def test_takes_equal_results_for_one_after_the_other(self, keys: list[str]) -> None:
        """A stream whose results repeat, all of them in order, is well."""
        judge = Judge()
        for key in keys:
            judge.oblige("a", judge.expect("a", key))
        for key in keys:
            judge.hear("a", key, now=0.0)
        counts = judge.counts
        assert (judge.lost, counts.doubled, counts.unknown, counts.late) == (0, 0, 0, 0)


class TestLongFeeds:
    def test_what_was_settled_long_ago_is_forgotten(self) -> None:
        """Of a long stream only the last is kept, and everything is counted as in a short one."""
        judge = Judge()
        for number in range(60_000):
            judge.oblige("a", judge.expect("a", number, f"state {number}"))
            if number % 1000 != 7:
                hear(judge, number)
        assert len(judge._streams["a"].places) == 60_000 - 7  # the first that is missing is kept, and all behind it
        hear(judge, *range(7, 60_000, 1000))
        hear(judge, 0, 59_999)
        assert len(judge._streams["a"].places) <= 20_000
        counts = judge.counts
        assert (judge.lost, counts.late, counts.doubled, counts.wrong, counts.unknown) == (0, 60, 2, 0, 0)

    def test_a_stranger_is_no_old_acquaintance(self) -> None:
        """What was never expected is unknown, however much was forgotten."""
        judge = judge_of("a", messages=20_000)
        hear(judge, *range(20_000))
        judge.hear("a", 10**6, now=0.0)
        judge.hear("a", "what", now=0.0)
        assert (judge.counts.unknown, judge.counts.doubled) == (2, 0)
