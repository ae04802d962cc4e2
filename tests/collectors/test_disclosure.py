"""No sum over few homes, and no answers that together show one home."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.disclosure import (
    DELAY_S,
    MIN_HOMES,
    PUBLIC,
    Disclosure,
    Reader,
    grown,
    rounded_forecast,
)
from collectors.queries import GRACE_S, Records
from collectors.store import DeviceKey, Quality, QuarterEnergy
from collectors.told import REMEMBERED_S, ToldInMemory, ToldSum
from kwartier.clock import VirtualClock
from kwartier.interval import QUARTER_S
from kwartier.model import Community, Connection
from kwartier.units import EpochS, Wh
from tests.memory_store import MemoryStore

NOON_S = 1_782_900_000  # 2026-07-01T10:00:00Z
NAMES = tuple(f"h{place:02}" for place in range(14))
HOMES = frozenset(NAMES)
INSIDE = Reader(inside=True)
MOST_TOGETHER = 3
"""How many homes two readers who work together have."""


class Arrivals(MemoryStore):
    """A record in which each home's import of a quarter comes in when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.import_wh: dict[tuple[str, EpochS], Wh] = {}

    def quarters(
        self,
        names: Collection[str],  # noqa: ARG002 - every home has one register
        start_s: EpochS,
        end_s: EpochS,
        keys: Collection[DeviceKey] | None = None,
    ) -> list[QuarterEnergy]:
        return [
            QuarterEnergy(DeviceKey(f"g-{home}", "p1"), "import_wh", at_s, wh, Quality.MEASURED)
            for (home, at_s), wh in self.import_wh.items()
            if start_s <= at_s < end_s and keys is None
        ]

    def arrive(self, homes: Collection[str], at_s: EpochS, wh: Wh = 100) -> None:
        self.import_wh |= {(home, at_s): wh + int(home[1:]) for home in homes}


def records_of(store: Arrivals, clock: VirtualClock, told: ToldInMemory | None = None) -> Records:
    """Return a process that answers for all homes; what was told is shared where it is given."""
    connections = {name: Connection(name, f"m-{name}", f"g-{name}") for name in NAMES}
    community = Community("zonnehof", "Zonnehof", connections, {})
    return Records(store, community, clock, Disclosure(told))


def told_homes(records: Records, start_s: EpochS = NOON_S) -> frozenset[str] | None:
    """Return the homes in the sums that are told of a quarter."""
    told = records.told(start_s, start_s + QUARTER_S)
    return told[0].homes if told else None


def test_a_sum_of_four_homes_is_not_told_and_one_of_five_is() -> None:
    store, clock = Arrivals(), VirtualClock(NOON_S + QUARTER_S + GRACE_S)
    store.arrive(NAMES[:4], NOON_S)
    records = records_of(store, clock)

    assert told_homes(records) is None
    store.arrive(NAMES[:5], NOON_S)
    clock.advance(60)
    assert told_homes(records) == frozenset(NAMES[:5])


def test_who_has_two_homes_in_a_sum_of_five_is_not_told_it() -> None:
    store, clock = Arrivals(), VirtualClock(NOON_S + QUARTER_S + GRACE_S)
    store.arrive(NAMES[:5], NOON_S)
    records = records_of(store, clock)

    def seen(reader: Reader) -> int:
        return len(records.sums(NOON_S, NOON_S + QUARTER_S, reader))

    assert seen(Reader(inside=True, homes=frozenset(NAMES[:1]))) == 1
    assert seen(Reader(inside=True, homes=frozenset(NAMES[:2]))) == 0
    assert seen(Reader(inside=True, homes=frozenset(NAMES[4:6]))) == 1


def test_late_homes_are_taken_in_only_when_they_are_enough_to_hide_each_other() -> None:
    store, clock = Arrivals(), VirtualClock(NOON_S + QUARTER_S + GRACE_S)
    store.arrive(NAMES[:7], NOON_S)
    records = records_of(store, clock)

    first = told_homes(records)
    store.arrive(NAMES[:11], NOON_S)
    clock.advance(60)
    second = told_homes(records)
    store.arrive(NAMES[:12], NOON_S)
    clock.advance(60)

    assert first == second == frozenset(NAMES[:7])
    assert told_homes(records) == frozenset(NAMES[:12])
    assert grown(HOMES - {"h00"}, HOMES) is False


def test_a_correction_of_one_home_does_not_show_in_a_sum_that_was_told() -> None:
    store, clock = Arrivals(), VirtualClock(NOON_S + QUARTER_S)
    store.arrive(NAMES, NOON_S)
    records = records_of(store, clock)
    before = records.told(NOON_S, NOON_S + QUARTER_S)

    store.arrive(NAMES[:1], NOON_S, wh=5_000)
    clock.advance(60)

    assert records.told(NOON_S, NOON_S + QUARTER_S) == before


