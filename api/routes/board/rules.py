"""The board's rules: tariffs and keys as versions, and what a change would do."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need
from api.cooperative.law import decisions
from api.cooperative.whatif import Tryouts
from api.house import House
from api.market import surroundings_of
from api.pages.rules.answers import RulesAnswer, rules_answer
from api.pages.rules.front import rule_book
from api.pages.rules.proposals import waiting_list
from api.pages.rules.words import (
    from_day,
    key_facts,
    key_name,
    percent,
    tariff_facts,
    value_words,
    vat_name,
)
from api.pages.sheets import Sheets, language_of
from api.people.visitor import Visitor
from api.routes.board.rules_decision import add_decision
from api.routes.board.rules_own import add_own_effect
from api.routes.board.rules_room import BooksRoom
from api.routes.board.rules_street import add_street
from api.routes.board.rules_try import add_tries


def add_board_rules(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add the rules, the forms in which a change is tried, and each resident's own effect."""
    room = BooksRoom(house, door, sheets, "law")
    _add_book(app, room)
    add_decision(app, room)
    tries = Tryouts(
        room.reading, lambda: surroundings_of(house.community, house.store, house.market)
    )
    add_tries(app, room, tries)
    add_street(app, room, tries)
    add_own_effect(app, room)


def _add_book(app: FastAPI, room: BooksRoom) -> None:
    board = Depends(room.require(Need.BOARD))

    @app.get("/bestuur/regels", include_in_schema=False)
    def rules(request: Request, visitor: Annotated[Visitor, board]) -> Response:
        lang = language_of(request, visitor)
        with room.office.reading() as desk:
            book = rule_book(desk)
            waits = waiting_list(desk, visitor, lang)
            decided = decisions(desk)
        values = {
            "book": book,
            "waits": [each for each in waits if not each.elsewhere],
            "decisions": sorted(decided, key=lambda each: (each.decided_on, each.id))[::-1],
            "tariff_facts": tariff_facts,
            "key_facts": key_facts,
            "key_name": key_name,
            "from_day": from_day,
            "vat_name": vat_name,
            "percent": percent,
            "value_words": value_words,
        }
        return room.show(request, visitor, "rules.html", values, "title.rules")

    @app.get("/api/v1/board/rules", tags=["board"], summary="All versions of the rules")
    def rules_told(_: Annotated[Visitor, board]) -> RulesAnswer:
        with room.office.reading() as desk:
            return rules_answer(rule_book(desk))
