"""The board's report of the neighbourhood: self-use, peaks, cycles, savings."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.overview.keeper import Overview
from api.overview.periods import FIRST_DAY, LAST_DAY
from api.overview.wijk import wijk_report
from api.overview.wijk_answers import WijkAnswer, wijk_answer
from api.overview.wijk_page import wijk_file, wijk_values
from api.pages.sheets import Sheets, language_of
from api.people.visitor import Visitor
from api.problems import RefusedError
from kwartier.interval import day_of

_Year = Annotated[int | None, Query(ge=FIRST_DAY.year + 1, le=LAST_DAY.year)]


def add_board_wijk(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/bestuur/wijk``, its file, and ``/api/v1/board/wijk``."""
    board = Depends(Require(door, Need.BOARD))

    def this_year() -> int:
        return day_of(house.clock.now_s()).year

    @app.get("/bestuur/wijk", include_in_schema=False)
    def wijk(request: Request, visitor: Annotated[Visitor, board], jaar: _Year = None) -> Response:
        title, tab = "title.wijk", "wijk"
        if house.overview is None:
            return sheets.show(request, visitor, "overview_none.html", title=title, tab=tab)
        report = wijk_report(house, house.overview, jaar or this_year())
        lang = language_of(request, visitor)
        values = wijk_values(report, lang, house.overview.grafana_url)
        values["this_year"] = this_year()
        return sheets.show(request, visitor, "board_wijk.html", values, title=title, tab=tab)

    @app.get("/bestuur/wijk.csv", include_in_schema=False)
    def wijk_csv(
        request: Request, visitor: Annotated[Visitor, board], jaar: _Year = None
    ) -> Response:
        year = jaar or this_year()
        text = wijk_file(wijk_report(house, _kept(house), year), language_of(request, visitor))
        headers = {"Content-Disposition": f'attachment; filename="wijk-{year}.csv"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    @app.get("/api/v1/board/wijk", tags=["board"], summary="A year of the neighbourhood")
    def wijk_json(_: Annotated[Visitor, board], year: _Year = None) -> WijkAnswer:
        return wijk_answer(wijk_report(house, _kept(house), year or this_year()))


def _kept(house: House) -> Overview:
    if house.overview is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, "no days are summed here yet: try again later")
    return house.overview
