"""What makes a new plan worth while before the quarter is over, and what it is looked for in.

Nothing rings a bell: what a plan was made from is held against how things are now. So a burst of
events is one difference, one that was missed is still there a minute later, and a planner that
starts again has nothing to catch up with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from api.planning.asked import Known
from api.planning.calls import PutCall
from api.planning.street_file import limits_of
from api.plans import MadeBecause
from kwartier.interval import QUARTER_S
from kwartier.model import Community
from kwartier.units import EpochS
from optimizer.plan import Plan
from optimizer.problem import FloatArray, Problem

OFF = 0.05
"""A state of charge that is off by more of the capacity than this makes a new plan."""


@dataclass(frozen=True, slots=True)
class Charge:
    """A battery's state of charge as it said it.

    Attributes:
        at_s: When [s].
        stored_kwh: How much.
    """

    at_s: EpochS
    stored_kwh: float


@dataclass(frozen=True, slots=True, eq=False)
class Now:
    """How things are.

    Attributes:
        community: The neighbourhood, with the limits that hold.
        market: The prices from the quarter of the plan on, shape ``(T,)`` [EUR/kWh].
        calls: The calls within the horizon.
        charges: What each battery that was heard said last.
    """

    community: Community
    market: FloatArray
    calls: tuple[PutCall, ...]
    charges: Mapping[str, Charge]


@dataclass(frozen=True, slots=True, eq=False)
class Foundation:
    """What the plan in force was made from.

    Attributes:
        known: What was known.
        made_s: When [s].
        problem: What was asked.
        found: The plan.
    """

    known: Known
    made_s: float
    problem: Problem
    found: Plan

    def changed(self, now: Now) -> MadeBecause | None:
        """Return what is otherwise than the plan was made for, or None; the gravest first."""
        if now.calls != self.known.calls:
            return MadeBecause.CALL
        if limits_of(now.community) != limits_of(self.known.community):
            return MadeBecause.LIMIT
        if now.charges.keys() != self.known.stored_kwh.keys():
            return MadeBecause.DEVICE
        if not np.array_equal(now.market, self.known.market):
            return MadeBecause.PRICES
        if any(self._is_off(name, charge) for name, charge in now.charges.items()):
            return MadeBecause.CHARGE
        return None

    def _is_off(self, battery: str, charge: Charge) -> bool:
        if charge.at_s <= self.made_s:
            return False
        expected = self.expected_kwh(battery, charge.at_s)
        size_kwh = self.known.community.every_battery[battery].capacity_wh / 1000
        return expected is not None and abs(charge.stored_kwh - expected) > OFF * size_kwh

    def expected_kwh(self, battery: str, at_s: float) -> float | None:
        """Return what the plan expects to be stored at an instant; None where it does not reach.

        A plan that was made within a quarter begins where the battery then was.
        """
        since_s = at_s - self.known.start.start_s
        step = int(since_s // QUARTER_S)
        row = self.problem.battery_ids.index(battery)
        soc = self.found.soc_kwh[row]
        if not 0 <= step < soc.size:
            return None
        before = float(soc[step - 1]) if step else float(self.problem.soc_start_kwh[row])
        late_s = max(0.0, self.made_s - self.known.start.start_s) if not step else 0.0
        part = (since_s - step * QUARTER_S - late_s) / QUARTER_S
        return before + part * (float(soc[step]) - before)
