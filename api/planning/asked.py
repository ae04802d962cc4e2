"""What the planner asks for: the street as a problem, from all that is known at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from api.planning.calls import PutCall, steps_of
from api.planning.parts import Part, slot_of
from api.retail import Retail, planned_battery
from kwartier.interval import QUARTER_S, Quarter
from kwartier.model import Battery, Community
from kwartier.units import Watt
from optimizer.forecast import Forecast
from optimizer.problem import Call, FloatArray, Grid, Group, Home, Problem, problem_of

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
        stored_kwh: What is stored in each battery that was heard, by its id.
        calls: Windows in which less is carried.
        peak_so_far_kw: The month's highest import until now.
        parts: The groups' parts of use and sun.
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

    @property
    def batteries(self) -> list[Battery]:
        """The batteries that were heard, in the neighbourhood's order."""
        shared = self.community.batteries.values()
        return [one for one in shared if one.id in self.stored_kwh]


def problem_asked(known: Known, retail: Retail, *, batteries: bool) -> Problem:
    """Return the street as a problem.

    Args:
        known: What it is made from.
        retail: What comes on top of the market's prices.
        batteries: Whether there are any; without them it tells what they are good for.
    """
    buy = known.market + retail.buy_extra_eur_per_kwh
    sell = known.market - retail.sell_less_eur_per_kwh
    worth = max(0.0, float(np.quantile(buy, _WORTH_QUANTILE)))
    shared = known.batteries if batteries else []
    community = known.community
    return problem_of(
        0.25,
        buy,
        sell,
        _homes(known),
        [planned_battery(one, known.stored_kwh[one.id], worth_eur_per_kwh=worth) for one in shared],
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
                [homes_of(group.id)],
                [one.id for one in shared if one.group == group.id],
                _kw(group.import_limit_w),
                _kw(group.export_limit_w),
            )
            for group in community.groups.values()
        ],
        calls=_calls(known),
    )


def homes_of(group: str) -> str:
    """Return the name under which a group's homes are planned, as one."""
    return f"homes-of-{group}"


def _homes(known: Known) -> list[Home]:
    """Return the street as one home, or as one for each group and one for all others."""
    load, pv = known.use.likely, known.made.likely
    slots = [slot_of(known.start.start_s + place * QUARTER_S) for place in range(load.size)]
    homes, rest_kw, rest_pv_kw = [], load.copy(), pv.copy()
    for name in known.community.groups:
        part = known.parts[name]
        own, own_pv = load * part.use[slots], pv * part.made[slots]
        homes.append(Home(homes_of(name), own, own_pv))
        rest_kw, rest_pv_kw = rest_kw - own, rest_pv_kw - own_pv
    return [Home("homes", np.maximum(rest_kw, 0.0), np.maximum(rest_pv_kw, 0.0)), *homes]


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
