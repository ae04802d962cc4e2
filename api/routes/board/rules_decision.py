"""A decision of the members, written down so that a rule can rest on it."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Need
from api.cooperative.law import DecisionKind, Result, record_decision
from api.pages.rules.forms import Typed, decision_of
from api.pages.sheets import go
from api.people.visitor import Visitor
from api.routes.board.rules_room import BooksRoom
from api.routes.forms import Form
from kwartier.errors import InputError


def add_decision(app: FastAPI, room: BooksRoom) -> None:
    """Add the form in which a decision is written down."""
    board = Depends(room.require(Need.BOARD))

    def form(
        request: Request,
        visitor: Visitor,
        fields: Mapping[str, str],
        refused: InputError | None = None,
    ) -> Response:
        values = {
            "typed": Typed(fields),
            "kinds": [each.value for each in DecisionKind],
            "results": [each.value for each in Result],
        }
        return room.show(
            request, visitor, "rules_decision.html", values, "title.rules_decision", refused
        )

    @app.get("/bestuur/regels/besluit", include_in_schema=False)
    def blank(request: Request, visitor: Annotated[Visitor, board]) -> Response:
        return form(request, visitor, {})

    @app.post("/bestuur/regels/besluit", include_in_schema=False)
    def keep(request: Request, visitor: Annotated[Visitor, board], sent: Form) -> Response:
        try:
            decided = decision_of(Typed(sent))
            with room.office.writing_as(visitor) as desk:
                record_decision(desk, decided)
        except InputError as error:
            return form(request, visitor, sent, error)
        return go("/bestuur/regels", done="rules_decided")
