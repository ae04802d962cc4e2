"""What the pages of the board's settlements show: the list, and one run."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from api.cooperative.database import Desk
from api.cooperative.registry import parties_of
from api.cooperative.runs import Run, State, findings
from api.cooperative.runs.month import Month
from api.cooperative.runs.states import latest
from api.cooperative.runs.waiving import LEAST_REASON, MOST_REASON
from api.pages.language import Language
from api.pages.runs.findings import (
    FIXES,
    Fix,
    first_day,
    found_by_key,
    in_order,
    stretches,
    told_of,
)
from api.pages.runs.members import Chosen, MemberPage, Order, Which, member_lines, member_page
from api.pages.runs.next import other_ways, path_of
from api.pages.runs.open import OpenMonths
from api.pages.runs.seen import listed, me_of, names_of_officers, proposer_of, seen_of
from api.pages.runs.shelf import Shelf
from api.people.visitor import Visitor
from kwartier.interval import day_of

MOST_MONTHS = 12
"""How many months the list tells at once."""
_RESTING = frozenset({State.CLOSED, State.WITHDRAWN})


def board_values(
    desk: Desk, shelf: Shelf, months: OpenMonths, visitor: Visitor, lang: Language, before: str
) -> dict[str, object]:
    """Return what the list of settlements shows."""
    lines = listed(desk, shelf, visitor, MOST_MONTHS, before)
    shown = sorted({line.month for line in lines})
    older = bool(shown) and any(listed(desk, shelf, visitor, 1, shown[0]))
    to_do = [] if before else months.months(desk)
    told = {*shown, *(one.month for one in to_do)}
    return {
        "month_names": {name: lang.month_name(Month.parse(name).first) for name in told},
        "lines": lines,
        "busy_lines": [
            line for line in lines if line.state not in _RESTING and line.next.key != "older"
        ],
        "open_months": to_do,
        "officers": names_of_officers(desk),
        "may_act": me_of(desk, visitor) is not None,
        "older": shown[0] if older else "",
        "before": before,
    }


def run_values(
    desk: Desk, shelf: Shelf, run: Run, visitor: Visitor, lang: Language, chosen: Chosen
) -> dict[str, object]:
    """Return what the page of a run shows."""
    seen = seen_of(desk, shelf, run, visitor)
    found = [told_of(each, lang) for each in in_order(seen.found)]
    page = None
    if seen.reckoned is not None:
        lines = member_lines(desk, shelf, run, seen.reckoned, seen.found)
        page = member_page(lines, chosen)
    newest = latest(desk, str(run.name.month))
    newer = newest if newest is not None and newest.id != run.id else None
    me = me_of(desk, visitor)
    return {
        "run": run,
        "line": seen.line,
        "reckoned": seen.reckoned,
        "adds_up": seen.adds_up,
        "stopping": [each for each in found if each.stops],
        "open": [each for each in found if not each.stops and not each.waived],
        "waived": [each for each in found if each.waived],
        "members": page,
        "names": {} if page is None else _names(desk, page),
        "chosen": chosen,
        "sort": sort_links(run, chosen),
        "pages": page_links(run, chosen, 1 if page is None else page.pages),
        "orders": list(Order),
        "whiches": list(Which),
        "officers": names_of_officers(desk),
        "ways": [] if newer else other_ways(run, me, proposer_of(desk, run)),
        "newer": newer,
    }


def finding_values(
    desk: Desk, run: Run, key: str, visitor: Visitor, lang: Language
) -> dict[str, object] | None:
    """Return what the page of a finding shows; None when the run has no such finding."""
    found = findings(desk, run.id) if any(step.computation for step in run.steps) else []
    one = found_by_key(found, key)
    if one is None:
        return None
    finding = one.finding
    return {
        "run": run,
        "found": told_of(one, lang),
        "stretches": stretches(desk, run, finding),
        "day": first_day(run, finding),
        "last_day": None if finding.last is None else day_of(finding.last.start_s),
        "may_waive": run.state is State.COMPUTED and me_of(desk, visitor) is not None,
        "officers": names_of_officers(desk),
        "fixes": FIXES.get(one.finding.code, Fix()),
        "least": LEAST_REASON,
        "most": MOST_REASON,
    }


def sort_links(run: Run, chosen: Chosen) -> Mapping[Order, str]:
    """Return where each column's head leads: sorted by it, the other way when it is already."""
    links = {}
    for order in Order:
        falling = not chosen.falling if order is chosen.order else order is not Order.HOME
        links[order] = _link(run, Chosen(order, falling, chosen.which, chosen.text, 1))
    return links


def page_links(run: Run, chosen: Chosen, pages: int) -> Mapping[str, str]:
    """Return the ways to the pages before and after."""
    links = {}
    for name, page in (("previous", chosen.page - 1), ("next", chosen.page + 1)):
        if 1 <= page <= pages:
            links[name] = _link(
                run, Chosen(chosen.order, chosen.falling, chosen.which, chosen.text, page)
            )
    return links


def _link(run: Run, chosen: Chosen) -> str:
    asked = {"volgorde": chosen.order.value}
    if not chosen.falling:
        asked["oplopend"] = "1"
    if chosen.which is not Which.ALL:
        asked["toon"] = chosen.which.value
    if chosen.text:
        asked["zoek"] = chosen.text
    if chosen.page > 1:
        asked["blad"] = str(chosen.page)
    return f"{path_of(run.id)}?{urlencode(asked)}#leden"


def _names(desk: Desk, page: MemberPage) -> Mapping[str, str]:
    """Return the names of the members on a page."""
    known = parties_of(desk, {one.member for one in page.lines})
    return {name: party.name for name, party in known.items()}
