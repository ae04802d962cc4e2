"""A gap in the readings, estimated so that whole watt-hours add up to what the register says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from kwartier.errors import ContractError
from kwartier.interval import HOME_ZONE, Quarter, Zone, same_time_before
from kwartier.units import EpochS, Wh
from optimizer.settling.filling import Exact
from optimizer.settling.rounding import half_away_from_zero, whole_amounts

PROFILE_WEEKS = 8
"""How many weeks back the same-weekday profile looks."""
RECENT_WEEKS = 3
"""How many weeks back the last resort looks."""


class Method(StrEnum):
    """How a gap was estimated, best first."""

    PROFILE = "profile"
    """The register's difference, spread by the same weekdays before."""
    EVEN = "even"
    """The register's difference, spread evenly: nothing is known of these times of the week."""
    RECENT = "recent"
    """The mean of the same quarters of the last three weeks: the difference is not known."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated gap.

    Attributes:
        energy_wh: Whole watt-hours, one for each quarter of the gap.
        method: How it came about.
    """

    energy_wh: tuple[Wh, ...]
    method: Method


class NothingKnownError(ContractError):
    """A gap about which neither register nor history says anything; a person must decide."""

    def __init__(self, quarter: Quarter) -> None:
        """Keep the quarter that cannot be estimated."""
        super().__init__(
            f"gap at {quarter}: no register difference, and nothing measured at this time of the "
            f"week in the {RECENT_WEEKS} weeks before: enter a value by hand"
        )
        self.quarter = quarter


def estimate_gap(
    gap: Sequence[Quarter],
    measured_wh: Mapping[EpochS, Wh],
    difference_wh: Wh | None,
    zone: Zone = HOME_ZONE,
) -> Estimate:
    """Return whole watt-hours for the missing quarters of one register.

    Args:
        gap: The missing quarters, each once, in order of time.
        measured_wh: What this register measured in quarters before, by their start [Wh].
        difference_wh: What the register advanced over the whole gap [Wh]; None when its stand
            before or after is not known.
        zone: Where weekdays and hours are told.

    Returns:
        An estimate that adds up to the difference exactly; without a difference, to the nearest
        whole watt-hour of the means.

    Raises:
        NothingKnownError: There is no difference, and a quarter has no measured week before it.
        ContractError: The gap is empty or out of order, or the difference is below zero.

    Source:
        Section 6.3 of the settlement design.
    """
    _refuse_gap(gap, difference_wh)
    if difference_wh is None:
        return _recent(gap, measured_wh, zone)
    weights = _weights(gap, measured_wh, zone)
    if weights is None:
        return Estimate(_spread(difference_wh, [1] * len(gap)), Method.EVEN)
    return Estimate(_spread(difference_wh, weights), Method.PROFILE)


def _recent(gap: Sequence[Quarter], measured_wh: Mapping[EpochS, Wh], zone: Zone) -> Estimate:
    means: list[Exact] = []
    for quarter in gap:
        mean = _mean(quarter, measured_wh, RECENT_WEEKS, zone)
        if mean is None:
            raise NothingKnownError(quarter)
        means.append(mean)
    return Estimate(_spread(half_away_from_zero(sum(means)), means), Method.RECENT)


def _weights(
    gap: Sequence[Quarter], measured_wh: Mapping[EpochS, Wh], zone: Zone
) -> list[Exact] | None:
    """Return by what a difference is spread; None when the profile is empty or all zeros.

    A quarter without a measured week before it counts as the mean of the others.
    """
    means = [_mean(quarter, measured_wh, PROFILE_WEEKS, zone) for quarter in gap]
    known = [mean for mean in means if mean is not None]
    total = sum(known)
    if not total:
        return None
    middle = Fraction(total, len(known))
    return [middle if mean is None else mean for mean in means]


def _mean(
    quarter: Quarter, measured_wh: Mapping[EpochS, Wh], weeks: int, zone: Zone
) -> Fraction | None:
    """Return the mean of the same quarter of the week in some weeks before [Wh]."""
    places = (same_time_before(quarter.start_s, 7 * week, zone) for week in range(1, weeks + 1))
    found = [measured_wh[place] for place in places if place in measured_wh]
    return Fraction(sum(found), len(found)) if found else None


def _spread(total_wh: Wh, weights: Sequence[Exact]) -> tuple[Wh, ...]:
    """Return whole parts of a total by largest remainder, the earlier first among equals."""
    whole = sum(weights)
    if not total_wh or not whole:
        return (0,) * len(weights)
    exact: dict[int, Exact] = {
        place: Fraction(total_wh * weight, whole) for place, weight in enumerate(weights)
    }
    return tuple(whole_amounts(exact, list(exact), total=total_wh)[place] for place in exact)


def _refuse_gap(gap: Sequence[Quarter], difference_wh: Wh | None) -> None:
    if not gap:
        raise ContractError("gap: it holds no quarter: nothing is missing")
    for earlier, later in pairwise(gap):
        if later <= earlier:
            raise ContractError(f"gap: {later} does not come after {earlier}: name each once")
    if difference_wh is not None and (type(difference_wh) is not int or difference_wh < 0):
        raise ContractError(
            f"gap from {gap[0]}: the register advanced {difference_wh!r} Wh: "
            "it only counts up, in whole watt-hours"
        )
