"""What is kept about me: where, how long, for what I gave a yes, my own copy, and forgetting me."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from api.attempts import Attempts
from api.auth import Doorkeeper, Need, Require
from api.cooperative import registry
from api.house import House
from api.own_copy import own_copy
from api.pages.sheets import Sheets, go
from api.people.consents import Choice, Purpose, choices, choose
from api.people.errors import PeopleError
from api.people.privacy import erase_account
from api.people.steering import Refusal, refusals
from api.people.visitor import Visitor
from api.planned.own import own_batteries
from api.problems import RefusedError
from api.readers import onlooker
from api.routes.forms import Form
from api.schemas import moment_time, time_or_none
from kwartier.interval import day_of

KINDS = (
    "account",
    "detail",
    "quarters",
    "expected",
    "papers",
    "looks",
    "along",
    "messages",
    "questions",
    "acts",
)
"""What is kept about somebody, in the order in which the page tells it."""
MOST_COPIES, COPIES_WINDOW_S = 5, 3_600.0
"""How often somebody may take their own copy in that time [s]."""


@dataclass(frozen=True, slots=True)
class BooksConsent:
    """A consent as the books have it, with how we know.

    Attributes:
        home: For which home.
        purpose: For what.
        start_s: From when [s].
        end_s: Until when [s]; None while it holds.
        evidence: How we know.
    """

    home: str
    purpose: str
    start_s: int
    end_s: int | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Staying:
    """What the books would keep of somebody after an erasure, of one kind.

    Attributes:
        kind: ``paper`` or ``mandate``.
        count: How many.
        until: The last day of the last of them.
    """

    kind: str
    count: int
    until: date


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """A consent that held or holds, and how we know."""

    home: str
    purpose: str
    start: datetime
    end: datetime | None
    evidence: str


@dataclass(frozen=True, slots=True)
class StayingAnswer:
    """What the books would keep after an erasure."""

    kind: str
    count: int
    until: date


@dataclass(frozen=True, slots=True)
class PrivacyAnswer:
    """Own choices, consents in the books, and what stands before an erasure or stays after it."""

    choices: tuple[ConsentAnswer, ...]
    no_to_steering: tuple[ConsentAnswer, ...]
    consents: tuple[ConsentAnswer, ...]
    hindrances: tuple[str, ...]
    stays: tuple[StayingAnswer, ...]


def add_privacy(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/hulp/privacy``: to look, to choose, to take along and to be forgotten."""
    account = Depends(Require(door, Need.ACCOUNT))
    owner = Depends(Require(door, Need.OWNER))
    copies = Attempts(house.clock, MOST_COPIES, COPIES_WINDOW_S)

    @app.get("/hulp/privacy", include_in_schema=False)
    def page(request: Request, visitor: Annotated[Visitor, account]) -> Response:
        with house.people.reading() as desk:
            chosen = choices(desk, visitor.account)
        now_s = house.clock.now_s()
        values = {
            "kinds": KINDS,
            "purposes": list(Purpose),
            "battery": bool(own_batteries(house, onlooker(visitor, now_s), now_s)),
            "chosen": {each.purpose for each in chosen if each.until_s is None},
            "before": [each for each in chosen if each.until_s is not None],
            "consents": books_consents(house, visitor),
            "has_books": house.office is not None and visitor.party != "",
        }
        return sheets.show(
            request, visitor, "privacy.html", values, title="title.privacy", tab="help"
        )

    @app.get("/api/v1/privacy", tags=["privacy"], summary="My choices, and what is kept of me")
    def told(visitor: Annotated[Visitor, account]) -> PrivacyAnswer:
        with house.people.reading() as desk:
            chosen = choices(desk, visitor.account)
            said = refusals(desk, visitor.account, visitor.stays)
        return PrivacyAnswer(
            tuple(map(_choice_answer, chosen)),
            tuple(map(_refusal_answer, said)),
            tuple(map(_consent_answer, books_consents(house, visitor))),
            tuple(books_hindrances(house, visitor.party)),
            tuple(
                StayingAnswer(each.kind, each.count, each.until)
                for each in books_keep(house, visitor.party)
            ),
        )

    @app.post("/hulp/privacy/keuze", include_in_schema=False)
    def decide(visitor: Annotated[Visitor, owner], sent: Form) -> Response:
        assert visitor.home is not None
        with house.people.writing() as desk:
            choose(
                desk,
                visitor.account,
                visitor.account,
                visitor.home,
                sent.get("purpose", ""),
                sent.get("yes") == "yes",
            )
        return go("/hulp/privacy", done="privacy.choice")

    @app.post("/hulp/privacy/kopie", include_in_schema=False)
    def copy(visitor: Annotated[Visitor, account]) -> Response:
        wait_s = copies.wait_s(visitor.account)
        if wait_s:
            raise RefusedError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{MOST_COPIES} copies an hour: try again later",
                {"Retry-After": str(int(wait_s) + 1)},
            )
        name = f"kwartier-{day_of(house.clock.now_s())}.zip"
        return StreamingResponse(
            own_copy(house, visitor),
            media_type="application/zip",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
            },
        )

    @app.get("/hulp/privacy/weg", include_in_schema=False)
    def before(request: Request, visitor: Annotated[Visitor, account]) -> Response:
        return _asking(house, sheets, request, visitor)

    @app.post("/hulp/privacy/weg", include_in_schema=False)
    def forget(request: Request, visitor: Annotated[Visitor, account], sent: Form) -> Response:
        if sent.get("sure") != "yes":
            return _asking(house, sheets, request, visitor, problem="privacy.weg.tick")
        try:
            with house.people.writing() as desk:
                erase_account(desk, visitor.account, visitor.stays)
        except PeopleError:
            return _asking(house, sheets, request, visitor, problem="privacy.weg.officer")
        house.people.clear_log()
        answer = go("/hulp", done="erased")
        door.let_out(request, answer)
        return answer


