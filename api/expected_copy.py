"""What is expected of a person's own home, for their own copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from api.forecasts.states import ForecastStates
from api.own_sheet import sheet
from api.people.visitor import Stay
from kwartier.interval import day_of, instant_text, local_day
from kwartier.units import EpochS

_EXPECTED = ("start", "of", "likely_w", "low_w", "high_w", "method", "rests_on_since")
_HELD = ("day", "of", "said", "off_wh", "lean_wh", "came_wh", "quarters", "in_range")
_SAID = {"day": "when the day began", "soon": "in the hour before"}


def expected_files(states: ForecastStates, stays: Sequence[Stay]) -> Iterator[tuple[str, str]]:
    """Yield what is expected of homes somebody lives in, and how that held while they did.

    What rests on days of who lived there before is nobody's to take along.

    Raises:
        StoreBusyError: The book of forecasts cannot be read now.
    """
    if states.ahead is None:
        return
    for home in dict.fromkeys(stay.home for stay in stays):
        own = [stay for stay in stays if stay.home == home]
        kept = states.ahead.kept_of(home)
        quarters = [
            (
                instant_text(one.start_s),
                one.subject,
                str(one.likely_w),
                str(one.low_w),
                str(one.high_w),
                one.method,
                instant_text(one.since_s),
            )
            for one in kept.quarters
            if any(stay.holds(one.since_s) and stay.holds(one.start_s) for stay in own)
        ]
        days = [
            (
                day_of(one.day_s).isoformat(),
                one.subject,
                _SAID[one.span],
                str(one.off_wh),
                str(one.lean_wh),
                str(one.came_wh),
                str(one.quarters),
                str(one.inside),
            )
            for one in kept.days
            if any(stay.holds(one.since_s) and _holds_day(stay, one.day_s) for stay in own)
        ]
        yield from sheet(f"expected/{home}.csv", _EXPECTED, quarters)
        yield from sheet(f"held/{home}.csv", _HELD, days)


def _holds_day(stay: Stay, day_s: EpochS) -> bool:
    return stay.holds(day_s) and stay.holds(local_day(day_of(day_s))[1] - 1)
