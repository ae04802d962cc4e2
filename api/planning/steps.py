"""A plan as its gateways are told it: a day of set-points, and where the meter is followed.

A battery at the neighbourhood's meter can make up for what the homes do otherwise than expected.
Where the plan comes out at nothing there it covers their own use, whatever that turns out to be:
then it is told what should pass. Where the plan buys or sells it does so for the price, and what
the homes do otherwise changes nothing of that price: then it holds the planned power. Over three
weeks of May played again this saved 94.2 % of what perfect foresight saves, following the meter in
every quarter with work 93.8 %, and following nothing 88.2 %. Near a limit it always follows, also
where it would rest: there a watt more is not a matter of price.
"""

from __future__ import annotations

import numpy as np

from api.planning.asked import Known
from kwartier.interval import QUARTER_S
from kwartier.reading import Step
from optimizer.plan import Plan
from optimizer.problem import BoolArray, FloatArray, Problem

SENT = 96
"""How much of a plan is sent: a day, so that a gateway can go on alone through an outage."""
NOTHING_KW = 0.01
"""Less exchange than this is none."""


def steps_told(known: Known, problem: Problem, found: Plan, battery: str) -> tuple[Step, ...]:
    """Return a battery's day."""
    row = problem.battery_ids.index(battery)
    powers_w = np.rint(1000 * (found.charge_kw[row] - found.discharge_kw[row])[:SENT])
    exchange_kw = found.import_kw - found.export_kw
    exchange_w = np.rint(1000 * exchange_kw[:SENT])
    follows = np.zeros(found.import_kw.size, dtype=np.bool_)
    if known.community.batteries[battery].follows_meter:
        follows = (np.abs(exchange_kw) <= NOTHING_KW) | near_a_limit(known, problem, found)
    return tuple(
        Step(
            known.start.start_s + place * QUARTER_S,
            int(power_w),
            QUARTER_S,
            int(exchange_w[place]) if follows[place] else None,
        )
        for place, power_w in enumerate(powers_w)
    )


def near_a_limit(known: Known, problem: Problem, found: Plan) -> BoolArray:
    """Return where one time in ten the exchange would go over a limit by itself, shape ``(T,)``.

    A limit is that of the connection, a call's, and the peak that costs where peaks do.
    """
    likely = known.use.likely - known.made.likely
    more = (known.use.high - known.made.low) - likely
    less = likely - (known.use.low - known.made.high)
    most_kw: FloatArray = problem.import_limit_kw
    if problem.peak_price_eur_per_kw > 0:
        most_kw = np.minimum(most_kw, max(found.peak_kw, problem.peak_so_far_kw))
    exchange = found.import_kw - found.export_kw
    over: BoolArray = exchange + np.nan_to_num(more) >= most_kw - NOTHING_KW
    under: BoolArray = np.nan_to_num(less) - exchange >= problem.export_limit_kw - NOTHING_KW
    return over | under
