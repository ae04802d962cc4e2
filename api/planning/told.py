"""A plan as people see it: quarters in whole watts, blocks with reasons, and why it was made."""

from __future__ import annotations

from collections.abc import Container, Iterable
from collections.abc import Set as AbstractSet

from api.planning.asked import HORIZON, Known
from api.plans import MadeBecause, NeighbourhoodPlan, PlanBlock, PlannedQuarter, ToldBattery
from collectors.disclosure import MIN_BATTERY_HOMES
from kwartier.interval import QUARTER_S
from kwartier.model import Community
from kwartier.units import EpochS
from optimizer.plan import Action, Plan


class HomesTold:
    """Over which homes a plan tells what their batteries will do; for one thread.

    Two plans for the same quarter-hours are two sums: where a battery came in between, or went
    silent, their difference is that battery. So plans stay with the homes that were told of, until
    nothing of what was told is still to come.
    """

    def __init__(self, before: AbstractSet[str] = frozenset(), told_s: EpochS = 0) -> None:
        """Begin with what an earlier process may have told.

        Args:
            before: The homes that it may have told of; none where there was no such process.
            told_s: When it did so at the latest [s].
        """
        self._homes: frozenset[str] = frozenset(before)
        self._told_s = told_s

    def over(self, planned: AbstractSet[str], start_s: EpochS) -> frozenset[str]:
        """Return the homes whose batteries are told of together; none where one would show.

        Args:
            planned: The homes whose batteries are planned.
            start_s: The plan's first quarter [s].
        """
        homes, before = frozenset(planned), self._homes
        if start_s < self._told_s + HORIZON * QUARTER_S and before and homes != before:
            if not before <= homes:
                return frozenset()
            if len(homes - before) < MIN_BATTERY_HOMES:
                homes = before
        if len(homes) < MIN_BATTERY_HOMES:
            return frozenset()
        self._homes, self._told_s = homes, start_s
        return homes


def homes_before(
    community: Community, before: Iterable[ToldBattery], now_s: float
) -> frozenset[str]:
    """Return the homes whose batteries were planned in the day before a restart.

    A new battery comes with a new neighbourhood's file, so with a restart. One of which nobody
    knows the home any more stands for it by its own name, which is no home that is planned.

    Args:
        community: The neighbourhood as it is now.
        before: What was told to whom.
        now_s: What time it is [s].
    """
    own = community.home_batteries
    return frozenset(
        one.home or (own[one.id].home if one.id in own else None) or one.id
        for one in before
        if one.until_s > now_s and (one.home is not None or one.id not in community.batteries)
    )


def blocks_of(found: Plan, start_s: EpochS, batteries: Container[str]) -> tuple[PlanBlock, ...]:
    """Return what some batteries do and why, in order of battery and time.

    Args:
        found: The plan.
        start_s: Its first quarter's start [s].
        batteries: The ids of those batteries.
    """
    return tuple(
        PlanBlock(
            start_s + reason.first * QUARTER_S,
            start_s + (reason.last + 1) * QUARTER_S,
            reason.battery,
            "idle" if reason.action is Action.HOLD else reason.action.value,
            reason.because.value,
            reason.text_nl,
            reason.text_en,
        )
        for reason in found.reasons
        if reason.battery in batteries
    )


def told(
    known: Known,
    found: Plan,
    made_s: EpochS,
    without_eur: float,
    because: MadeBecause,
    homes: AbstractSet[str],
) -> NeighbourhoodPlan:
    """Return the plan as people see it: batteries of homes in sums at most.

    Args:
        known: What it was made from.
        found: The plan.
        made_s: When it was made [s].
        without_eur: What the same quarters cost without a battery [EUR].
        because: Why it was made.
        homes: The homes whose batteries are told of, together with the shared ones. Where others
            are planned as well, what they save is in the cost, which then is told in whole euros.
    """
    start_s = known.start.start_s
    # Batteries are planned in this order.
    hides_some = any(one.home is not None and one.home not in homes for one in known.batteries)
    rows = [row for row, one in enumerate(known.batteries) if one.home is None or one.home in homes]
    capacity_kwh = sum(known.batteries[row].capacity_wh for row in rows) / 1000
    battery_kw = (found.charge_kw - found.discharge_kw)[rows].sum(axis=0)
    stored_kwh = found.soc_kwh[rows].sum(axis=0)
    shared = {one.id for one in known.batteries if one.home is None}
    quarters = tuple(
        PlannedQuarter(
            start_s + place * QUARTER_S,
            round(float(known.made.likely[place]) * 250),
            round(float(known.use.likely[place]) * 250),
            round(float(battery_kw[place]) * 1000),
            round(1000 * float(stored_kwh[place]) / capacity_kwh) if capacity_kwh else 0,
            float(known.market[place]),
        )
        for place in range(known.market.size)
    )
    blocks = blocks_of(found, start_s, shared)
    # One plan a quarter has the quarter's name; one made within it, for something that happened,
    # one of its own.
    name = f"plan-{start_s}"
    if because is not MadeBecause.QUARTER:
        name += f"-{made_s - start_s}"
    return NeighbourhoodPlan(
        name,
        made_s,
        found.status.value,
        quarters,
        blocks,
        float(round(found.cost_eur)) if hides_some else found.cost_eur,
        without_eur,
        because,
    )
