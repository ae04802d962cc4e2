"""Quarter-hour energy from registers: worked examples, and laws that hold for any readings."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from collectors.quarters import (
    GroupEnergy,
    Known,
    Register,
    Span,
    fold,
    known_of_device,
    spans_of,
    steps_back,
)
from collectors.store import DeviceKey, Quality, QuarterEnergy
from kwartier.interval import QUARTER_S

MEASURED, ESTIMATED = Quality.MEASURED, Quality.ESTIMATED
Readings = Sequence[tuple[int, int]]


def energies(readings: Readings, quarters: int) -> list[Known | None]:
    """Return the energy of the first quarters after zero."""
    register = Register(spans_of(readings))
    return [register.known(quarter * QUARTER_S) for quarter in range(quarters)]


def test_readings_on_the_boundaries_are_a_measurement() -> None:
    assert energies([(0, 1000), (900, 1250), (1800, 1250)], 2) == [
        Known(250, MEASURED),
        Known(0, MEASURED),
    ]


def test_near_readings_around_a_boundary_are_a_measurement_between_them() -> None:
    # 10 s apart, 4 s before and 6 s after: 4/10 of 20 Wh lies before the boundary.
    readings = [(0, 1000), (896, 1100), (906, 1120), (1800, 1400)]

    assert energies(readings, 2) == [Known(108, MEASURED), Known(292, MEASURED)]


def test_thirty_seconds_are_near_and_one_more_is_not() -> None:
    assert energies([(0, 0), (890, 90), (920, 93), (1800, 200)], 1) == [Known(91, MEASURED)]
    assert energies([(0, 0), (890, 90), (921, 93), (1800, 200)], 1) == [Known(90, ESTIMATED)]


def test_a_wide_gap_is_spread_in_time_and_its_sum_is_exact() -> None:
    # 100 Wh over 2700 s: 33, 33 and 34 Wh.
    assert energies([(0, 500), (2700, 600)], 3) == [
        Known(33, ESTIMATED),
        Known(33, ESTIMATED),
        Known(34, ESTIMATED),
    ]


def test_a_quarter_with_an_open_end_is_not_known() -> None:
    assert energies([(300, 10), (900, 20), (1799, 30)], 2) == [None, None]


def test_a_single_false_low_reading_costs_no_energy() -> None:
    readings = [(0, 1000), (900, 1010), (1800, 0), (2700, 1030), (3600, 1040)]

    assert energies(readings, 4) == [
        Known(10, ESTIMATED),
        Known(10, ESTIMATED),
        Known(10, ESTIMATED),
        Known(10, MEASURED),
    ]


def test_a_single_false_high_reading_makes_no_energy() -> None:
    readings = [(0, 1000), (900, 999_999), (1800, 1020), (2700, 1030)]

    assert energies(readings, 3) == [
        Known(10, ESTIMATED),
        Known(10, ESTIMATED),
        Known(10, ESTIMATED),
    ]


def test_a_false_reading_inside_a_quarter_changes_nothing() -> None:
    readings = [(0, 1000), (300, 3), (600, 99_999), (899, 1010), (900, 1010)]

    assert energies(readings, 1) == [Known(10, MEASURED)]


def test_a_register_that_begins_again_is_missing_there_and_never_negative() -> None:
    readings = [(0, 900), (900, 950), (1800, 1000), (2700, 5), (3600, 15), (4500, 30)]

    assert energies(readings, 5) == [Known(50, MEASURED), None, None, None, Known(15, MEASURED)]


def test_each_place_where_a_register_falls_counts_once() -> None:
    first, second = Span(0, 0, 100, 800, 90), Span(900, 900, 80, 1700, 85)

    assert steps_back(None, first) == 1
    assert steps_back(first, second) == 1
    assert steps_back(None, second) == 0


def test_closing_and_opening_register_add_up_inside_a_quarter() -> None:
    old = Register(spans_of([(0, 5000), (300, 5040)]), is_followed=True)
    new = Register(spans_of([(600, 7), (900, 27), (1800, 100)]), follows=True)

    assert known_of_device([old, new], 0) == Known(60, MEASURED)
    assert known_of_device([old, new], 900) == Known(73, MEASURED)


def test_a_swap_over_several_quarters_is_an_estimate_and_misses_what_nobody_read() -> None:
    old = Register(spans_of([(0, 5000), (300, 5040)]), is_followed=True)
    new = Register(spans_of([(2000, 7), (2700, 27), (3600, 30)]), follows=True)

    told = [known_of_device([old, new], quarter * QUARTER_S) for quarter in range(4)]

    assert told == [Known(40, ESTIMATED), None, Known(20, ESTIMATED), Known(3, MEASURED)]


def test_a_meter_id_garbled_once_changes_nothing() -> None:
    real = Register(spans_of([(0, 5000), (450, 5020), (900, 5040)]))
    garbled = Register(spans_of([(460, 5021)]), follows=True, is_followed=True)

    assert known_of_device([real, garbled], 0) == Known(40, MEASURED)


def test_a_group_sums_what_is_known_and_says_how_many() -> None:
    one, two, three = (DeviceKey("gw", f"p{number}") for number in (1, 2, 3))

    told = fold(
        [
            QuarterEnergy(one, "import_wh", 0, 5, MEASURED),
            QuarterEnergy(one, "import_wh", 900, 6, MEASURED),
            QuarterEnergy(two, "import_wh", 0, 7, ESTIMATED),
            QuarterEnergy(three, "import_wh", 0, None, Quality.MISSING),
        ]
    )

    assert told == [GroupEnergy("import_wh", 0, 12, 2, 1), GroupEnergy("import_wh", 900, 6, 1, 0)]


_steps = st.lists(
    st.tuples(st.sampled_from([1, 7, 10, 29, 60, 450, 900, 901, 5000]), st.integers(0, 400)),
    min_size=1,
    max_size=80,
)
_any_readings = st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 500)), max_size=40)


def _rising(steps: Readings) -> list[tuple[int, int]]:
    """Return readings of a register that counts up, from a boundary to a boundary."""
    readings = [(0, 1000)]
    for seconds, rise_wh in steps:
        at_s, register = readings[-1]
        readings.append((at_s + seconds, register + rise_wh))
    at_s, register = readings[-1]
    return [*readings, (-(-(at_s + 1) // QUARTER_S) * QUARTER_S, register + 5)]


@given(steps=_steps)
def test_quarters_add_up_to_what_the_register_counted(steps: Readings) -> None:
    readings = _rising(steps)
    quarters = readings[-1][0] // QUARTER_S

    told = energies(readings, quarters)

    assert sum(known.energy_wh for known in told if known) == readings[-1][1] - 1000
    assert None not in told


@given(steps=_steps, places=st.sets(st.integers(0, 80)))
def test_leaving_readings_out_never_changes_the_sum(steps: Readings, places: set[int]) -> None:
    readings = _rising(steps)
    inner = [reading for place, reading in enumerate(readings[1:-1]) if place not in places]
    quarters = readings[-1][0] // QUARTER_S

    told = energies([readings[0], *inner, readings[-1]], quarters)

    assert sum(known.energy_wh for known in told if known) == readings[-1][1] - 1000


@given(readings=_any_readings)
def test_energy_is_never_negative_whatever_the_readings(readings: Readings) -> None:
    told = energies(readings, 12)

    assert all(known.energy_wh >= 0 for known in told if known)


@given(readings=_any_readings)
def test_energy_is_never_more_than_the_register_ever_spanned(readings: Readings) -> None:
    told = energies(readings, 12)
    values = [value for _, value in readings] or [0]

    assert all(known.energy_wh <= max(values) - min(values) for known in told if known)


@given(
    readings=st.lists(
        st.tuples(st.integers(0, 9000), st.integers(0, 500)),
        max_size=40,
        unique_by=lambda reading: reading[0],
    ),
    chance=st.randoms(use_true_random=False),
)
def test_the_order_of_readings_does_not_matter(readings: Readings, chance: random.Random) -> None:
    shuffled = list(readings)
    chance.shuffle(shuffled)

    assert spans_of(shuffled) == spans_of(readings)


@given(steps=_steps, swap=st.integers(1, 80), opening=st.integers(0, 10**6))
def test_a_swap_conserves_what_both_meters_counted(
    steps: Readings, swap: int, opening: int
) -> None:
    readings = _rising(steps)
    swap = min(swap, len(readings) - 2)
    old, late = readings[:swap], readings[swap:]
    new = [(at_s, value - late[0][1] + opening) for at_s, value in late]
    registers = [
        Register(spans_of(old), is_followed=True),
        Register(spans_of(new), follows=True),
    ]

    told = [known_of_device(registers, start_s) for start_s in range(0, readings[-1][0], QUARTER_S)]

    counted = (old[-1][1] - old[0][1]) + (new[-1][1] - new[0][1])
    assert sum(known.energy_wh for known in told if known) == counted
