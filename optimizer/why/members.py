"""Nobody worse off: what members would pay alone, what they pay together, and who gets the rest.

First the plan that is cheapest for all, then a split of what it saves. Each member's amount is
what their own best plan alone would have cost, less a part of the saving that is never below
zero. So nobody pays more than alone, to the cent, and together they pay what the plan costs. What
is stored counts at its worth, so nobody is paid for emptying a battery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np

from kwartier.errors import InputError
from optimizer.dispatch import plan
from optimizer.model.meters import net_by_meter
from optimizer.model.part import batteries_behind, batteries_of, part_of
from optimizer.plan import Plan
from optimizer.problem import FloatArray, Grid, Problem
from optimizer.settling.rounding import whole_amounts

_DUST_CENTS = Fraction(1, 1000)
"""What a solver's tolerance may make of a saving of nothing."""
MOST_CONTRIBUTIONS = 100
"""The most members whose contribution is reckoned: each one is a plan of all the others."""
Maker = Callable[[Problem], Plan]
"""Makes a plan of a problem."""


class SplitRule(StrEnum):
    """By what the saving is divided."""

    EQUAL = "equal"
    """Everybody the same."""
    EXCHANGED = "exchanged"
    """By the energy that each took from or gave to neighbours in the plan."""
    ALONE_COST = "alone_cost"
    """By what each would have paid alone."""
    CONTRIBUTION = "contribution"
    """By what would be lost if each one left: the others plan without them."""


