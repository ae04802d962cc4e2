"""A battery or a roof for the street, tried before the members vote: the form, and its end."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Need
from api.cooperative.registry import connections
from api.cooperative.whatif import Tryouts
from api.cooperative.whatif.roofs import USUAL_KWH_PER_KWP
from api.pages.rules.forms import Typed
from api.pages.rules.street import street_draft, street_form
from api.pages.sheets import go
from api.people.visitor import Visitor
from api.routes.board.rules_room import BooksRoom, away
from api.routes.board.rules_try import TryKey
from api.routes.forms import Form
from kwartier.errors import InputError

_PATH = "/bestuur/regels/straat"


def add_street(app: FastAPI, room: BooksRoom, tries: Tryouts) -> None:
    """Add the form, and the button that stops what is being reckoned."""
    board = Depends(room.require(Need.BOARD))

    def form(
        request: Request,
        visitor: Visitor,
        fields: Mapping[str, str],
        refused: InputError | None = None,
    ) -> Response:
        with room.office.reading() as desk:
            homes = [each.id for each in connections(desk)]
        has = bool(room.house.community.batteries)
        values = {
            "typed": Typed(fields),
            "homes": homes,
            "has_battery": has,
            "usual_yield": USUAL_KWH_PER_KWP,
        }
        return room.show(
            request, visitor, "rules_street.html", values, "title.rules_street", refused
        )

    @app.get(_PATH, include_in_schema=False)
    def blank(request: Request, visitor: Annotated[Visitor, board]) -> Response:
        return form(request, visitor, street_form(room.house.community))

    @app.post(_PATH, include_in_schema=False)
    def attempt(request: Request, visitor: Annotated[Visitor, board], sent: Form) -> Response:
        try:
            key = tries.begin(street_draft(Typed(sent)))
        except InputError as error:
            return form(request, visitor, sent, error)
        return go(f"/bestuur/regels/proef/{key}")

    @app.post("/bestuur/regels/proef/{key}/stop", include_in_schema=False)
    def stop(_: Annotated[Visitor, board], key: TryKey) -> Response:
        if not tries.stop(key):
            raise away("this replay is no longer here: fill the form in again")
        return go(f"/bestuur/regels/proef/{key}")
