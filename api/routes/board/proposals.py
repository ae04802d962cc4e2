"""What waits for a second person: the list, each with its full content, and the decision."""

from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query, Request, Response

from api.auth import Need
from api.cooperative.errors import BooksError
from api.cooperative.four_eyes import Matter, open_proposals, proposal
from api.cooperative.whatif import replay_hash, told_of
from api.pages.rules.deciding import approve_seen, reject_seen
from api.pages.rules.proposals import (
    ProposalAnswer,
    answer_of,
    facts_of,
    outcome_of,
    waiting,
    waiting_list,
)
from api.pages.rules.replay import change, drawn_bars, missing_names, month_lines, page_of
from api.pages.rules.street import street_lines, street_notes
from api.pages.sheets import go, language_of
from api.people.acts import record
from api.people.visitor import Visitor
from api.routes.board.rules_own import replay_kept
from api.routes.board.rules_room import BooksRoom, away
from api.routes.forms import Form
from api.schemas import moment_time
from kwartier.errors import InputError

Number = Annotated[int, Path(ge=1, le=2**31)]
_NAMING = frozenset({Matter.IBAN, Matter.OFFICER})
"""Matters whose content is about a person: looking at one is written down."""


def add_proposals(app: FastAPI, room: BooksRoom) -> None:
    """Add the proposals and the decision on each."""
    _add_list(app, room)
    _add_one(app, room)
    _add_decision(app, room)


def _add_list(app: FastAPI, room: BooksRoom) -> None:
    board = Depends(room.require(Need.BOARD))

    @app.get("/bestuur/voorstellen", include_in_schema=False)
    def proposals(request: Request, visitor: Annotated[Visitor, board]) -> Response:
        lang = language_of(request, visitor)
        with room.office.reading() as desk:
            values = {"waits": waiting_list(desk, visitor, lang)}
        return room.show(request, visitor, "proposals.html", values, "title.proposals")

    @app.get("/api/v1/board/proposals", tags=["board"], summary="What waits for a second person")
    def proposals_told(
        _: Annotated[Visitor, board], limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> list[ProposalAnswer]:
        with room.office.reading() as desk:
            found = open_proposals(desk)[:limit]
        return [answer_of(each, moment_time(each.at_s).isoformat()) for each in found]


def _add_one(app: FastAPI, room: BooksRoom) -> None:
    board = Depends(room.require(Need.BOARD))

    @app.get("/bestuur/voorstellen/{number}", include_in_schema=False)
    def one(
        request: Request,
        visitor: Annotated[Visitor, board],
        number: Number,
        page: Annotated[int, Query(alias="blad", ge=1, le=1000)] = 1,
    ) -> Response:
        return proposal_page(room, request, visitor, number, page)

    @app.get("/api/v1/board/proposals/{number}", tags=["board"], summary="One proposal")
    def one_told(_: Annotated[Visitor, board], number: Number) -> ProposalAnswer:
        with room.office.reading() as desk:
            try:
                found = proposal(desk, number)
            except BooksError as error:
                raise away(str(error)) from error
        return answer_of(found, moment_time(found.at_s).isoformat())


def _add_decision(app: FastAPI, room: BooksRoom) -> None:
    money = Depends(room.require(Need.MONEY))

    @app.post("/bestuur/voorstellen/{number}/goedkeuren", include_in_schema=False)
    def approve(
        request: Request, visitor: Annotated[Visitor, money], number: Number, sent: Form
    ) -> Response:
        try:
            with room.office.writing_as(visitor) as desk:
                drawn = approve_seen(desk, number, sent.get("hash", ""))
        except InputError as error:
            return proposal_page(room, request, visitor, number, 1, error)
        if drawn is None:
            return go("/bestuur/voorstellen", done="proposal_approved")
        # A secret is shown once, on the answer to the very act; it stands in no address.
        values = {"officer": drawn.officer, "secret": drawn.secret}
        return room.show(request, visitor, "proposal_secret.html", values, "title.proposal_secret")

    @app.post("/bestuur/voorstellen/{number}/afwijzen", include_in_schema=False)
    def reject(
        request: Request, visitor: Annotated[Visitor, money], number: Number, sent: Form
    ) -> Response:
        try:
            with room.office.writing_as(visitor) as desk:
                reject_seen(desk, number, sent.get("reason", ""))
        except InputError as error:
            return proposal_page(room, request, visitor, number, 1, error)
        return go("/bestuur/voorstellen", done="proposal_rejected")


def proposal_page(
    room: BooksRoom,
    request: Request,
    visitor: Visitor,
    number: int,
    page: int,
    refused: InputError | None = None,
) -> Response:
    """Return a proposal with its full content, and the replay it was made with."""
    lang = language_of(request, visitor)
    with room.office.reading() as desk:
        try:
            found = proposal(desk, number)
        except BooksError as error:
            raise away(str(error)) from error
        state = outcome_of(desk, found)
        values: dict[str, object] = {
            "waiting": waiting(found, visitor, lang),
            "state": state,
            "facts": facts_of(desk, found, lang),
            "replay": None,
            "path": f"/bestuur/voorstellen/{number}",
        }
    if found.matter in _NAMING and refused is None:
        with room.house.people.writing() as people:
            record(people, visitor.account, "proposal.read", str(number))
    replay = replay_kept(room.house, found)
    if replay is not None:
        effects, pages = page_of(replay.members, page)
        values |= {
            "replay": replay,
            "change": change,
            "spread": replay.distribution,
            "bars": drawn_bars(replay, lang),
            "months": month_lines(replay, lang),
            "missing": missing_names(replay, lang),
            "effects": effects,
            "page": min(page, pages),
            "pages": pages,
            "hash": replay_hash(told_of(replay)),
            "street": street_lines(replay, lang),
            "notes": street_notes(replay, lang),
        }
    return room.show(request, visitor, "proposal.html", values, "title.proposal", refused)