@dataclass(frozen=True, slots=True)
class Member:
    """Who shares: some homes of the problem, and the batteries that are their own.

    Attributes:
        id: Their name, unique among members.
        homes: Ids of homes.
        batteries: Ids of batteries beside those behind their homes; what belongs to no member
            belongs to all of them.
        grid: Their own connection, had they planned alone; None is one without limits or peak.
    """

    id: str
    homes: tuple[str, ...]
    batteries: tuple[str, ...] = ()
    grid: Grid | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one member pays over the horizon, in whole cents; below zero is received.

    Attributes:
        member: Their id.
        alone_cents: Their cheapest plan alone.
        benefit_cents: Their part of the saving, never below zero.
        exchanged_wh: What they took from and gave to neighbours in the plan [Wh].
    """

    member: str
    alone_cents: int
    benefit_cents: int
    exchanged_wh: int

    @property
    def pays_cents(self) -> int:
        """What they pay together with the others; never more than alone."""
        return self.alone_cents - self.benefit_cents


@dataclass(frozen=True, slots=True)
class Split:
    """The cost of a plan divided over members.

    Attributes:
        rule: By what.
        shares: One a member, in order of id.
        group_cents: What the plan costs all together; what members pay adds up to it.
        is_together: Whether planning together costs no more; if not, each pays what they pay alone.
    """

    rule: SplitRule
    shares: tuple[Share, ...]
    group_cents: int
    is_together: bool

    @property
    def alone_cents(self) -> int:
        """What all would pay, each alone."""
        return sum(one.alone_cents for one in self.shares)

    @property
    def saved_cents(self) -> int:
        """What planning together saves; below zero where a shared limit costs more than that."""
        return self.alone_cents - self.group_cents


def split(
    problem: Problem,
    members: Sequence[Member],
    rule: SplitRule = SplitRule.EQUAL,
    make: Maker = plan,
) -> Split:
    """Return what each member pays for the cheapest plan of all, nobody more than alone.

    The order of homes, batteries and members changes nothing.

    Args:
        problem: All homes, batteries, prices and limits.
        members: Who they belong to.
        rule: By what the saving is divided.
        make: Makes each plan; the cheapest one where none is given.

    Raises:
        InputError: A home or battery is unknown or belongs to two members, or there are too many
            members for the rule.
    """
    ordered = sorted(members, key=lambda one: one.id)
    refuse_confusion(problem, ordered)
    if rule not in rules_for(len(ordered)):
        raise InputError(
            f"rule {rule} has {len(ordered)} members: at most {MOST_CONTRIBUTIONS}; "
            f"choose {SplitRule.EXCHANGED} or {SplitRule.EQUAL}"
        )
    group = part_of(problem, sorted(problem.home_ids), sorted(batteries_of(problem)))
    together = make(group)
    alone = {one.id: _cheapest_eur(alone_problem(group, one), make) for one in ordered}
    exchanged = exchanged_wh(group, together, ordered)
    group_eur = used_eur(group, together)
    weights = _weights(rule, group, ordered, alone, exchanged, group_eur, make)
    return _divided(rule, ordered, alone, exchanged, group_eur, weights)


def rules_for(members: int) -> tuple[SplitRule, ...]:
    """Return the rules that so many members can be asked with; one takes a plan for each."""
    few = members <= MOST_CONTRIBUTIONS
    return tuple(rule for rule in SplitRule if few or rule is not SplitRule.CONTRIBUTION)


def net_cost_eur(made: Plan) -> float:
    """Return what a plan costs, less the worth of what it leaves stored [EUR]."""
    return made.cost_eur - made.end_value_eur


def used_eur(problem: Problem, made: Plan) -> float:
    """Return what a plan costs, with what it takes out of batteries at its worth [EUR].

    Emptying a battery has used something up, and filling it has put something by.
    """
    free = ~problem.end_is_fixed
    begun = problem.end_value_eur_per_kwh[free] @ problem.soc_start_kwh[free]
    return net_cost_eur(made) + float(begun)


def alone_problem(problem: Problem, member: Member) -> Problem:
    """Return what one member has to plan with no neighbours: own homes, own batteries."""
    behind = batteries_behind(problem, member.homes)
    own = list(dict.fromkeys([*behind, *member.batteries]))
    return part_of(problem, member.homes, own, member.grid or Grid())


def exchanged_wh(problem: Problem, made: Plan, members: Sequence[Member]) -> dict[str, int]:
    """Return what each member takes from and gives to neighbours in a plan [Wh].

    What neighbours have left in a step goes to those who are short of it, in proportion; the
    batteries and homes of nobody in particular take part as one neighbour more.
    """
    net_kw = _net_by_member_kw(problem, made, members)
    short, left = np.maximum(net_kw, 0.0), np.maximum(-net_kw, 0.0)
    matched = np.minimum(short.sum(axis=0), left.sum(axis=0))
    passed_kw = _part(short) * matched + _part(left) * matched
    energy = 1000 * passed_kw @ problem.step_h
    return {one.id: round(float(wh)) for one, wh in zip(members, energy[:-1], strict=True)}


def refuse_confusion(problem: Problem, members: Sequence[Member]) -> None:
    """Refuse members of whom it is not clear what is theirs.

    Raises:
        InputError: The message names the member, the home or battery, and the remedy.
    """
    if not members:
        raise InputError("members: there is nobody to divide a saving over; name one or more")
    for kind, known in (("homes", list(problem.home_ids)), ("batteries", batteries_of(problem))):
        owners: dict[str, str] = {}
        for one in members:
            for name in one.homes if kind == "homes" else one.batteries:
                if name not in known:
                    raise InputError(f"members.{one.id}.{kind}: there is no {name!r} in the plan")
                if name in owners:
                    raise InputError(
                        f"members.{one.id}.{kind}: {name!r} belongs to {owners[name]!r} already; "
                        "name it once"
                    )
                owners[name] = one.id
    ids = [one.id for one in members]
    for name in ids:
        if ids.count(name) > 1:
            raise InputError(f"members has the id {name!r} twice: give each their own id")


def _weights(
    rule: SplitRule,
    group: Problem,
    members: Sequence[Member],
    alone: Mapping[str, float],
    exchanged: Mapping[str, int],
    group_eur: float,
    make: Maker,
) -> dict[str, Fraction]:
    """Return by what the saving is divided; alike where the rule gives everybody nothing."""
    match rule:
        case SplitRule.EQUAL:
            weights = dict.fromkeys(alone, Fraction(1))
        case SplitRule.EXCHANGED:
            weights = {name: Fraction(wh) for name, wh in exchanged.items()}
        case SplitRule.ALONE_COST:
            weights = {name: _whole(max(cost, 0.0)) for name, cost in alone.items()}
        case SplitRule.CONTRIBUTION:
            weights = {
                one.id: _whole(max(0.0, alone[one.id] + _without_eur(group, one, make) - group_eur))
                for one in members
            }
    return weights if any(weights.values()) else dict.fromkeys(alone, Fraction(1))


def _without_eur(group: Problem, member: Member, make: Maker) -> float:
    """Return what the others and all that is shared would cost [EUR]."""
    homes = [name for name in group.home_ids if name not in member.homes]
    own = {*member.batteries, *batteries_behind(group, member.homes)}
    batteries = [name for name in batteries_of(group) if name not in own]
    return _cheapest_eur(part_of(group, homes, batteries), make)


def _cheapest_eur(problem: Problem, make: Maker) -> float:
    return used_eur(problem, make(problem))


def _whole(eur: float) -> Fraction:
    """Return an amount in millionths: what a solver leaves beyond is dust."""
    return Fraction(round(1e6 * eur))


def _divided(
    rule: SplitRule,
    members: Sequence[Member],
    alone: Mapping[str, float],
    exchanged: Mapping[str, int],
    group_eur: float,
    weights: Mapping[str, Fraction],
) -> Split:
    """Return the saving in whole cents by weight; odd cents go to the largest remainders."""
    exact = {name: _cents(cost) for name, cost in alone.items()}
    order = sorted(exact)
    # Rounded as one sum, so that no saving is lost between the cents of many members.
    alone_cents = whole_amounts(exact, order, total=round(sum(exact.values())))
    group = _cents(group_eur)
    if abs(group - sum(exact.values())) <= _DUST_CENTS:
        group = sum(exact.values(), Fraction(0))
    group_cents = round(group)
    saved = max(0, sum(alone_cents.values()) - group_cents)
    whole = sum(weights.values())
    parts = {name: saved * weight / whole for name, weight in weights.items()}
    benefits = whole_amounts(parts, order, total=saved)
    shares = tuple(
        Share(one.id, alone_cents[one.id], benefits[one.id], exchanged[one.id]) for one in members
    )
    return Split(rule, shares, group_cents, sum(alone_cents.values()) >= group_cents)


def _cents(eur: float) -> Fraction:
    return Fraction(round(1e8 * eur), 10**6)


def _net_by_member_kw(problem: Problem, made: Plan, members: Sequence[Member]) -> FloatArray:
    """Return what each member is short of, below zero what is left, shape ``(M + 1, T)`` [kW].

    The last row is what belongs to nobody in particular.
    """
    stores_kw = made.charge_kw - made.discharge_kw
    net_kw = np.zeros((len(members) + 1, problem.steps))
    owner = {name: row for row, one in enumerate(members) for name in one.homes}
    meters = net_by_meter(problem, stores_kw, made.curtailed_kw, made.starts)
    for name, meter in zip(problem.home_ids, meters, strict=False):
        net_kw[owner.get(name, -1)] += meter
    net_kw[-1] += meters[-1]
    for row, one in enumerate(members):
        for name in one.batteries:
            store = problem.battery_ids.index(name)
            home = int(problem.store_home[store])
            stands = -1 if home < 0 else owner.get(problem.home_ids[home], -1)
            net_kw[row] += stores_kw[store]
            net_kw[stands] -= stores_kw[store]
    return net_kw


def _part(amounts: FloatArray) -> FloatArray:
    total = amounts.sum(axis=0)
    part: FloatArray = np.divide(amounts, total, out=np.zeros_like(amounts), where=total > 0)
    return part
