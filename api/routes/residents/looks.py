"""Who looked at my data: my homes, in the days I lived there."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, TypeAlias

from fastapi import Depends, FastAPI, Path, Query, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.pages.sheets import Sheets
from api.people.looks import Look, looks_at
from api.people.visitor import Visitor
from api.schemas import moment_time

MOST_NUMBER = 2**31 - 1
"""The highest number that a row of the book can have."""
Number: TypeAlias = Annotated[int, Path(ge=1, le=MOST_NUMBER)]
"""A row's number in an address."""
PAGE = 25
"""How many looks a page shows."""
MOST = 200


@dataclass(frozen=True, slots=True)
class LookAnswer:
    """Somebody read quarter-hours of a home of yours; ``companion`` is your own helper's name."""

    id: int
    at: datetime
    as_what: str
    companion: str
    home: str
    what: str
    first_day: date
    last_day: date
    reason: str


@dataclass(frozen=True, slots=True)
class LooksAnswer:
    """A page of looks, the newest first; ``next`` is the address of the next page, or null."""

    looks: tuple[LookAnswer, ...]
    next: str | None


def add_looks(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/hulp/gekeken`` and ``/api/v1/looks``."""
    owner = Depends(Require(door, Need.OWNER))

    def looks(visitor: Visitor, limit: int, before: int | None) -> tuple[list[Look], int | None]:
        with house.people.reading() as desk:
            found = looks_at(desk, visitor.account, visitor.stays, limit + 1, before)
        more = found[limit - 1].id if len(found) > limit else None
        return found[:limit], more

    @app.get("/hulp/gekeken", include_in_schema=False)
    def page(
        request: Request,
        visitor: Annotated[Visitor, owner],
        voor: Annotated[int | None, Query(ge=1, le=MOST_NUMBER)] = None,
    ) -> Response:
        found, more = looks(visitor, PAGE, voor)
        values = {"looks": found, "more": more, "begun": voor is not None}
        return sheets.show(
            request, visitor, "help_looks.html", values, title="title.looks", tab="help"
        )

    @app.get("/api/v1/looks", tags=["privacy"], summary="Who looked at my quarter-hours")
    def told(
        visitor: Annotated[Visitor, owner],
        limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE,
        before: Annotated[int | None, Query(ge=1, le=MOST_NUMBER)] = None,
    ) -> LooksAnswer:
        found, more = looks(visitor, limit, before)
        return LooksAnswer(
            tuple(
                LookAnswer(
                    look.id,
                    moment_time(look.at_s),
                    look.as_what,
                    look.companion,
                    look.home,
                    look.what,
                    look.first_day,
                    look.last_day,
                    look.reason,
                )
                for look in found
            ),
            None if more is None else f"/api/v1/looks?limit={limit}&before={more}",
        )
