"""What people see of today: Vandaag, and the big screen of the street."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.pages.sheets import Sheets, language_of
from api.pages.today import today_values
from api.people.visitor import ANYBODY, Visitor
from api.settled import SettledDays

RELOAD_S = 120
"""How often the big screen loads itself anew, with or without its script [s]."""


def add_today(
    app: FastAPI, house: House, settled: SettledDays, door: Doorkeeper, sheets: Sheets
) -> None:
    """Add ``/`` and ``/wijk``."""
    anyone = Depends(Require(door, Need.ANYONE))

    @app.get("/", include_in_schema=False)
    def today(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        values = today_values(house, settled, visitor, language_of(request, visitor))
        return sheets.show(request, visitor, "today.html", values, title="title.today", tab="today")

    @app.get("/wijk", include_in_schema=False)
    def street(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        values = today_values(house, settled, ANYBODY, language_of(request))
        values["page_class"] = "big-screen"
        answer = sheets.show(request, ANYBODY, "street.html", values, title="title.street")
        answer.headers["Refresh"] = str(RELOAD_S)
        return answer
