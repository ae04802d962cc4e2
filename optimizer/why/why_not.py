"""Why a battery does not do something else: what that would cost, and why, in a sentence.

The plan is made again with the battery forced to what was asked at one step: at the most power
that it, its room and the connection have there, and with its own course before that step as it
was planned. Everything after it, and every other battery, may do something else. The difference
is what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from kwartier.errors import InputError
from optimizer.dispatch import plan
from optimizer.linear.flows import peak_cost_eur
from optimizer.model.part import batteries_of
from optimizer.plan import Action, Plan, Status
from optimizer.problem import Problem
from optimizer.why.members import Maker, net_cost_eur
from optimizer.why.sun import is_sun_left

_MOVES_KW = 1e-6
_PIN_KWH = 1e-7
"""How far a course that is held may stray: less than a solver can tell apart."""
WORTH_TELLING_EUR = 0.005
"""Less than half a cent is nothing to a reader."""
_APART_EUR = 0.01
"""Prices closer than a cent are the same to a reader [EUR/kWh]."""


class Why(StrEnum):
    """Why not."""

    DOES = "does"
    FULL = "full"
    EMPTY = "empty"
    NO_POWER = "no_power"
    NO_ROOM = "no_room"
    BREAKS = "breaks"
    SAME = "same"
    PEAK = "peak"
    CHEAPER_LATER = "cheaper_later"
    SUN_LATER = "sun_later"
    DEARER_LATER = "dearer_later"
    GIVES_NOW = "gives_now"
    FILLS_NOW = "fills_now"
    NOT_WORTH = "not_worth"
    WORKS = "works"


WORDS: dict[Why, tuple[str, str]] = {
    Why.DOES: ("Dat doet de batterij dan al.", "The battery does that already."),
    Why.FULL: ("De batterij is dan vol.", "The battery is full then."),
    Why.EMPTY: ("De batterij is dan leeg.", "The battery is empty then."),
    Why.NO_POWER: ("De batterij kan dat dan niet.", "The battery cannot do that then."),
    Why.NO_ROOM: (
        "De aansluiting van de wijk heeft dan geen ruimte.",
        "The connection of the neighbourhood has no room then.",
    ),
    Why.BREAKS: (
        "Dan kan de batterij later niet doen wat moet.",
        "Then the battery cannot do later what it has to do.",
    ),
    Why.SAME: ("Dat maakt bijna niets uit.", "That makes almost no difference."),
    Why.PEAK: (
        "Dan is de piek van het net hoger, en die kost geld.",
        "Then the peak from the grid is higher, and that costs money.",
    ),
    Why.CHEAPER_LATER: (
        "Later is stroom goedkoper: {other} in plaats van {now} per kWh.",
        "Power is cheaper later: {other} instead of {now} per kWh.",
    ),
    Why.SUN_LATER: (
        "Later is er zon over: {other} in plaats van {now} per kWh.",
        "There is sun to spare later: {other} instead of {now} per kWh.",
    ),
    Why.DEARER_LATER: (
        "Later is stroom meer waard: {other} in plaats van {now} per kWh.",
        "Power is worth more later: {other} instead of {now} per kWh.",
    ),
    Why.GIVES_NOW: (
        "De batterij geeft dan stroom terug, en dat levert meer op.",
        "The battery gives power back then, and that brings more.",
    ),
    Why.FILLS_NOW: (
        "De batterij laadt dan, en dat levert meer op.",
        "The battery charges then, and that brings more.",
    ),
    Why.NOT_WORTH: (
        "Dat levert minder op dan het kost.",
        "That brings less than it costs.",
    ),
    Why.WORKS: (
        "Het plan gebruikt de batterij dan, want dat levert geld op.",
        "The plan uses the battery then, as that earns money.",
    ),
}
COSTS: dict[Action, tuple[str, str]] = {
    Action.CHARGE: (
        "Laden kost de wijk dan ongeveer {cost} meer dan het plan.",
        "Charging then costs the neighbourhood about {cost} more than the plan.",
    ),
    Action.DISCHARGE: (
        "Teruggeven kost de wijk dan ongeveer {cost} meer dan het plan.",
        "Giving back then costs the neighbourhood about {cost} more than the plan.",
    ),
    Action.HOLD: (
        "Wachten kost de wijk dan ongeveer {cost} meer dan het plan.",
        "Waiting then costs the neighbourhood about {cost} more than the plan.",
    ),
}


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What comes of another action of one battery in one step.

    Attributes:
        battery: Which.
        step: When.
        asked: What it might do.
        does: What it does by the plan.
        why: Why it does not do the other.
        costs_eur: How much more the whole plan would cost; None where it cannot be done.
        power_kw: The power it was forced to; 0 for waiting and where it cannot be done.
        now_eur_per_kwh: What a kWh costs or brings in that step, where a later price is why.
        other_eur_per_kwh: What it costs or brings when the plan does what was asked; None where
            that is not why.
        other_step: When that is.
    """

    battery: str
    step: int
    asked: Action
    does: Action
    why: Why
    costs_eur: float | None
    power_kw: float
    now_eur_per_kwh: float | None = None
    other_eur_per_kwh: float | None = None
    other_step: int | None = None

    @property
    def text_nl(self) -> str:
        """The answer in Dutch."""
        return self._told(0, ",", "€ ")

    @property
    def text_en(self) -> str:
        """The answer in English."""
        return self._told(1, ".", "€")

    def _told(self, tongue: int, point: str, sign: str) -> str:
        def euro(amount: float) -> str:
            size = f"{abs(amount):.2f}".replace(".", point)
            minus = "-" if amount <= -WORTH_TELLING_EUR else ""
            # As on the pages: English has the minus first, Dutch beside the number.
            return f"{minus}{sign}{size}" if tongue else f"{sign}{minus}{size}"

        told = WORDS[self.why][tongue]
        if self.now_eur_per_kwh is not None and self.other_eur_per_kwh is not None:
            now, other = euro(self.now_eur_per_kwh), euro(self.other_eur_per_kwh)
            told = told.format(now=now, other=other)
        if self.costs_eur is None or self.costs_eur < WORTH_TELLING_EUR:
            return told
        return f"{COSTS[self.asked][tongue].format(cost=euro(self.costs_eur))} {told}"