def test_what_was_told_holds_after_a_restart_and_in_another_process() -> None:
    store, clock, told = Arrivals(), VirtualClock(NOON_S + QUARTER_S + GRACE_S), ToldInMemory()
    store.arrive(NAMES[1:], NOON_S)
    one, other = (records_of(store, clock, told) for _ in range(2))

    before = told_homes(one)
    store.arrive(NAMES, NOON_S)
    clock.advance(60)

    assert before == frozenset(NAMES[1:])
    assert told_homes(other) == told_homes(records_of(store, clock, told)) == before


def test_power_covers_the_same_homes_for_a_quarter_and_pauses_before_they_change() -> None:
    disclosure = Disclosure()

    assert disclosure.live_homes(NOON_S, HOMES) == HOMES
    assert disclosure.live_homes(NOON_S + 899, HOMES - {"h00"}) is None
    assert disclosure.live_homes(NOON_S + 900, HOMES - {"h00"}) is None
    assert disclosure.live_homes(NOON_S + 1799, HOMES - {"h00"}) is None
    assert disclosure.live_homes(NOON_S + 1800, HOMES - {"h00"}) == HOMES - {"h00"}


def test_a_street_that_wakes_up_is_shown_at_once() -> None:
    disclosure = Disclosure()

    assert disclosure.live_homes(NOON_S, set(NAMES[:4])) is None
    assert disclosure.live_homes(NOON_S + 60, set(NAMES[:7])) == frozenset(NAMES[:7])
    assert disclosure.live_homes(NOON_S + 900, set(NAMES[:13])) == frozenset(NAMES[:13])


def test_a_quarter_is_told_over_the_homes_whose_power_was_told_in_it() -> None:
    store, clock = Arrivals(), VirtualClock(NOON_S + 60)
    records = records_of(store, clock)
    assert records.live_homes(HOMES) == HOMES

    store.arrive(NAMES[1:], NOON_S)
    clock.advance(QUARTER_S + GRACE_S)
    without_one = told_homes(records)
    store.arrive(NAMES, NOON_S)
    clock.advance(60)

    assert without_one is None
    assert told_homes(records) == HOMES


def test_who_does_not_live_here_gets_use_a_day_later() -> None:
    store, clock = Arrivals(), VirtualClock(NOON_S + QUARTER_S)
    store.arrive(NAMES, NOON_S)
    records = records_of(store, clock)

    def told(reader: Reader) -> tuple[Wh | None, Wh | None, Wh]:
        [quarter] = records.sums(NOON_S, NOON_S + QUARTER_S, reader)
        return quarter.use_wh, quarter.import_wh, quarter.solar_wh

    total = 14 * 100 + sum(range(14))
    assert told(PUBLIC) == (None, None, 0)
    assert told(INSIDE) == (total, total, 0)
    clock.advance(DELAY_S - 1)
    assert told(PUBLIC) == (None, None, 0)
    clock.advance(1)
    assert told(PUBLIC) == (total, total, 0)


def test_an_old_quarter_is_not_told_for_the_first_time() -> None:
    store, clock = Arrivals(), VirtualClock(NOON_S + REMEMBERED_S + 1)
    store.arrive(NAMES, NOON_S)

    assert told_homes(records_of(store, clock)) is None


def test_expected_use_is_told_in_steps() -> None:
    assert [rounded_forecast(wh) for wh in (0, 124, 125, 6_300)] == [0, 0, 250, 6_250]


def test_what_is_remembered_is_bounded() -> None:
    told = ToldInMemory()
    disclosure = Disclosure(told)
    store, clock = Arrivals(), VirtualClock(NOON_S + QUARTER_S)
    store.arrive(NAMES, NOON_S)
    told_homes(records_of(store, clock, told))

    disclosure.tell([], NOON_S + REMEMBERED_S + QUARTER_S)
    told.keep([], NOON_S + REMEMBERED_S + QUARTER_S)

    assert told.sums(NOON_S, NOON_S + QUARTER_S) == {}


Move: TypeAlias = "tuple[str, frozenset[str], int]"
some_homes = st.frozensets(st.sampled_from(NAMES)) | st.sets(
    st.sampled_from(NAMES), max_size=3
).map(lambda away: HOMES - away)
moves = st.tuples(
    st.sampled_from(["arrive", "correct", "ask", "ask", "live", "restart", "wait"]),
    some_homes,
    st.integers(0, 2),
)


