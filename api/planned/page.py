"""What the page Wijkbatterij shows: the plan in words, an answer, and what it would cost else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from api.pages.language import Language
from api.planned.compared import Compared
from api.planned.kept import Planned
from api.plans import NeighbourhoodPlan, PlanBlock
from kwartier.interval import QUARTER_S, day_of
from kwartier.units import EpochS
from optimizer.plan import Action
from optimizer.why.members import Share
from optimizer.why.reason_facts import Facts, facts_of
from optimizer.why.why_not import WORTH_TELLING_EUR, WhyNot

ACTIONS = {"laden": Action.CHARGE, "teruggeven": Action.DISCHARGE, "wachten": Action.HOLD}
"""What can be asked, by its word in the address."""
_ASKS = {Action.CHARGE: "charge", Action.DISCHARGE: "discharge", Action.HOLD: "idle"}
"""The key of each action, as plans of pages name it."""
_HOUR_S = 3600
_WORTH_READING_EUR = 0.05
"""What idling costs at least is told from five cents on."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question somebody can ask with one press."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A stretch of the plan in words, with what may be asked about it."""

    battery: str
    action: str
    when: str
    why: str
    more: tuple[str, ...]
    current: bool
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """An answer in the reader's words."""

    heading: str
    sentences: tuple[str, ...]


def plan_lines(
    plan: NeighbourhoodPlan | None, kept: Planned | None, now_s: float, lang: Language
) -> list[PlanLine]:
    """Return what is to come of a plan; with questions where it is known what it was made from."""
    if plan is None:
        return []
    asked = kept if kept is not None and kept.name == plan.name else None
    return lines_of(plan.blocks, asked, now_s, lang)


def lines_of(
    blocks: Sequence[PlanBlock], asked: Planned | None, now_s: float, lang: Language
) -> list[PlanLine]:
    """Return what is to come of some blocks; with questions about the plan they are of."""
    several = len({block.battery for block in blocks}) > 1
    facts = {} if asked is None else _facts(asked)
    return [
        PlanLine(
            block.battery if several else "",
            block.action,
            span(max(block.start_s, _quarter(now_s)), block.end_s, now_s, lang),
            _why(block, lang),
            _more(block, facts.get((block.battery, block.start_s)), lang),
            block.start_s <= now_s < block.end_s,
            () if asked is None else _questions(block, max(block.start_s, _quarter(now_s)), lang),
        )
        for block in sorted(blocks, key=lambda one: (one.start_s, one.battery))
        if block.end_s > now_s
    ]


def plan_made(plan: NeighbourhoodPlan, now_s: float, lang: Language) -> str:
    """Return when a plan was made, and why where no quarter-hour had begun."""
    return lang.say(f"battery.made.{plan.made_because}", when=_at(plan.made_s, now_s, lang))


