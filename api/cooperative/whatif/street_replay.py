"""The last twelve months of the books with another battery or roof, and without it.

Both worlds are steered by the same rules, so that what differs is what is tried; then both are
settled by the keys and tariffs that held. A member's bill here is the statement, exact to the cent,
and what an own supplier is paid for the rest at the price of the form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.runs.month import Month
from api.cooperative.whatif.candidate import Candidate
from api.cooperative.whatif.effects import (
    MemberEffect,
    MissingMonth,
    Replay,
    ReplayedMonth,
    ordered_effects,
)
from api.cooperative.whatif.months import KnownMonth, known_month, last_months
from api.cooperative.whatif.roofs import roof_made
from api.cooperative.whatif.steered import Market, Steered, batteries_with, market_of, steered
from api.cooperative.whatif.street import StreetTerms
from api.cooperative.whatif.street_effect import StreetEffect
from api.cooperative.whatif.surroundings import Surroundings
from api.cooperative.whatif.worlds import ASSUMED_BATTERY, World
from kwartier.interval import QUARTER_S
from kwartier.units import Wh
from optimizer.settlement import Status
from optimizer.settling.matrix import ReadingMatrix
from optimizer.settling.month_spans import owned_spans
from optimizer.settling.rounding import half_away_from_zero
from optimizer.what_if.readings import is_read, outside_of, with_battery, with_roof

_READ, _OLD, _NEW = 0.05, 0.4, 0.75
"""How much is done after reading, and after steering each world."""


@dataclass(frozen=True, slots=True)
class _World:
    """One world, settled: by month each member's statement and whole bill [cent]."""

    settled: Sequence[Mapping[str, int]]
    whole: Sequence[Mapping[str, int]]
    statuses: Sequence[Status]
    shared_wh: Wh


