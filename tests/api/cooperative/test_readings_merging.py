"""What becomes of a day that is told again: the better known quarter stays, whatever comes last."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from api.cooperative.readings import DayValues, Direction, Source
from api.cooperative.readings.merging import merged

DAY = date(2026, 7, 6)
SOURCES = {Source.P1: "me-", Source.P4: "me-", Source.MANUAL: "me-", Source.ESTIMATE: "e-"}


@st.composite
def tellings(draw: st.DrawFn) -> DayValues:
    """Return what some source tells of a day."""
    source = draw(st.sampled_from(list(SOURCES)))
    pattern = draw(st.lists(st.sampled_from(SOURCES[source]), min_size=4, max_size=4))
    energies = draw(st.lists(st.integers(0, 9), min_size=4, max_size=4))
    quality = "".join(pattern) * 24
    wh = tuple(
        None if letter == "-" else energies[place % 4] for place, letter in enumerate(quality)
    )
    return DayValues("huis-01", Direction.IMPORT, DAY, wh, quality, source, "told")


@given(told=st.lists(tellings(), min_size=1, max_size=5))
@settings(max_examples=200)
def test_nothing_known_is_ever_lost_or_made_worse(told: list[DayValues]) -> None:
    known: DayValues | None = None
    for each in told:
        before, known = known, merged(known, each).values
        if before is None:
            continue
        for place in range(96):
            assert known.wh[place] is not None or before.wh[place] is None
            if before.quality[place] == "m" and before.origins[place] != "e":
                assert known.quality[place] == "m" or known.origins[place] == "h"


@given(first=tellings(), second=tellings())
@settings(max_examples=200)
def test_telling_the_same_twice_changes_nothing(first: DayValues, second: DayValues) -> None:
    once = merged(merged(None, first).values, second)
    twice = merged(once.values, second)
    assert twice.changed == ()
    assert twice.values == once.values


@given(known=tellings(), told=tellings())
@settings(max_examples=200)
def test_every_quarter_comes_whole_from_one_of_the_two(known: DayValues, told: DayValues) -> None:
    result = merged(known, told).values
    for place in range(96):
        quarter = result.wh[place], result.quality[place], result.origins[place]
        assert quarter in {
            (known.wh[place], known.quality[place], known.origins[place]),
            (told.wh[place], told.quality[place], told.origins[place]),
        }