@dataclass
class Collected:
    """Everything that was told, to whomever: over which homes each number of a quarter was."""

    sums: dict[EpochS, dict[frozenset[str], ToldSum]] = field(default_factory=dict)
    live: list[tuple[float, frozenset[str]]] = field(default_factory=list)

    def sets(self, start_s: EpochS) -> set[frozenset[str]]:
        of_power = {homes for at_s, homes in self.live if start_s <= at_s < start_s + QUARTER_S}
        return of_power | set(self.sums.get(start_s, {}))


def play(told_moves: list[Move]) -> Collected:
    """Let two processes with one memory answer while readings come in; return all answers."""
    store, clock, told, all_told = Arrivals(), VirtualClock(NOON_S), ToldInMemory(), Collected()
    processes = [records_of(store, clock, told) for _ in range(2)]
    for what, homes, number in told_moves:
        clock.advance(61)
        process = processes[number % 2]
        match what:
            case "arrive":
                store.arrive(homes, NOON_S + number * QUARTER_S)
            case "correct":
                store.arrive(homes, NOON_S + number * QUARTER_S, wh=200)
            case "wait":
                clock.advance(450 * number)
            case "restart":
                processes[number % 2] = records_of(store, clock, told)
            case "live" if (chosen := process.live_homes(homes)) is not None:
                all_told.live.append((clock.now_s(), chosen))
            case "ask":
                for one in process.told(NOON_S, NOON_S + 3 * QUARTER_S):
                    same = all_told.sums.setdefault(one.start_s, {}).setdefault(one.homes, one)
                    assert same == one
    return all_told


def determines(sets: Collection[frozenset[str]], known: frozenset[str]) -> set[str]:
    """Return the homes whose value follows from sums over some sets and from known values."""
    foreign = sorted(HOMES - known)
    rows = np.array([[home in homes for home in foreign] for homes in sets], dtype=np.float64)
    if not len(rows):
        return set()
    rank = np.linalg.matrix_rank(rows)
    return {
        home
        for home, unit in zip(foreign, np.eye(len(foreign)), strict=True)
        if np.linalg.matrix_rank(np.vstack([rows, unit])) == rank
    }


@settings(max_examples=300)
@given(
    told_moves=st.lists(moves, max_size=40),
    together=st.sets(st.sampled_from(NAMES), max_size=MOST_TOGETHER),
)
def test_no_answers_together_show_a_home_of_somebody_else(
    told_moves: list[Move], together: set[str]
) -> None:
    all_told = play(told_moves)

    for start_s in range(NOON_S, NOON_S + 20 * QUARTER_S, QUARTER_S):
        sets = all_told.sets(start_s)
        assert all(len(homes) >= MIN_HOMES for homes in sets)
        assert determines(sets, frozenset(together)) == set()
    for (before_s, before), (after_s, after) in zip(all_told.live, all_told.live[1:], strict=False):
        if after_s - before_s < QUARTER_S and before != after:
            assert before < after
            assert len(after - before - together) >= 2


def test_the_law_would_find_a_sum_that_grows_by_one() -> None:
    assert determines([HOMES, HOMES - {"h03"}], frozenset()) == {"h03"}
    assert determines([frozenset(NAMES[:5])], frozenset(NAMES[: MOST_TOGETHER + 1])) == {"h04"}


@pytest.mark.parametrize(
    ("before", "more", "may_be"),
    [
        # Nothing was told of five batteries, so the sixth shows nothing.
        (5, 1, True),
        # Six were told of together: a seventh would be the difference.
        (6, 0, True),
        (6, 1, False),
        (6, 5, False),
        (6, 6, True),
    ],
)
def test_sums_differ_by_no_battery_or_by_enough_of_them(
    before: int, more: int, may_be: bool
) -> None:
    old, new = [f"h{n}" for n in range(8)], [f"n{n}" for n in range(8)]

    assert grown(set(old), [*old, *new], {*old[:before], *new[:more]}) is may_be


def test_power_pauses_when_one_more_battery_joins_those_that_are_told() -> None:
    with_battery = {*NAMES[:6], NAMES[12]}
    disclosure = Disclosure()

    assert disclosure.live_homes(NOON_S, set(NAMES[:7]), with_battery) == frozenset(NAMES[:7])
    assert disclosure.live_homes(NOON_S + 900, set(NAMES[:13]), with_battery) is None
    assert disclosure.live_homes(NOON_S + 1800, set(NAMES[:13]), with_battery) is not None


def test_a_quarter_stays_with_the_homes_of_its_power_where_one_battery_came_after() -> None:
    with_battery = {*NAMES[:6], NAMES[12]}
    disclosure = Disclosure()
    live = disclosure.live_homes(NOON_S, set(NAMES[:7]), with_battery)

    told = disclosure.homes_for(NOON_S, set(NAMES[:13]), NOON_S + 900, with_battery)

    assert told == live == frozenset(NAMES[:7])