def replay_street(
    desk: Desk,
    candidate: Candidate,
    around: Surroundings,
    show: Callable[[float], None] | None = None,
    months: Sequence[Month] | None = None,
) -> Replay:
    """Return what a battery or a roof would have meant for the street and every member.

    Args:
        desk: The open books; nothing is written.
        candidate: What is tried.
        around: What is known outside the books.
        show: Told how much is done, from 0 to 1; may raise to stop it.
        months: Other months than the last twelve, in order of time.

    Raises:
        BooksError: Not one of the months is known, or the candidate names what is not.
        InputError: A roof is tried and there is no sun to lay it out by.
        TamperedError: What was frozen was changed since: nobody decides on that.
    """
    terms = candidate.terms
    assert isinstance(terms, StreetTerms)
    tell = show or (lambda _: None)
    candidate.check(desk)
    tell(0)
    known, missing = _known(desk, last_months(desk.at_s) if months is None else months)
    bare = {month: _without_battery(each.readings) for month, each in known.items()}
    roofed, roof_wh, roof_by = _roofed(terms, bare, around)
    tell(_READ)
    first, last = next(iter(bare)), list(bare)[-1]
    market = market_of(terms, around, first.start_s, (last.end_s - first.start_s) // QUARTER_S)
    old = steered(bare, around.batteries, around, market, _part(tell, _READ, _OLD))
    batteries = batteries_with(around.batteries, terms.battery)
    new = steered(roofed, batteries, around, market, _part(tell, _OLD, _NEW))
    before = _settled(desk, terms, known, old, _part(tell, _NEW, (1 + _NEW) / 2))
    after = _settled(desk, terms, known, new, _part(tell, (1 + _NEW) / 2, 1))
    effect = _effect(terms, bare, market, (old, new), (before, after), (roof_wh, roof_by))
    effect = replace(effect, unagreed=_unagreed(known) if around.batteries or terms.battery else 0)
    tell(1)
    return _replay(candidate, known, missing, before, after, effect)


def _known(
    desk: Desk, wanted: Sequence[Month]
) -> tuple[dict[Month, KnownMonth], list[MissingMonth]]:
    known: dict[Month, KnownMonth] = {}
    missing: list[MissingMonth] = []
    for month in wanted:
        try:
            known[month] = known_month(desk, month)
        except TamperedError:
            raise
        except BooksError as error:
            missing.append(MissingMonth(str(month), str(error).removeprefix(f"{month}: ")))
    if not known:
        raise BooksError(
            f"none of the months {wanted[0]} to {wanted[-1]} can be reckoned: {missing[-1].why}"
        )
    return known, missing


def _without_battery(readings: ReadingMatrix) -> ReadingMatrix:
    nothing = readings.charge.energy_wh[0] * 0
    return with_battery(readings, nothing, nothing)


def _roofed(
    terms: StreetTerms, months: Mapping[Month, ReadingMatrix], around: Surroundings
) -> tuple[Mapping[Month, ReadingMatrix], Wh, str]:
    roof = terms.roof
    if roof is None:
        return months, 0, ""
    made, laid_by = roof_made(roof, list(months), around)
    changed = {
        month: with_roof(readings, roof.connection, made[month])
        for month, readings in months.items()
    }
    return changed, sum(int(each.sum()) for each in made.values()), laid_by


def _settled(
    desk: Desk,
    terms: StreetTerms,
    known: Mapping[Month, KnownMonth],
    world: Steered,
    tell: Callable[[float], None],
) -> _World:
    books = World(desk, None, ASSUMED_BATTERY)
    settled: list[dict[str, int]] = []
    whole: list[dict[str, int]] = []
    statuses: list[Status] = []
    shared_wh = 0
    for place, (month, each) in enumerate(known.items()):
        tell(place / len(known))
        readings = world.readings[month]
        played = replace(each, readings=readings, bills=None, claims_after=None)
        case, result = books.settled(played)
        cents = {name: invoice.to_pay for name, invoice in result.invoices.items()}
        outside = outside_of(owned_spans(case.agreement, readings), readings, result.allocation)
        paid = {
            name: _supplier_cents(terms, one.taken_wh, one.given_wh)
            for name, one in outside.items()
        }
        settled.append(cents)
        whole.append({name: cents.get(name, 0) + paid.get(name, 0) for name in cents | paid})
        statuses.append(result.status)
        shared_wh += int(result.allocation.bought_wh.sum())
    return _World(settled, whole, statuses, shared_wh)


def _unagreed(known: Mapping[Month, KnownMonth]) -> int:
    """Return in how many months nothing was agreed about a battery."""
    return sum(each.inputs["battery"] is None for each in known.values())


def _supplier_cents(terms: StreetTerms, taken_wh: Wh, given_wh: Wh) -> int:
    paid = taken_wh * Fraction(terms.outside_buy) - given_wh * Fraction(terms.outside_sell)
    return half_away_from_zero(paid / 10)


def _effect(
    terms: StreetTerms,
    months: Mapping[Month, ReadingMatrix],
    market: Market,
    steers: tuple[Steered, Steered],
    worlds: tuple[_World, _World],
    roof: tuple[Wh, str],
) -> StreetEffect:
    old, new = (
        replace(steer.sums, shared_wh=world.shared_wh)
        for steer, world in zip(steers, worlds, strict=True)
    )
    quarters = sum(each.quarters for each in months.values())
    read = sum(int(is_read(each).sum()) for each in months.values())
    saved = half_away_from_zero(Fraction((old.cost_cents - new.cost_cents) * 12, len(months)))
    start_s = next(iter(months)).start_s
    fixed = sum(
        int(market.unknown[place : place + each.quarters].sum())
        for place, each in (
            ((month.start_s - start_s) // QUARTER_S, each) for month, each in months.items()
        )
    )
    names = sorted({name for world in worlds for month in world.settled for name in month})
    sums = {name: (_sum(worlds[0], name), _sum(worlds[1], name)) for name in names}
    battery = terms.battery
    payback = None
    if battery is not None and terms.roof is None and saved > 0:
        payback = half_away_from_zero(Fraction(10 * battery.price_cents, saved))
    return StreetEffect(
        old, new, quarters, quarters - read, fixed, roof[0], roof[1], sums, saved, payback
    )


def _replay(
    candidate: Candidate,
    known: Mapping[Month, KnownMonth],
    missing: Sequence[MissingMonth],
    before: _World,
    after: _World,
    effect: StreetEffect,
) -> Replay:
    months = tuple(
        ReplayedMonth(
            str(month),
            each.source,
            (Status.PROVISIONAL if Status.PROVISIONAL in states else Status.FINAL).value,
            sum(before.whole[place].values()),
            sum(after.whole[place].values()),
        )
        for place, ((month, each), *states) in enumerate(
            zip(known.items(), before.statuses, after.statuses, strict=True)
        )
    )
    names = {name for world in (before, after) for month in world.whole for name in month}
    members = [
        MemberEffect(
            name,
            tuple(month.get(name, 0) for month in before.whole),
            tuple(month.get(name, 0) for month in after.whole),
        )
        for name in names
    ]
    return Replay(candidate.body, months, tuple(missing), ordered_effects(members), effect)


def _sum(world: _World, name: str) -> int:
    return sum(month.get(name, 0) for month in world.settled)


def _part(tell: Callable[[float], None], low: float, high: float) -> Callable[[float], None]:
    return lambda done: tell(low + done * (high - low))