def why_not(
    problem: Problem,
    made: Plan,
    battery: str,
    step: int,
    asked: Action,
    make: Maker = plan,
) -> WhyNot:
    """Return why a battery does not do something in a step, and what it would cost.

    Args:
        problem: What was planned.
        made: Its plan.
        battery: The battery's id.
        step: The step, from 0.
        asked: What it might do instead.
        make: Makes the other plan; the cheapest one where none is given.

    Raises:
        InputError: There is no such battery or step in the plan.
    """
    batteries = batteries_of(problem)
    if battery not in batteries:
        raise InputError(f"battery {battery!r} is not in the plan: ask about one that is")
    if not 0 <= step < problem.steps:
        raise InputError(f"step {step} is not in the plan: ask for 0 to {problem.steps - 1}")
    row = batteries.index(battery)
    does = _does(made, row, step)
    answer = WhyNot(battery, step, asked, does, Why.DOES, None, 0.0)
    if does is asked:
        return answer
    power_kw, hindered = _most_kw(problem, made, row, step, asked)
    if hindered is not None:
        return replace(answer, why=hindered)
    other = make(_forced(problem, made, row, step, asked, power_kw))
    if other.status in {Status.RELAXED, Status.FALLBACK} and made.status is not other.status:
        return replace(answer, why=Why.BREAKS)
    costs = max(0.0, net_cost_eur(other) - net_cost_eur(made))
    answer = replace(answer, costs_eur=costs, power_kw=power_kw)
    if costs < WORTH_TELLING_EUR:
        return replace(answer, why=Why.SAME)
    return _with_cause(problem, made, other, row, answer)


def _does(made: Plan, row: int, step: int) -> Action:
    net = float(made.charge_kw[row, step] - made.discharge_kw[row, step])
    if abs(net) <= _MOVES_KW:
        return Action.HOLD
    return Action.CHARGE if net > 0 else Action.DISCHARGE


def _before_kwh(problem: Problem, made: Plan, row: int, step: int) -> float:
    """Return what is left in a step of what the plan had stored before it [kWh]."""
    before = problem.soc_start_kwh[row] if step == 0 else made.soc_kwh[row, step - 1]
    drained = problem.step_h[step] * problem.drain_kw[row, step]
    return float(problem.retention[row, step] * before - drained)


