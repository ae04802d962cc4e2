"""What a schedule really costs and which limits it breaks, reckoned from the schedule alone.

Written from CONTRACTS' sentences, one step and one battery at a time in plain Python: it shares no
code with the planner, its programme or its own checker, and knows nothing of how a plan was made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from optimizer.plan import Plan
from optimizer.problem import FloatArray, Problem

Rows = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Verdict:
    """What follows from a schedule.

    Attributes:
        cost_eur: Energy, wear and peak.
        end_value_eur: Worth of what is stored where the end is free.
        excess: By how much each broken limit is broken in all, by its key [kW or kWh].
    """

    cost_eur: float
    end_value_eur: float
    excess: dict[str, float]

    @property
    def objective_eur(self) -> float:
        return self.cost_eur - self.end_value_eur


def judged(
    problem: Problem, charge_kw: Rows, discharge_kw: Rows, curtailed_kw: Rows, room: float = 1e-6
) -> Verdict:
    """Return the verdict on powers ``(B, T)`` and curtailment by home ``(H, T)``.

    ``room`` is what a limit may be off for rounding, absolute and relative.
    """
    excess: dict[str, float] = {}

    def over(limit: str, value: float, most: float) -> None:
        if not value <= most + room * max(1.0, abs(most)):
            excess[limit] = excess.get(limit, 0.0) + value - most

    dt = float(problem.interval_h)
    cost, peak, worth = 0.0, 0.0, 0.0
    for step in range(problem.steps):
        net = 0.0
        for home, name in enumerate(problem.home_ids):
            cut = float(curtailed_kw[home][step])
            possible = float(problem.pv_kw[home, step]) if problem.curtailable[home] else 0.0
            over(f"homes.{name}.curtailed_kw", cut, possible)
            over(f"homes.{name}.curtailed_kw", -cut, 0.0)
            net += float(problem.load_kw[home, step]) - float(problem.pv_kw[home, step]) + cut
        for battery, name in enumerate(problem.battery_ids):
            taken, given = float(charge_kw[battery][step]), float(discharge_kw[battery][step])
            over(
                f"batteries.{name}.charge_max_kw", taken, _at(problem.charge_max_kw, battery, step)
            )
            over(
                f"batteries.{name}.discharge_max_kw",
                given,
                _at(problem.discharge_max_kw, battery, step),
            )
            over(f"batteries.{name}.charge_max_kw", -taken, 0.0)
            over(f"batteries.{name}.discharge_max_kw", -given, 0.0)
            if problem.exclusive:
                over(f"batteries.{name}.exclusive_kw", min(taken, given), 0.0)
            cost += dt * float(problem.wear_eur_per_kwh[battery]) * given
            net += taken - given
        over("grid.import_limit_kw", net, float(problem.import_limit_kw[step]))
        over("grid.export_limit_kw", -net, float(problem.export_limit_kw[step]))
        price = problem.buy_eur_per_kwh[step] if net > 0 else problem.sell_eur_per_kwh[step]
        cost += dt * float(price) * net
        peak = max(peak, net)
    for battery, name in enumerate(problem.battery_ids):
        stored = float(problem.soc_start_kwh[battery])
        for step in range(problem.steps):
            gained = float(problem.charge_efficiency[battery]) * float(charge_kw[battery][step])
            lost = float(discharge_kw[battery][step]) / float(problem.discharge_efficiency[battery])
            stored += dt * (gained - lost)
            over(f"batteries.{name}.soc_max_kwh", stored, _at(problem.soc_max_kwh, battery, step))
            over(f"batteries.{name}.soc_min_kwh", -stored, -_at(problem.soc_min_kwh, battery, step))
        wanted = float(problem.soc_end_kwh[battery])
        if math.isnan(wanted):
            worth += float(problem.end_value_eur_per_kwh[battery]) * stored
        else:
            over(f"batteries.{name}.soc_end_kwh", abs(stored - wanted), 0.0)
    return Verdict(cost + float(problem.peak_price_eur_per_kw) * peak, worth, excess)


def judged_plan(problem: Problem, made: Plan, room: float = 1e-6) -> Verdict:
    """Return the verdict on a plan's own powers."""
    return judged(
        problem,
        made.charge_kw.tolist(),
        made.discharge_kw.tolist(),
        made.curtailed_kw.tolist(),
        room,
    )


def _at(values: FloatArray, battery: int, step: int) -> float:
    return float(values[battery, step])
