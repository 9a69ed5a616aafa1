"""Which shard has which key-group, and what moves when their number changes."""

from hypothesis import given
from hypothesis import strategies as st

from riotd.placement import EVERYWHERE, GROUPS, Placement, Transfer, moves, placed

COUNTS = st.lists(st.integers(1, GROUPS), min_size=1, max_size=6)


def after(present: Placement, shards: int) -> Placement:
    """Where everything is once all has moved."""
    grown = Placement(max(present.shards, shards), present.table)
    for transfer in moves(present, shards):
        assert grown.table[transfer.group] == transfer.source != transfer.target
        grown = grown.after(transfer)
    return Placement(shards, grown.table)


@given(counts=COUNTS)
def test_shares_are_equal_after_any_changes(counts: list[int]) -> None:
    """However often the number changes, shares differ by one key-group at most, and none is on a shard that is gone."""
    present = placed(counts[0])
    for shards in counts[1:]:
        present = after(present, shards)
        assert set(present.table) == set(range(shards))
        assert max(present.groups) - min(present.groups) <= 1
        assert sum(present.groups) == GROUPS


@given(counts=COUNTS, shards=st.integers(1, GROUPS))
def test_no_more_moves_than_must(counts: list[int], shards: int) -> None:
    """Only groups of shards that go, or have more than their share, move; and none moves twice."""
    present = placed(counts[0])
    for count in counts[1:]:
        present = after(present, count)
    found = moves(present, shards)
    least = GROUPS // shards
    for transfer in found:
        assert transfer.source >= shards or present.groups[transfer.source] > least
    assert len({transfer.group for transfer in found}) == len(found)
    assert moves(after(present, shards), shards) == []


def test_a_table_is_told_where_it_must_be() -> None:
    """What is group modulo shards needs no words; a group in another place makes the whole table said."""
    assert placed(3).told == b""
    assert len(placed(3).after(Transfer(0, 0, 2)).told) == GROUPS
    assert placed(3).after(Transfer(EVERYWHERE, 0, 2)) == placed(3)
