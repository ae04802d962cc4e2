"""The last twelve months of the books, settled with a candidate and without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.four_eyes import Matter
from api.cooperative.law import key_versions, tariff_versions
from api.cooperative.runs.month import Month
from api.cooperative.whatif.candidate import (
    Against,
    Candidate,
    Change,
    key_terms,
    tariff_terms,
)
from api.cooperative.whatif.effects import (
    MemberEffect,
    MissingMonth,
    Replay,
    ReplayedMonth,
    ordered_effects,
)
from api.cooperative.whatif.months import known_month, last_months
from api.cooperative.whatif.street import StreetTerms
from api.cooperative.whatif.worlds import Bills, World
from kwartier.interval import QUARTER_S
from optimizer.settlement import Status

_READ, _OLD = 0.2, 0.6
"""How much of a month is done after each part of the work."""


def replay(
    desk: Desk,
    candidate: Candidate,
    show: Callable[[float], None] | None = None,
    months: Sequence[Month] | None = None,
) -> Replay:
    """Return what every member would have paid in the last twelve months, exact to the cent.

    A booked month is settled from what was frozen, another one from the readings in the books.

    Args:
        desk: The open books; nothing is written.
        candidate: What is tried.
        show: Told how much is done, from 0 to 1.
        months: Other months than the last twelve, in order of time.

    Raises:
        BooksError: Not one of the months is known, or the candidate names what is not.
        ContractError: The candidate does not fit the months; the message says why.
        TamperedError: What was frozen was changed since: nobody decides on that.
    """
    terms = candidate.terms
    assert not isinstance(terms, StreetTerms)
    candidate.check(desk)
    wanted = last_months(desk.at_s) if months is None else months
    before, after = World(desk, _before(desk, candidate)), World(desk, terms)
    done: list[tuple[ReplayedMonth, Bills, Bills]] = []
    missing: list[MissingMonth] = []
    for place, month in enumerate(wanted):

        def tell(part: float, place: int = place) -> None:
            if show is not None:
                show((place + part) / len(wanted))

        tell(0)
        try:
            known = known_month(desk, month)
        except TamperedError:
            raise
        except BooksError as error:
            missing.append(MissingMonth(str(month), str(error).removeprefix(f"{month}: ")))
            continue
        tell(_READ)
        old = before.bills(known)
        tell(_OLD)
        new = after.bills(known)
        unsure = Status.PROVISIONAL in (old.status, new.status)
        status = Status.PROVISIONAL if unsure else Status.FINAL
        sums = sum(old.cents.values()), sum(new.cents.values())
        done.append((ReplayedMonth(str(month), known.source, status.value, *sums), old, new))
    if not done:
        raise BooksError(
            f"none of the months {wanted[0]} to {wanted[-1]} can be reckoned: {missing[-1].why}"
        )
    if show is not None:
        show(1)
    return Replay(
        candidate.body, tuple(each for each, _, _ in done), tuple(missing), _effects(done)
    )


def _effects(done: Sequence[tuple[ReplayedMonth, Bills, Bills]]) -> tuple[MemberEffect, ...]:
    names = {name for _, old, new in done for name in (*old.cents, *new.cents)}
    return ordered_effects(
        [
            MemberEffect(
                name,
                tuple(old.cents.get(name, 0) for _, old, _ in done),
                tuple(new.cents.get(name, 0) for _, _, new in done),
            )
            for name in names
        ]
    )


def _before(desk: Desk, candidate: Candidate) -> Change | None:
    """Return what holds now, where the candidate is compared with that."""
    if candidate.against is Against.THEN:
        return None
    now_s = desk.at_s - desk.at_s % QUARTER_S
    if candidate.matter is Matter.TARIFF:
        return tariff_terms(tariff_versions(desk, now_s, now_s + QUARTER_S)[0].body)
    return key_terms(key_versions(desk, now_s, now_s + QUARTER_S)[0].body)
