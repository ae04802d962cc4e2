"""What the planner asks for: the street as a problem, from all that is known at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from api.forecasts.homes import HomeForecast
from api.planning.calls import PutCall, steps_of
from api.planning.fuses import over_fuse
from api.planning.homes import (
    Powers,
    carried,
    expected_alone,
    home_of,
    is_kept_by_battery,
    members_of,
    planned_homes,
    within_fuse,
)
from api.planning.parts import Part
from api.retail import Retail, planned_battery
from kwartier.interval import Quarter
from kwartier.model import Battery, Community
from kwartier.units import Watt
from optimizer.forecast import Forecast
from optimizer.problem import Battery as PlannedBattery
from optimizer.problem import Call, FloatArray, Grid, Group, Problem, problem_of

HORIZON = 144
"""How far a plan looks: a day and a half of quarters."""
_WORTH_QUANTILE = 0.35
"""What is left at the end is worth what a kWh costs in the cheaper third of the horizon: so it is
neither thrown away on the last evening nor bought for an end that never comes."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """All that a plan is made from at one moment.

    Attributes:
        start: Its first quarter.
        community: The neighbourhood, with the limits that hold now.
        market: Prices before tax and mark-up, shape ``(T,)`` [EUR/kWh].
        use: Expected use of all homes [kW].
        made: Expected sun of all roofs [kW].
        stored_kwh: What is stored in each battery that was heard and may be planned, by its id.
        calls: Windows in which less is carried.
        peak_so_far_kw: The month's highest import until now, or what it will be anyway.
        parts: The groups' parts of use and sun.
        home_parts: The parts of homes with a battery of their own.
        own: What is expected of some of those homes by themselves.
    """

    start: Quarter
    community: Community
    market: FloatArray
    use: Forecast
    made: Forecast
    stored_kwh: Mapping[str, float]
    calls: tuple[PutCall, ...] = ()
    peak_so_far_kw: float = 0.0
    parts: Mapping[str, Part] = field(default_factory=dict)
    home_parts: Mapping[str, Part] = field(default_factory=dict)
    own: Mapping[str, HomeForecast] = field(default_factory=dict)

    @property
    def batteries(self) -> list[Battery]:
        """The batteries that are planned, in the neighbourhood's order: shared ones first."""
        every = self.community.every_battery.values()
        return [one for one in every if one.id in self.stored_kwh]

    @property
    def batteries_at(self) -> dict[str, list[Battery]]:
        """The batteries that are planned, by the home behind whose meter they stand."""
        found: dict[str, list[Battery]] = {}
        for one in self.batteries:
            if one.home is not None:
                found.setdefault(one.home, []).append(one)
        return found


def problem_asked(known: Known, retail: Retail, *, batteries: bool) -> Problem:
    """Return the street as a problem.

    Args:
        known: What it is made from.
        retail: What comes on top of the market's prices.
        batteries: Whether there are any; without them it tells what they are good for, and how far
            limits cannot be kept anyway: of the same use and sun.
    """
    buy = known.market + retail.buy_extra_eur_per_kwh
    sell = known.market - retail.sell_less_eur_per_kwh
    worth = max(0.0, float(np.quantile(buy, _WORTH_QUANTILE)))
    planned = known.batteries if batteries else []
    community = known.community
    at_homes = known.batteries_at
    street = known.use.likely, known.made.likely
    apart = _expected_apart(known)
    passes = carried(apart, _over_fuses(known, apart))
    return problem_of(
        0.25,
        buy,
        sell,
        planned_homes(
            community,
            at_homes,
            known.start.start_s,
            street,
            known.parts,
            apart,
            passes,
        ),
        [_planned(known, one, worth, passes, at_homes) for one in planned],
        Grid(
            _kw(community.import_limit_w),
            _kw(community.export_limit_w),
            retail.peak_price_eur_per_kw,
            known.peak_so_far_kw,
        ),
        exclusive=True,  # at negative prices it would pay to burn energy in the battery
        groups=[
            Group(
                group.id,
                members_of(group.id, community, apart),
                [one.id for one in planned if one.group == group.id],
                _kw(group.import_limit_w),
                _kw(group.export_limit_w),
            )
            for group in community.groups.values()
        ],
        calls=_calls(known),
    )


def homes_over_fuse(known: Known) -> list[str]:
    """Return the homes of which more is expected than their fuses and batteries carry."""
    over = _over_fuses(known, _expected_apart(known))
    return sorted(name for name, parts in over.items() if any(part.any() for part in parts))


def _expected_apart(known: Known) -> dict[str, Powers]:
    """Return what homes with a battery that is planned are expected to use and make."""
    parts = {name: known.home_parts[name] for name in known.batteries_at}
    street = known.use.likely, known.made.likely
    return expected_alone(street, known.start.start_s, parts, known.own)


def _over_fuses(known: Known, apart: Mapping[str, Powers]) -> dict[str, Powers]:
    """Return what of that passes in no way, by home."""
    at_homes = known.batteries_at
    return {
        name: over_fuse(
            own,
            known.community.connections[name].limit_w,
            [planned_battery(one, known.stored_kwh[one.id]) for one in at_homes[name]],
        )
        for name, own in apart.items()
    }


def _planned(
    known: Known,
    battery: Battery,
    worth_eur_per_kwh: float,
    apart: Mapping[str, Powers],
    at_homes: Mapping[str, list[Battery]],
) -> PlannedBattery:
    """Return a battery with what is in it, behind its home where it has one."""
    stored_kwh = known.stored_kwh[battery.id]
    found = planned_battery(battery, stored_kwh, worth_eur_per_kwh=worth_eur_per_kwh)
    if battery.home is None:
        return found
    own, limit_w = apart[battery.home], known.community.connections[battery.home].limit_w
    if is_kept_by_battery(own, limit_w, at_homes[battery.home]):
        found = within_fuse(found, own, limit_w)
    return replace(found, home=home_of(battery.home))


def _calls(known: Known) -> list[Call]:
    found = []
    for call in known.calls:
        first, last = steps_of(call, known.start, known.market.size)
        if first <= last and (call.group is None or call.group in known.community.groups):
            found.append(
                Call(
                    call.id,
                    first,
                    last,
                    _kw(call.import_limit_w),
                    _kw(call.export_limit_w),
                    call.group,
                    call.reward_eur_per_kwh,
                )
            )
    return found


def _kw(limit_w: Watt | None) -> float:
    return float("inf") if limit_w is None else limit_w / 1000