def books_consents(house: House, visitor: Visitor) -> list[BooksConsent]:
    """Return the consents of somebody as the books have them."""
    if house.office is None or not visitor.party:
        return []
    with house.office.reading() as desk:
        known = registry.consents(desk, party=visitor.party)
    return [
        BooksConsent(each.connection, each.purpose, each.start_s, each.end_s, each.evidence)
        for each in known
    ]


def books_hindrances(house: House, party: str) -> Sequence[registry.Hindrance]:
    """Return what has to end before the books forget somebody."""
    if house.office is None or not party:
        return []
    with house.office.reading() as desk:
        return registry.hindrances(desk, party)


def books_keep(house: House, party: str) -> list[Staying]:
    """Return what the books would keep of somebody, by kind."""
    if house.office is None or not party:
        return []
    with house.office.reading() as desk:
        kept = registry.would_keep(desk, party)
    return summed(kept)


def summed(kept: Sequence[registry.Kept]) -> list[Staying]:
    """Return what is kept, each kind once with the day of its last."""
    found = []
    for kind in registry.KeptKind:
        days = [each.until for each in kept if each.kind is kind]
        if days:
            found.append(Staying(kind, len(days), max(days)))
    return found


def _asking(
    house: House, sheets: Sheets, request: Request, visitor: Visitor, problem: str = ""
) -> Response:
    values = {
        "problem": problem,
        "officer": visitor.officer != "",
        "hindrances": books_hindrances(house, visitor.party),
        "stays": books_keep(house, visitor.party),
        "has_books": house.office is not None and visitor.party != "",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return sheets.show(
        request,
        visitor,
        "privacy_weg.html",
        values,
        title="title.privacy.weg",
        tab="help",
        status=status,
    )


def _choice_answer(choice: Choice) -> ConsentAnswer:
    start, end = moment_time(choice.from_s), time_or_none(choice.until_s)
    return ConsentAnswer(choice.home, choice.purpose, start, end, "")


def _refusal_answer(said: Refusal) -> ConsentAnswer:
    start, end = moment_time(said.from_s), time_or_none(said.until_s)
    return ConsentAnswer(said.home, "steering", start, end, "")


def _consent_answer(consent: BooksConsent) -> ConsentAnswer:
    start, end = moment_time(consent.start_s), time_or_none(consent.end_s)
    return ConsentAnswer(consent.home, consent.purpose, start, end, consent.evidence)
