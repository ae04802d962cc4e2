"""The members of a run as a table: filtered, sorted and paged by the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from api.cooperative.database import Desk
from api.cooperative.runs import FoundInRun, Run
from api.cooperative.runs.states import booked
from api.pages.runs.shelf import MemberSum, Reckoned, Shelf
from kwartier.units import Wh

PAGE = 60
"""How many members a page tells."""


class Order(StrEnum):
    """By what members are sorted; the value stands in the address."""

    RISK = "let-op"
    """What is at stake: the largest amount in danger first."""
    HOME = "huis"
    USE = "gebruik"
    SHARED = "gedeeld"
    AMOUNT = "bedrag"
    CHANGE = "verschil"
    MISSING = "gat"


class Which(StrEnum):
    """Which members are told."""

    ALL = "alles"
    STOPPED = "blokkade"
    REMARKED = "let-op"


@dataclass(frozen=True, slots=True)
class MemberLine:
    """A member's row.

    Attributes:
        member: Who.
        homes: Their connections in the month.
        use_wh: What their meters counted from the grid [Wh].
        shared_wh: Of that, from neighbours and battery [Wh].
        to_pay_cents: What they pay; below zero they receive it.
        previous_cents: The same of the month before, as booked; null without one.
        missing: Quarters that nobody read.
        estimated: Quarters that were estimated.
        blockers: Codes of what stops the run because of them.
        remarks: Codes of what was found besides.
        at_stake_cents: How much money all of that may move, estimated.
    """

    member: str
    homes: tuple[str, ...]
    use_wh: Wh
    shared_wh: Wh
    to_pay_cents: int
    previous_cents: int | None
    missing: int
    estimated: int
    blockers: tuple[str, ...]
    remarks: tuple[str, ...]
    at_stake_cents: int

    @property
    def change_cents(self) -> int | None:
        """What they pay more than the month before; None without one."""
        return None if self.previous_cents is None else self.to_pay_cents - self.previous_cents


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody wants to see of the members.

    Attributes:
        order: By what they are sorted.
        falling: Whether the largest stands first.
        which: Which of them.
        text: A part of a home's or member's id; empty for all.
        page: Which page, from 1.
    """

    order: Order = Order.RISK
    falling: bool = True
    which: Which = Which.ALL
    text: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class MemberPage:
    """A page of members.

    Attributes:
        lines: Their rows.
        found: How many there are on all pages.
        pages: How many pages there are.
        page: Which this is, from 1.
    """

    lines: tuple[MemberLine, ...]
    found: int
    pages: int
    page: int


_KEYS: Mapping[Order, Callable[[MemberLine], int]] = {
    Order.RISK: lambda one: one.at_stake_cents + (10**12 if one.blockers else 0),
    Order.USE: lambda one: one.use_wh,
    Order.SHARED: lambda one: one.shared_wh,
    Order.AMOUNT: lambda one: one.to_pay_cents,
    Order.CHANGE: lambda one: abs(one.change_cents or 0),
    Order.MISSING: lambda one: one.missing,
}


def member_page(lines: Sequence[MemberLine], chosen: Chosen, size: int = PAGE) -> MemberPage:
    """Return the page that somebody chose."""
    wanted = [one for one in lines if _fits(one, chosen)]
    wanted.sort(key=lambda one: (_natural(one.homes[0] if one.homes else ""), one.member))
    if chosen.order is Order.HOME:
        wanted = wanted[::-1] if chosen.falling else wanted
    else:
        wanted.sort(key=_KEYS[chosen.order], reverse=chosen.falling)
    pages = max(1, -(-len(wanted) // size))
    page = min(max(1, chosen.page), pages)
    return MemberPage(tuple(wanted[(page - 1) * size : page * size]), len(wanted), pages, page)


def member_lines(
    desk: Desk, shelf: Shelf, run: Run, reckoned: Reckoned, found: Sequence[FoundInRun]
) -> list[MemberLine]:
    """Return every member's row."""
    before = previous_cents(desk, shelf, run)
    by_name: dict[str, list[FoundInRun]] = {}
    for each in found:
        for name in {each.finding.member, each.finding.connection} - {""}:
            by_name.setdefault(name, []).append(each)
    return [_line(one, by_name, before) for one in reckoned.members]


def previous_cents(desk: Desk, shelf: Shelf, run: Run) -> Mapping[str, int]:
    """Return what each member paid in the month before, as far as it is in the books."""
    past = booked(desk, str(run.name.month.before()))
    if past is None:
        return {}
    reckoned = shelf.reckoned(desk, past)
    return {} if reckoned is None else {one.member: one.to_pay_cents for one in reckoned.members}


def _line(
    one: MemberSum, by_name: Mapping[str, list[FoundInRun]], before: Mapping[str, int]
) -> MemberLine:
    mine = {
        each.finding.key: each
        for name in (one.member, *one.homes)
        for each in by_name.get(name, ())
        if each.finding.member in ("", one.member)
    }
    stopping = [each for each in mine.values() if each.stops]
    others = [each for each in mine.values() if not each.stops]
    return MemberLine(
        one.member,
        one.homes,
        one.use_wh,
        one.shared_wh,
        one.to_pay_cents,
        before.get(one.member),
        one.missing,
        one.estimated,
        tuple(sorted({each.finding.code.value for each in stopping})),
        tuple(sorted({each.finding.code.value for each in others})),
        sum(each.finding.effect_cents for each in mine.values() if not each.waived),
    )


def _fits(one: MemberLine, chosen: Chosen) -> bool:
    wanted = chosen.text.strip().lower()
    named = not wanted or any(wanted in name for name in (one.member, *one.homes))
    if chosen.which is Which.STOPPED:
        return named and bool(one.blockers)
    if chosen.which is Which.REMARKED:
        return named and bool(one.blockers or one.remarks)
    return named


def _natural(name: str) -> tuple[str, int]:
    """Return what sorts ``home-2`` before ``home-10``."""
    word = name.rstrip("0123456789")
    return word, int(name[len(word) :] or 0)
