"""Says in words why a battery charges, gives back or waits, block by block."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import numpy.typing as npt

from optimizer.plan import Action, Because, Plan, Reason
from optimizer.problem import BoolArray, FloatArray, Problem, StoreKind
from optimizer.why.explain_stores import reasons_of_others
from optimizer.why.peak import is_at_peak
from optimizer.why.sun import is_sun_left, is_sun_short

_MOVES_KW = 1e-6
_AT_LIMIT = 1e-6
_ACTIONS = tuple(Action)
_BECAUSE = tuple(Because)

_WORDS: dict[tuple[Action, Because], tuple[str, str]] = {
    (Action.CHARGE, Because.SOLAR_SURPLUS): (
        "De batterij laadt: er is meer zon dan we gebruiken.",
        "The battery charges: there is more sun than we use.",
    ),
    (Action.CHARGE, Because.PRICE_LOW): (
        "De batterij laadt: stroom is nu goedkoper dan straks.",
        "The battery charges: power is cheaper now than later.",
    ),
    (Action.CHARGE, Because.NEGATIVE_PRICE): (
        "De batterij laadt: stroom van het net levert nu geld op.",
        "The battery charges: taking power from the grid earns money now.",
    ),
    (Action.CHARGE, Because.LIMIT): (
        "De batterij laadt: er kan niet meer stroom naar het net.",
        "The battery charges: no more power can go to the grid.",
    ),
    (Action.CHARGE, Because.PEAK): (
        "De batterij laadt: zo blijft straks de piek van het net laag.",
        "The battery charges: this keeps the peak from the grid low later.",
    ),
    (Action.CHARGE, Because.NEEDED_LATER): (
        "De batterij laadt: later is de stroom meer waard.",
        "The battery charges: the power is worth more later.",
    ),
    (Action.CHARGE, Because.RESERVE): (
        "De batterij laadt: zo is zij op tijd vol genoeg.",
        "The battery charges: this way it is full enough in time.",
    ),
    (Action.DISCHARGE, Because.OWN_USE): (
        "De batterij geeft stroom terug: we gebruiken meer dan de zon geeft.",
        "The battery gives power back: we use more than the sun gives.",
    ),
    (Action.DISCHARGE, Because.PRICE_HIGH): (
        "De batterij geeft stroom terug: stroom is nu duur.",
        "The battery gives power back: power is expensive now.",
    ),
    (Action.DISCHARGE, Because.PEAK): (
        "De batterij geeft stroom terug: zo blijft de piek van het net laag.",
        "The battery gives power back: this keeps the peak from the grid low.",
    ),
    (Action.DISCHARGE, Because.LIMIT): (
        "De batterij geeft stroom terug: er kan niet meer stroom van het net komen.",
        "The battery gives power back: no more power can come from the grid.",
    ),
    (Action.DISCHARGE, Because.OTHER_BATTERY): (
        "De batterij geeft stroom terug: een andere batterij laadt ermee.",
        "The battery gives power back: another battery charges with it.",
    ),
    (Action.DISCHARGE, Because.NO_GAIN): (
        "De batterij geeft stroom terug: bewaren levert niet meer op dan nu teruggeven.",
        "The battery gives power back: keeping it brings no more than giving it now.",
    ),
    (Action.DISCHARGE, Because.RESERVE): (
        "De batterij geeft stroom terug: zo is er straks ruimte in de batterij.",
        "The battery gives power back: this makes room in the battery for later.",
    ),
    (Action.HOLD, Because.FULL): (
        "De batterij wacht: zij is vol.",
        "The battery waits: it is full.",
    ),
    (Action.HOLD, Because.EMPTY): (
        "De batterij wacht: zij is leeg.",
        "The battery waits: it is empty.",
    ),
    (Action.HOLD, Because.RESERVE): (
        "De batterij wacht: zij bewaart stroom voor als het net uitvalt.",
        "The battery waits: it keeps power for when the grid fails.",
    ),
    (Action.HOLD, Because.PRICE_LATER): (
        "De batterij wacht: straks is stroom duurder.",
        "The battery waits: power costs more later.",
    ),
    (Action.HOLD, Because.NEEDED_LATER): (
        "De batterij wacht: straks hebben we de stroom nodig.",
        "The battery waits: we need the power later.",
    ),
    (Action.HOLD, Because.NO_GAIN): (
        "De batterij wacht: laden of teruggeven levert nu niets op.",
        "The battery waits: charging or giving back gains nothing now.",
    ),
}


def reasons_of(problem: Problem, plan: Plan) -> tuple[Reason, ...]:
    """Return per battery the blocks of steps in which it does one thing for one reason.

    Cars, heat pumps and machines follow in words of their own.
    """
    actions = _actions(plan)
    because = np.select(
        [actions == _ACTIONS.index(Action.CHARGE), actions == _ACTIONS.index(Action.DISCHARGE)],
        [_why_charge(problem, plan), _why_discharge(problem, plan)],
        _why_hold(problem, plan),
    )
    reasons: list[Reason] = []
    for row, battery in enumerate(problem.battery_ids):
        if problem.store_kinds[row] is not StoreKind.BATTERY:
            continue
        steps = zip(actions[row].tolist(), because[row].tolist(), strict=True)
        first = 0
        for (action, why), block in groupby(steps):
            last = first + sum(1 for _ in block) - 1
            did, reason = _ACTIONS[action], _BECAUSE[why]
            reasons.append(Reason(first, last, battery, did, reason, *_WORDS[did, reason]))
            first = last + 1
    if problem.sessions or problem.heat_pumps or problem.runs:
        reasons += reasons_of_others(problem, plan)
    return tuple(reasons)


def _actions(plan: Plan) -> npt.NDArray[np.intp]:
    net = plan.charge_kw - plan.discharge_kw
    moves = [net > _MOVES_KW, net < -_MOVES_KW]
    charge, discharge = _ACTIONS.index(Action.CHARGE), _ACTIONS.index(Action.DISCHARGE)
    chosen: npt.NDArray[np.intp] = np.select(
        moves, [charge, discharge], _ACTIONS.index(Action.HOLD)
    )
    return chosen


def _why_charge(problem: Problem, plan: Plan) -> npt.NDArray[np.intp]:
    imports, exports = plan.import_kw > _MOVES_KW, plan.export_kw > _MOVES_KW
    full_export = plan.export_kw >= problem.export_limit_kw - _AT_LIMIT
    gives = plan.discharge_kw > _MOVES_KW
    buy, sell = problem.buy_eur_per_kwh, problem.sell_eur_per_kwh
    sold = _pays(problem, _later_price(gives & exports, sell))
    conditions = [
        imports & (buy < 0),
        ~imports & full_export,
        ~imports & is_sun_left(problem, plan),
        _before(problem, plan) < problem.floor_kwh - _AT_LIMIT,
        # After losses and wear: a price that is only a little higher is no reason.
        _pays(problem, _later_price(gives, buy)) > buy,
        _later(gives & is_at_peak(problem, plan)),
        np.maximum(sold, _kept_pays(problem, plan)) > np.where(imports, buy, sell),
    ]
    reasons = [
        Because.NEGATIVE_PRICE,
        Because.LIMIT,
        Because.SOLAR_SURPLUS,
        Because.RESERVE,
        Because.PRICE_LOW,
        Because.PEAK,
        Because.NEEDED_LATER,
    ]
    return _chosen(conditions, reasons, Because.RESERVE, plan)


def _why_discharge(problem: Problem, plan: Plan) -> npt.NDArray[np.intp]:
    imports, exports = plan.import_kw > _MOVES_KW, plan.export_kw > _MOVES_KW
    buy, sell = problem.buy_eur_per_kwh, problem.sell_eur_per_kwh
    conditions = [
        imports & (plan.import_kw >= problem.import_limit_kw - _AT_LIMIT),
        imports & is_at_peak(problem, plan),
        _before(problem, plan) > problem.soc_max_kwh + _AT_LIMIT,
        np.where(exports, sell, buy) < 0,
        _is_dear(buy) | (exports & _is_dear(sell)),
        exports,
        is_sun_short(problem, plan),
    ]
    reasons = [
        Because.LIMIT,
        Because.PEAK,
        Because.RESERVE,
        Because.RESERVE,
        Because.PRICE_HIGH,
        Because.NO_GAIN,
        Because.OWN_USE,
    ]
    return _chosen(conditions, reasons, Because.OTHER_BATTERY, plan)


def _why_hold(problem: Problem, plan: Plan) -> npt.NDArray[np.intp]:
    gives = plan.discharge_kw > _MOVES_KW
    is_full = plan.soc_kwh >= problem.soc_max_kwh - _AT_LIMIT
    floor = problem.floor_kwh
    is_empty = plan.soc_kwh <= floor + _AT_LIMIT
    conditions = [
        is_full & (plan.export_kw > _MOVES_KW),
        is_empty & (floor > problem.soc_min_kwh + _AT_LIMIT),
        is_empty,
        _later_price(gives, problem.buy_eur_per_kwh) > problem.buy_eur_per_kwh,
        _later(gives & is_sun_short(problem, plan)),
        is_full,
    ]
    reasons = [
        Because.FULL,
        Because.RESERVE,
        Because.EMPTY,
        Because.PRICE_LATER,
        Because.NEEDED_LATER,
        Because.FULL,
    ]
    return _chosen(conditions, reasons, Because.NO_GAIN, plan)


def _chosen(
    conditions: list[BoolArray], reasons: list[Because], otherwise: Because, plan: Plan
) -> npt.NDArray[np.intp]:
    """Return the number of the first reason whose condition holds, shape ``(B, T)``."""
    chosen = np.full(plan.charge_kw.shape, _BECAUSE.index(otherwise), dtype=np.intp)
    for condition, reason in zip(reversed(conditions), reversed(reasons), strict=True):
        np.copyto(chosen, _BECAUSE.index(reason), where=condition)
    return chosen


def _later_price(given: BoolArray, price: FloatArray) -> FloatArray:
    """Return the highest price at which a battery gives back later, shape ``(B, T)``.

    Minus infinity where it does not give back any more.

    Args:
        given: Whether it gives back, shape ``(B, T)``.
        price: What a kWh is worth then, shape ``(T,)``.
    """
    prices = np.where(given, price, -np.inf)
    from_here = np.maximum.accumulate(prices[:, ::-1], axis=1)[:, ::-1]
    later = np.full(prices.shape, -np.inf)
    later[:, :-1] = from_here[:, 1:]
    return later


def _later(where: BoolArray) -> BoolArray:
    """Return whether something is so in a later step, shape ``(B, T)``."""
    steps = where.shape[1]
    last = np.where(where.any(axis=1), steps - 1 - where[:, ::-1].argmax(axis=1), -1)
    later: BoolArray = np.arange(steps) < last[:, None]
    return later


def _kept_pays(problem: Problem, plan: Plan) -> FloatArray:
    """Return what a kWh taken now is worth at a free end [EUR], shape ``(B, T)``.

    Minus infinity where the end is not free or nothing is left there.
    """
    left = ~problem.end_is_fixed & (plan.soc_kwh[:, -1] > problem.soc_min_kwh[:, -1] + _AT_LIMIT)
    worth = np.where(left, problem.end_value_eur_per_kwh, -np.inf)
    pays: FloatArray = (problem.charge_efficiency * worth)[:, None]
    return pays


def _pays(problem: Problem, later_price: FloatArray) -> FloatArray:
    """Return what a kWh taken now brings at a later price [EUR], shape ``(B, T)``."""
    given = problem.discharge_efficiency * problem.charge_efficiency
    pays: FloatArray = given[:, None] * (later_price - problem.wear_eur_per_kwh[:, None])
    return pays


def _before(problem: Problem, plan: Plan) -> FloatArray:
    return np.concatenate([problem.soc_start_kwh[:, None], plan.soc_kwh[:, :-1]], axis=1)


def _is_dear(prices: FloatArray) -> BoolArray:
    """Return whether power costs something, and clearly more than on the horizon's average."""
    spread = float(prices.max() - prices.min())
    dear: BoolArray = (prices > prices.mean() + 0.1 * spread) & (prices > 0)
    return dear & (spread > 0)
