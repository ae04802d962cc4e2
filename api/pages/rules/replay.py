"""A replay on a page: the drawing, the table of members, and what one resident may see of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from api.cooperative.whatif import Bar, Group, Replay, bars_of, groups_of
from api.cooperative.whatif.effects import NO_READINGS, MemberEffect
from api.pages.language import Language

PAGE = 50
"""How many members stand on a page."""
GAP = 12.0
"""How much of a bar's place is left open beside it [% of its width]."""


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """A bar of the drawing; sizes are in % of it.

    Attributes:
        left: Where it begins.
        width: How wide it is.
        height: How high it is.
        side: ``less``, ``same`` or ``more``.
        members: How many stand in it.
        label: What it stands for, in words.
        short: Its mark on the axis; empty for most.
    """

    left: float
    width: float
    height: float
    side: str
    members: int
    label: str
    short: str


@dataclass(frozen=True, slots=True)
class MonthLine:
    """A month in words: its name, the bill then, and the bill it would have been [cents]."""

    month: str
    source: str
    status: str
    old: int
    new: int

    @property
    def difference(self) -> int:
        """How much more it would have been [cents]."""
        return self.new - self.old


def drawn_bars(found: Replay, lang: Language) -> list[DrawnBar]:
    """Return the drawing of how effects are spread."""
    bars = bars_of([each.difference for each in found.members])
    most = max((bar.members for bar in bars), default=1)
    place = 100 / max(1, len(bars))
    gap = place * GAP / 100
    return [
        DrawnBar(
            round(place * at + gap / 2, 3),
            round(place - gap, 3),
            round(100 * bar.members / most, 3),
            _side(bar),
            bar.members,
            bar_label(bar.low, bar.high, lang),
            _short(bar, at, len(bars), lang),
        )
        for at, bar in enumerate(bars)
    ]


def bar_label(low: int | None, high: int | None, lang: Language) -> str:
    """Return what a range of effects means: paying less, the same, or more [cents]."""
    if low is None and high is None:
        return lang.say("whatif.range.all")
    if low is None:
        assert high is not None
        return _open(high, lang, below=True)
    if high is None:
        return _open(low, lang, below=False)
    if low == high == 0:
        return lang.say("whatif.range.same")
    if low >= 0:
        return lang.say("whatif.range.more", low=lang.cents(low), high=lang.cents(high))
    if high <= 0:
        return lang.say("whatif.range.less", low=lang.cents(-high), high=lang.cents(-low))
    return lang.say("whatif.range.around", less=lang.cents(-low), more=lang.cents(high))


def change(cents: int, lang: Language) -> str:
    """Return a difference in words: so much more, or so much less [cents]."""
    if cents == 0:
        return lang.say("whatif.change.same")
    word = "more" if cents > 0 else "less"
    return lang.say(f"whatif.change.{word}", amount=lang.cents(abs(cents)))


def group_lines(found: Replay, lang: Language) -> list[tuple[str, Group]]:
    """Return the classes that residents see, in words."""
    groups = groups_of([each.difference for each in found.members])
    return [(bar_label(each.low, each.high, lang), each) for each in groups]


def month_lines(found: Replay, lang: Language) -> list[MonthLine]:
    """Return every month for all members together."""
    return [
        MonthLine(
            month_name(each.month, lang), each.source, each.status, each.old_cents, each.new_cents
        )
        for each in found.months
    ]


def own_lines(found: Replay, effect: MemberEffect, lang: Language) -> list[MonthLine]:
    """Return every month for one member."""
    return [
        MonthLine(month_name(each.month, lang), each.source, each.status, old, new)
        for each, old, new in zip(found.months, effect.old, effect.new, strict=True)
    ]


def month_name(month: str, lang: Language) -> str:
    """Return a month such as ``2026-07`` in words."""
    return lang.month_name(date.fromisoformat(f"{month}-01"))


def missing_names(found: Replay, lang: Language) -> list[tuple[str, str, str]]:
    """Return the months that could not be reckoned, in words, why, and the tongue of the why.

    Months before the first reading are told in the reader's words, all else as the books say it.
    """
    return [(month_name(each.month, lang), *_why(each.why, lang)) for each in found.missing]


def _why(why: str, lang: Language) -> tuple[str, str]:
    if why == NO_READINGS:
        return lang.say("whatif.no_readings"), lang.tag
    return why, "en"


def page_of(effects: Sequence[MemberEffect], page: int) -> tuple[list[MemberEffect], int]:
    """Return one page of members, from 1, and how many pages there are."""
    pages = max(1, ceil(len(effects) / PAGE))
    first = (min(page, pages) - 1) * PAGE
    return list(effects[first : first + PAGE]), pages


def _open(edge: int, lang: Language, *, below: bool) -> str:
    """Return a class without an end: all below an edge, or all above it [cents]."""
    side = "below" if below else "above"
    if edge == 0:
        return lang.say(f"whatif.range.{side}.nothing")
    word = "less" if edge < 0 else "more"
    return lang.say(f"whatif.range.{side}.{word}", edge=lang.cents(abs(edge)))


def _side(bar: Bar) -> str:
    if bar.high <= 0:
        return "same" if bar.low == 0 else "less"
    return "more"


def _short(bar: Bar, at: int, bars: int, lang: Language) -> str:
    """Return the mark under the first and the last bar, and where effects turn."""
    if bar.low == 0 and bar.high == 0:
        return lang.cents(0)
    if at == 0:
        return lang.cents(bar.low)
    return lang.cents(bar.high) if at == bars - 1 else ""
