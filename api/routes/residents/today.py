"""What people see of today: Vandaag, and the big screen of the street."""

from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.pages.sheets import Sheets, language_of
from api.pages.today import TodaySources, today_values
from api.people.visitor import ANYBODY, Visitor
from api.readers import STRANGER, note_helper, onlooker
from api.saved import Savings
from api.settled import SettledDays
from kwartier.interval import day_of

RELOAD_S = 120
"""How often the big screen loads itself anew, with or without its script [s]."""


def add_today(
    app: FastAPI, house: House, settled: SettledDays, door: Doorkeeper, sheets: Sheets
) -> None:
    """Add ``/`` and ``/wijk``."""
    anyone = Depends(Require(door, Need.ANYONE))
    sources = TodaySources(house, settled, Savings(house))

    @app.get("/", include_in_schema=False)
    def today(
        request: Request,
        visitor: Annotated[Visitor, anyone],
        huis: Annotated[str | None, Query()] = None,
    ) -> Response:
        now_s = house.clock.now_s()
        looks = onlooker(visitor, now_s, huis)
        note_helper(house, visitor, looks.home, day_of(now_s), day_of(now_s))
        values = today_values(sources, visitor, looks, language_of(request, visitor))
        return sheets.show(request, visitor, "today.html", values, title="title.today", tab="today")

    @app.get("/wijk", include_in_schema=False)
    def street(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        values = today_values(sources, ANYBODY, STRANGER, language_of(request))
        values["page_class"] = "big-screen"
        answer = sheets.show(request, ANYBODY, "street.html", values, title="title.street")
        answer.headers["Refresh"] = str(RELOAD_S)
        return answer
