"""Kills spread over a feed: all of them fit in."""

from hypothesis import given
from hypothesis import strategies as st

from riotd.drill.spread import Spread


@given(st.integers(1, 300), st.integers(0, 10**6), st.integers(0, 99), st.data())
def test_every_kill_has_messages_before_it(kills: int, more: int, seed: int, data: st.DataObject) -> None:
    """However far the feed gets while a kill is recovered from, messages are left for the next, and behind the last."""
    messages = 10 * kills + more
    spread, sent = Spread(kills, messages, seed=seed), 0
    for done in range(kills):
        limit = spread.limit(done)
        assert sent < limit < messages
        strikes = spread.strikes_at(done, sent)
        assert sent <= strikes <= limit
        sent = data.draw(st.integers(strikes, limit))


def test_without_delay_they_are_spread_evenly() -> None:
    """If recovery takes no messages, gaps are as large at the end as at the beginning, within a half."""
    spread, sent, gaps = Spread(200, 10**6, seed=3), 0, []
    for done in range(200):
        strikes = spread.strikes_at(done, sent)
        gaps.append(strikes - sent)
        sent = strikes
    assert 4000 < sum(gaps[:50]) / 50 < 6000
    assert 4000 < sum(gaps[-50:]) / 50 < 6000
