"""When a rotated file is finished, and gives way to its successor."""

from riotd.sources.rotation import LINGER, Rotation


def test_rotated_file_gives_way_after_one_quiet_look() -> None:
    """The new file waits until the old one was at its end twice in a row, with no unfinished line."""
    rotation = Rotation()
    rotation.at_end(0.0, news=True, rest=False)
    rotation.begin()
    assert not rotation.gives_way(0.0)
    rotation.at_end(0.1, news=False, rest=False)
    assert not rotation.gives_way(0.1)
    rotation.at_end(0.2, news=True, rest=False)
    rotation.at_end(0.3, news=False, rest=False)
    assert not rotation.gives_way(0.3)
    rotation.at_end(0.4, news=False, rest=True)
    assert not rotation.gives_way(0.4)
    rotation.at_end(0.5, news=False, rest=False)
    assert rotation.gives_way(0.5)


def test_writer_under_the_old_name_does_not_hold_up_for_ever() -> None:
    """An old file that keeps growing gives way `LINGER` seconds after its end was reached, but is not finished."""
    rotation = Rotation()
    rotation.begin()
    for tenths in range(int(LINGER * 10)):
        rotation.at_end(tenths / 10, news=True, rest=False)
        assert not rotation.gives_way(tenths / 10)
    assert rotation.gives_way(LINGER)
    assert not rotation.is_finished(LINGER)


def test_finished_file_holds_up_nobody_when_it_is_renamed_again() -> None:
    """The app.log.1 that becomes app.log.2 does not delay what becomes app.log.1."""
    rotation = Rotation()
    rotation.begin()
    rotation.at_end(0.0, news=True, rest=False)
    assert rotation.is_finished(LINGER)
    rotation.settle()
    rotation.begin()
    assert rotation.gives_way(100.0)
    assert not rotation.under_way