def _most_kw(
    problem: Problem, made: Plan, row: int, step: int, asked: Action
) -> tuple[float, Why | None]:
    """Return the most power that can be asked in a step, or why there is none [kW]."""
    if asked is Action.HOLD:
        return 0.0, None
    dt, before = float(problem.step_h[step]), _before_kwh(problem, made, row, step)
    own = made.charge_kw[row, step] - made.discharge_kw[row, step]
    others = float(made.import_kw[step] - made.export_kw[step] - own)
    if asked is Action.CHARGE:
        power = float(problem.charge_max_kw[row, step])
        stored = (problem.soc_max_kwh[row, step] - before) / problem.gain[row, step]
        room, end = float(problem.import_limit_kw[step]) - others, Why.FULL
    else:
        power = float(problem.discharge_max_kw[row, step])
        stored = (before - problem.soc_min_kwh[row, step]) * problem.discharge_efficiency[row]
        room, end = float(problem.export_limit_kw[step]) + others, Why.EMPTY
    most = {Why.NO_POWER: power, end: float(stored) / dt, Why.NO_ROOM: room}
    least = min(most, key=lambda one: most[one])
    return (most[least], None) if most[least] > 1e3 * _MOVES_KW else (0.0, least)


def _forced(
    problem: Problem, made: Plan, row: int, step: int, asked: Action, power_kw: float
) -> Problem:
    """Return the problem in which a battery does what was asked after its planned course."""
    low, high = problem.soc_min_kwh.copy(), problem.soc_max_kwh.copy()
    charge, discharge = problem.charge_max_kw.copy(), problem.discharge_max_kw.copy()
    low[row, :step] = made.soc_kwh[row, :step] - _PIN_KWH
    high[row, :step] = made.soc_kwh[row, :step] + _PIN_KWH
    if asked is not Action.CHARGE:
        charge[row, step] = 0.0
    if asked is not Action.DISCHARGE:
        discharge[row, step] = 0.0
    before, dt = _before_kwh(problem, made, row, step), float(problem.step_h[step])
    if asked is Action.CHARGE:
        stored = before + dt * problem.gain[row, step] * power_kw
        low[row, step] = max(low[row, step], stored - _PIN_KWH)
    elif asked is Action.DISCHARGE:
        stored = before - dt * power_kw / problem.discharge_efficiency[row]
        high[row, step] = min(high[row, step], stored + _PIN_KWH)
    low = np.minimum(np.maximum(low, 0.0), high)
    return replace(
        problem,
        soc_min_kwh=low,
        soc_max_kwh=high,
        charge_max_kw=charge,
        discharge_max_kw=discharge,
    )


def _with_cause(problem: Problem, made: Plan, other: Plan, row: int, answer: WhyNot) -> WhyNot:
    """Return the answer with why it costs more, from what the plan does later instead."""
    if answer.asked is Action.HOLD:
        return replace(answer, why=Why.WORKS)
    charges, step = answer.asked is Action.CHARGE, answer.step
    peak_eur = peak_cost_eur(problem, other.peak_kw) - peak_cost_eur(problem, made.peak_kw)
    if answer.costs_eur is not None and peak_eur > answer.costs_eur / 2:
        return replace(answer, why=Why.PEAK)
    # One kWh more is bought unless it is sold now, and one kWh less is sold unless it is bought.
    more = np.where(made.export_kw > _MOVES_KW, problem.sell_eur_per_kwh, problem.buy_eur_per_kwh)
    less = np.where(made.import_kw > _MOVES_KW, problem.buy_eur_per_kwh, problem.sell_eur_per_kwh)
    here, there = (more, less) if charges else (less, more)
    net = made.charge_kw[row] - made.discharge_kw[row]
    later = np.flatnonzero((net if charges else -net) > _MOVES_KW)
    later = later[later > step]
    if later.size:
        best = int(later[np.argmin(there[later] if charges else -there[later])])
        now, then = float(here[step]), float(there[best])
        if (now - then if charges else then - now) >= _APART_EUR:
            sun = made.import_kw[best] <= _MOVES_KW and is_sun_left(problem, made)[best]
            why = (Why.SUN_LATER if sun else Why.CHEAPER_LATER) if charges else Why.DEARER_LATER
            return replace(
                answer, why=why, now_eur_per_kwh=now, other_eur_per_kwh=then, other_step=best
            )
    if answer.does is Action.HOLD:
        return replace(answer, why=Why.NOT_WORTH)
    return replace(answer, why=Why.GIVES_NOW if charges else Why.FILLS_NOW)
