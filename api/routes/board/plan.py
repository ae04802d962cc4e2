"""The board's look at the plan: what it saves, who gains how much, and by which rule."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.pages.sheets import Sheets, language_of
from api.people.visitor import Visitor
from api.planned.answers import SplitAnswer, split_answer
from api.planned.asked import NotPlannedError
from api.planned.board import split_values
from api.planned.compared import Comparisons
from api.problems import RefusedError
from optimizer.why.members import SplitRule, rules_for


def add_board_plan(
    app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets, comparisons: Comparisons
) -> None:
    """Add ``/bestuur/plan`` and ``/api/v1/board/plan``."""
    board = Depends(Require(door, Need.BOARD))

    @app.get("/bestuur/plan", include_in_schema=False)
    def plan(
        request: Request, visitor: Annotated[Visitor, board], regel: SplitRule = SplitRule.EQUAL
    ) -> Response:
        rules = rules_for(len(house.community.connections))
        values: dict[str, object] = {"rules": rules, "rule": regel, "split": None}
        try:
            compared, found = comparisons.split(regel)
        except NotPlannedError:
            pass
        else:
            values |= split_values(compared, found, language_of(request, visitor))
        return sheets.show(
            request, visitor, "board_plan.html", values, title="title.plan", tab="wijk"
        )

    @app.get("/api/v1/board/plan", tags=["board"], summary="The plan's cost over homes, by a rule")
    def plan_json(_: Annotated[Visitor, board], rule: SplitRule = SplitRule.EQUAL) -> SplitAnswer:
        try:
            return split_answer(*comparisons.split(rule))
        except NotPlannedError as error:
            raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error
