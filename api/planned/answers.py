"""What programs are told of the plan: why not otherwise, what it would have cost, who pays what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.planned.compared import Compared
from api.planned.kept import Planned
from api.schemas import moment_time
from kwartier.interval import QUARTER_S
from kwartier.units import Watt, Wh
from optimizer.plan import Action
from optimizer.why.members import Share, Split, SplitRule
from optimizer.why.why_not import Why, WhyNot


@dataclass(frozen=True, slots=True)
class WhyNotAnswer:
    """Why a battery does not do something else in a quarter-hour; amounts are forecasts.

    ``costs_eur`` is null where it cannot be done; ``power_w`` is what it was forced to.
    """

    plan: str
    battery: str
    start: datetime
    end: datetime
    asked: Action
    does: Action
    why: Why
    costs_eur: float | None
    power_w: Watt
    now_eur_per_kwh: float | None
    other_eur_per_kwh: float | None
    other_start: datetime | None
    text_nl: str
    text_en: str


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """What is shared by a key, of all homes together [Wh]; ``own_wh`` is the reader's home's."""

    key: str
    shared_wh: Wh
    own_wh: Wh | None


@dataclass(frozen=True, slots=True)
class OwnCostAnswer:
    """What the reader's home is expected to pay alone, and in this plan [cents]."""

    home: str
    alone_cents: int
    together_cents: int


@dataclass(frozen=True, slots=True)
class OtherwiseAnswer:
    """What the plan would have cost otherwise; sums over ``homes`` homes; forecasts, no money."""

    plan: str
    start: datetime
    end: datetime
    homes: int
    planned_eur: float
    without_battery_eur: float
    without_sharing_eur: float
    keys: tuple[KeyAnswer, ...]
    own: OwnCostAnswer | None


@dataclass(frozen=True, slots=True)
class ShareAnswer:
    """What one home is expected to pay over the plan; never more than alone."""

    home: str
    alone_cents: int
    pays_cents: int
    benefit_cents: int
    exchanged_wh: Wh


@dataclass(frozen=True, slots=True)
class SplitAnswer:
    """The plan's cost over homes by a rule; what homes pay adds up to ``group_cents``."""

    plan: str
    start: datetime
    end: datetime
    rule: SplitRule
    together: bool
    alone_cents: int
    group_cents: int
    saved_cents: int
    homes: tuple[ShareAnswer, ...]


def why_not_answer(planned: Planned, found: WhyNot) -> WhyNotAnswer:
    """Return the answer to a question."""
    start_s = planned.at_s(found.step)
    other = found.other_step
    return WhyNotAnswer(
        planned.name,
        found.battery,
        moment_time(start_s),
        moment_time(start_s + QUARTER_S),
        found.asked,
        found.does,
        found.why,
        None if found.costs_eur is None else round(found.costs_eur, 2),
        round(1000 * found.power_kw),
        _price(found.now_eur_per_kwh),
        _price(found.other_eur_per_kwh),
        None if other is None else moment_time(planned.at_s(other)),
        found.text_nl,
        found.text_en,
    )


def otherwise_answer(compared: Compared, own: Share | None) -> OtherwiseAnswer:
    """Return the answer for a plan that was compared, with the reader's own home in it."""
    planned, costs = compared.planned, compared.otherwise
    return OtherwiseAnswer(
        planned.name,
        moment_time(planned.start_s),
        moment_time(planned.end_s),
        len(compared.homes),
        round(costs.planned_eur, 2),
        round(costs.without_battery_eur, 2),
        round(costs.without_sharing_eur, 2),
        tuple(
            KeyAnswer(
                name,
                sum(one.shared_wh.values()),
                None if own is None else one.shared_wh[own.member],
            )
            for name, one in compared.keys.items()
        ),
        None if own is None else OwnCostAnswer(own.member, own.alone_cents, own.pays_cents),
    )


def split_answer(compared: Compared, found: Split) -> SplitAnswer:
    """Return the answer for a plan's cost divided over homes."""
    planned = compared.planned
    return SplitAnswer(
        planned.name,
        moment_time(planned.start_s),
        moment_time(planned.end_s),
        found.rule,
        found.is_together,
        found.alone_cents,
        found.group_cents,
        found.saved_cents,
        tuple(
            ShareAnswer(
                one.member, one.alone_cents, one.pays_cents, one.benefit_cents, one.exchanged_wh
            )
            for one in found.shares
        ),
    )


def _price(eur_per_kwh: float | None) -> float | None:
    return None if eur_per_kwh is None else round(eur_per_kwh, 4)
