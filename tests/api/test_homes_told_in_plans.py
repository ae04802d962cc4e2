"""Which homes' batteries plans tell of together, so that no two plans show one of them."""

from __future__ import annotations

from api.planning.asked import HORIZON
from api.planning.told import HomesTold
from kwartier.interval import QUARTER_S

NOON_S = 1_782_900_000
SEVEN = frozenset(f"h{n}" for n in range(7))
SIX = SEVEN - {"h6"}
THIRTEEN = SEVEN | {f"n{n}" for n in range(6)}


def test_batteries_of_five_homes_are_not_told_of() -> None:
    assert HomesTold().over(SIX - {"h5"}, NOON_S) == frozenset()


def test_a_battery_that_comes_in_is_told_of_once_nothing_that_was_told_is_to_come() -> None:
    homes = HomesTold()

    assert homes.over(SIX, NOON_S) == SIX
    assert homes.over(SEVEN, NOON_S + QUARTER_S) == SIX
    assert homes.over(SEVEN, NOON_S + 2 * QUARTER_S) == SIX


def test_while_one_of_them_is_silent_none_is_told_of() -> None:
    homes = HomesTold()
    homes.over(SEVEN, NOON_S)

    last_s = NOON_S + HORIZON * QUARTER_S
    assert homes.over(SIX, NOON_S + QUARTER_S) == frozenset()
    assert homes.over(SIX, last_s - QUARTER_S) == frozenset()
    assert homes.over(SIX, last_s) == SIX


def test_enough_batteries_that_come_in_together_are_told_of_at_once() -> None:
    homes = HomesTold()
    homes.over(SEVEN, NOON_S)

    assert homes.over(THIRTEEN, NOON_S + QUARTER_S) == THIRTEEN


def test_a_battery_that_came_in_with_a_restart_is_told_of_as_late() -> None:
    homes = HomesTold(SIX, NOON_S)

    last_s = NOON_S + HORIZON * QUARTER_S
    assert homes.over(SEVEN, NOON_S) == SIX
    assert HomesTold(SEVEN, NOON_S).over(SIX, last_s - QUARTER_S) == frozenset()