def hours_of(kept: Planned, now_s: float, lang: Language) -> list[tuple[EpochS, str]]:
    """Return the hours that can be asked about, from this quarter-hour on."""
    first = _quarter(now_s)
    later = range(first // _HOUR_S * _HOUR_S + _HOUR_S, kept.end_s, _HOUR_S)
    return [(at_s, _at(at_s, now_s, lang)) for at_s in (first, *later) if at_s >= kept.start_s]


def shown_answer(planned: Planned, found: WhyNot, now_s: float, lang: Language) -> ShownAnswer:
    """Return an answer in the reader's words, the cost first."""
    start_s = planned.at_s(found.step)
    heading = lang.say(
        f"battery.ask.{_ASKS[found.asked]}.at",
        when=span(start_s, start_s + QUARTER_S, now_s, lang),
    )
    told = []
    if found.costs_eur is not None and found.costs_eur >= WORTH_TELLING_EUR:
        cost = lang.euro(_eur(found.costs_eur))
        told.append(lang.say(f"battery.costs.{found.asked}", cost=cost))
    prices = {}
    if found.now_eur_per_kwh is not None and found.other_eur_per_kwh is not None:
        prices["now"] = lang.euro(_eur(found.now_eur_per_kwh))
        prices["other"] = lang.euro(_eur(found.other_eur_per_kwh))
    told.append(lang.say(f"battery.because.{found.why}", **prices))
    if found.other_step is not None:
        when = _at(planned.at_s(found.other_step), now_s, lang)
        told.append(lang.say("battery.then", when=when))
    return ShownAnswer(heading, tuple(told))


def costs_values(compared: Compared, own: Share | None, lang: Language) -> dict[str, object]:
    """Return what the page says of costs, all of them of enough homes or the reader's own."""
    return {
        **sums_values(compared, lang),
        "keys": [
            (
                name,
                lang.kwh(sum(one.shared_wh.values())),
                None if own is None else lang.kwh(one.shared_wh[own.member]),
            )
            for name, one in compared.keys.items()
        ],
        "own": own,
    }


def sums_values(compared: Compared, lang: Language) -> dict[str, object]:
    """Return what a plan costs, and would cost otherwise, of all homes together."""
    costs = compared.otherwise
    return {
        "homes": len(compared.homes),
        "until": lang.day_name(day_of(compared.planned.end_s - 1)),
        "costs": [
            ("planned", lang.euro(_eur(costs.planned_eur))),
            ("without_battery", lang.euro(_eur(costs.without_battery_eur))),
            ("without_sharing", lang.euro(_eur(costs.without_sharing_eur))),
        ],
    }


def span(start_s: EpochS, end_s: EpochS, now_s: float, lang: Language) -> str:
    """Return from when to when, with the day where it is another one."""
    told = lang.say("plan.span", start=lang.clock(start_s), end=lang.clock(end_s))
    return _dated(told, start_s, now_s, lang)


def _at(at_s: EpochS, now_s: float, lang: Language) -> str:
    return _dated(lang.clock(at_s), at_s, now_s, lang)


def _dated(told: str, at_s: EpochS, now_s: float, lang: Language) -> str:
    day = day_of(at_s)
    return told if day == day_of(now_s) else f"{lang.weekday(day)} {told}"


def _questions(block: PlanBlock, at_s: EpochS, lang: Language) -> tuple[Question, ...]:
    """Return the two other things that a battery might do in a block."""
    return tuple(
        Question(
            lang.say(f"battery.ask.{_ASKS[action]}"),
            f"/batterij?{urlencode({'b': block.battery, 'om': at_s, 'doe': word})}#antwoord",
        )
        for word, action in ACTIONS.items()
        if _ASKS[action] != block.action
    )


def _facts(kept: Planned) -> dict[tuple[str, EpochS], Facts]:
    """Return what each block of a plan rests on, by its battery and start."""
    found = facts_of(kept.problem, kept.made)
    reasons = kept.made.reasons
    return {
        (reason.battery, kept.at_s(reason.first)): each
        for reason, each in zip(reasons, found, strict=True)
    }


def _more(block: PlanBlock, facts: Facts | None, lang: Language) -> tuple[str, ...]:
    """Return until which price it goes on, and what idling costs where that is proven."""
    turns = None
    if facts is not None and block.action == "charge":
        turns = facts.charges_below_eur_per_kwh
    elif facts is not None and block.action == "discharge":
        turns = facts.gives_above_eur_per_kwh
    if facts is None or turns is None:
        return ()
    told = [_until(block.action, _eur(turns), lang)]
    if facts.idle_costs_eur is not None and facts.idle_costs_eur >= _WORTH_READING_EUR:
        told.append(lang.say("battery.idle", cost=lang.euro(_eur(facts.idle_costs_eur))))
    return tuple(told)


def _until(action: str, turns_eur: Decimal, lang: Language) -> str:
    """Return until which price it goes on; below nothing a kWh earns, and costs no less."""
    shown_eur = round(turns_eur, 2)
    if not shown_eur:
        return lang.say(f"battery.until.{action}.free")
    if shown_eur < 0:
        return lang.say(f"battery.until.{action}.earns", price=lang.euro(-shown_eur))
    return lang.say(f"battery.until.{action}", price=lang.euro(shown_eur))


def _why(block: PlanBlock, lang: Language) -> str:
    """Return why; a reason that has no words here yet is told in Dutch."""
    if block.action == "idle":
        key = f"battery.wait.{block.because}"
    else:
        key = f"plan.why.{block.action}.{block.because}"
    return lang.say(key) if lang.knows(key) else block.text_nl


def _quarter(now_s: float) -> EpochS:
    return int(now_s) // QUARTER_S * QUARTER_S


def _eur(amount: float) -> Decimal:
    return Decimal(str(round(amount, 4)))
