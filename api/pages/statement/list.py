"""The months of a member: the newest total in one sentence, and every statement there is."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.runs.states import Run
from api.cooperative.statement import Statement
from api.house import House
from api.office import Office
from api.pages.language import Language
from api.pages.rules.proposals import rule_proposals
from api.pages.statement.front import difference, no_statement, verdict
from api.papers.shelf import Told
from api.people.visitor import Visitor


def list_values(house: House, visitor: Visitor, lang: Language) -> dict[str, object]:
    """Return everything that ``statement_list.html`` asks for; also where no books are kept."""
    told: list[Told] = []
    newest: Statement | None = None
    waiting: list[int] = []
    if house.office is not None:
        with house.office.reading() as desk:
            told = told_to(house, desk, visitor)
            waiting = [each.id for each in rule_proposals(desk)] if told else []
            head = headline(told)
            if head is not None:
                run = own_run(house, desk, visitor, str(head.name.month), head.name.version)
                newest = house.shelf.statement(desk, house.office.settings, run, visitor.party)
    return {
        "told": told,
        "head": headline(told),
        "newest": newest,
        "waiting": waiting,
        "verdict": None if newest is None else verdict(newest.state, newest.to_pay_cents, lang),
        "difference": "" if newest is None else difference(newest, lang),
        "way": lambda cents: "none" if cents == 0 else "get" if cents < 0 else "pay",
    }


def told_to(house: House, desk: Desk, visitor: Visitor) -> list[Told]:
    """Return the statements that a visitor may see, the newest first."""
    return house.shelf.list(desk, visitor.party) if sees_statements(house, visitor) else []


def headline(told: list[Told]) -> Told | None:
    """Return the statement to begin with: of the newest month what stands, else the newest."""
    of_month = [each for each in told if each.name.month == told[0].name.month]
    booked = [each for each in of_month if each.state != "provisional"]
    return next(iter(booked or of_month), None)


def own_run(house: House, desk: Desk, visitor: Visitor, month: str, version: int) -> Run:
    """Return a run in which a visitor has a statement to look at.

    Raises:
        RefusedError: There is none, or it is not theirs.
    """
    run = None
    if sees_statements(house, visitor):
        run = house.shelf.run(desk, month, version, visitor.party)
    if run is None:
        raise no_statement(month, version)
    return run


def own_statement(
    house: House, desk: Desk, office: Office, visitor: Visitor, month: str, version: int
) -> tuple[Run, Statement]:
    """Return a run and the visitor's own statement in it; refused like :func:`own_run`."""
    run = own_run(house, desk, visitor, month, version)
    return run, house.shelf.statement(desk, office.settings, run, visitor.party)


def sees_statements(house: House, visitor: Visitor) -> bool:
    """Return whether somebody may see the statements of their party.

    A statement is about all homes of a member; whoever looks along with one of them sees none.
    """
    if not visitor.party or house.office is None:
        return False
    if visitor.companion is None:
        return True
    return all(visitor.ever_in(stay.home) for stay in house.office.stays(visitor.party))
