"""The audit log, and what waits for a second person."""

import time
from collections.abc import Iterator
from datetime import date
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.auth import Doorkeeper, Need
from api.cooperative.chain import Head, heads, verify_chains
from api.house import House
from api.pages.log.check import ChainCheck, ChainsSeen
from api.pages.log.front import (
    PAGE,
    Cursor,
    LogAnswer,
    LoggedAct,
    Source,
    Wanted,
    act_answer,
    act_words,
    acts_after,
    fact_lines,
)
from api.pages.log.sheet import CHUNK, MOST_ROWS, log_sheet
from api.pages.sheets import Sheets, go, language_of
from api.people.acts import first_broken, record
from api.people.visitor import Visitor
from api.routes.board.proposals import add_proposals
from api.routes.board.rules_room import BooksRoom
from api.schemas import moment_time

RELOAD_S = 2
"""How often the page of a look under way loads itself anew [s]."""
_SOON_S = 1.5
"""How long a short look is waited for [s]."""


def _wanted(
    source: Annotated[str, Query(alias="bron", max_length=10)] = "",
    act: Annotated[str, Query(alias="daad", max_length=40)] = "",
    subject: Annotated[str, Query(alias="over", max_length=64)] = "",
    who: Annotated[str, Query(alias="wie", max_length=40)] = "",
    first: Annotated[str, Query(alias="van", max_length=10)] = "",
    last: Annotated[str, Query(alias="tot", max_length=10)] = "",
) -> Wanted:
    """Return which acts an address asks for; a field that says nothing useful says nothing."""
    known = Source(source) if source in set(Source) else None
    return Wanted(known, act.strip(), subject.strip(), who.strip(), _day(first), _day(last))


Asked = Annotated[Wanted, Depends(_wanted)]
Place = Annotated[str, Query(alias="na", max_length=60)]


def add_board_log(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add the log, the look at its chains, and the proposals."""
    room = BooksRoom(house, door, sheets, "log")
    check = ChainCheck(lambda: _look(room))
    _add_log(app, room, check)
    _add_check(app, room, check)
    _add_files(app, room)
    add_proposals(app, room)


def _add_log(app: FastAPI, room: BooksRoom, check: ChainCheck) -> None:
    board = Depends(room.require(Need.BOARD))

    @app.get("/bestuur/logboek", include_in_schema=False)
    def log(
        request: Request, visitor: Annotated[Visitor, board], wanted: Asked, after: Place = ""
    ) -> Response:
        check.wait(_SOON_S)
        acts = _acts(room, wanted, after, PAGE + 1)
        values = {
            "acts": acts[:PAGE],
            "older": acts[PAGE - 1].cursor if len(acts) > PAGE else "",
            "newest": after == "",
            "wanted": wanted,
            "query": wanted.query(),
            "check": check,
            "head": _published(room),
            "act_words": act_words,
            "fact_lines": fact_lines,
            "iso": lambda at_s: moment_time(at_s).isoformat(),
        }
        answer = room.show(request, visitor, "log.html", values, "title.log")
        if check.busy:
            answer.headers["Refresh"] = str(RELOAD_S)
        return answer

    @app.get("/api/v1/board/log", tags=["board"], summary="Both logs, the newest act first")
    def log_told(
        _: Annotated[Visitor, board],
        wanted: Asked,
        after: Place = "",
        limit: Annotated[int, Query(ge=1, le=500)] = PAGE,
    ) -> LogAnswer:
        acts = _acts(room, wanted, after, limit + 1)
        following = acts[limit - 1].cursor if len(acts) > limit else ""
        return LogAnswer(
            [act_answer(each, moment_time(each.at_s).isoformat()) for each in acts[:limit]],
            following,
        )


def _add_check(app: FastAPI, room: BooksRoom, check: ChainCheck) -> None:
    board = Depends(room.require(Need.BOARD))

    @app.post("/bestuur/logboek/controle", include_in_schema=False)
    def look(visitor: Annotated[Visitor, board]) -> Response:
        with room.house.people.writing() as people:
            record(people, visitor.account, "log.check", "chains")
        check.begin()
        return go("/bestuur/logboek")


def _add_files(app: FastAPI, room: BooksRoom) -> None:
    board = Depends(room.require(Need.BOARD))

    @app.get("/bestuur/logboek.csv", include_in_schema=False)
    def sheet(request: Request, visitor: Annotated[Visitor, board], wanted: Asked) -> Response:
        with room.house.people.writing() as people:
            record(people, visitor.account, "log.export", "log")
        lines = log_sheet(_all(room, wanted), language_of(request, visitor))
        name = (
            f'attachment; filename="logboek-{moment_time(room.house.clock.now_s()):%Y-%m-%d}.csv"'
        )
        return StreamingResponse(
            lines, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name}
        )


def _acts(room: BooksRoom, wanted: Wanted, after: str, limit: int) -> list[LoggedAct]:
    cursor = Cursor.of(after)
    with room.reading() as books, room.house.people.reading() as people:
        return acts_after(books.session, people.session, wanted, cursor, limit)


def _all(room: BooksRoom, wanted: Wanted) -> Iterator[LoggedAct]:
    """Yield acts page by page, the newest first, so that no transaction stays open long."""
    after, told = "", 0
    while told < MOST_ROWS:
        acts = _acts(room, wanted, after, CHUNK)
        yield from acts
        if len(acts) < CHUNK:
            return
        told, after = told + len(acts), acts[-1].cursor


def _published(room: BooksRoom) -> Head | None:
    with room.reading() as desk:
        kept = heads(desk)
    return kept[-1] if kept else None


def _look(room: BooksRoom) -> ChainsSeen:
    began, at_s = time.perf_counter(), int(room.house.clock.now_s())
    with room.reading() as desk:
        faults = [str(each) for each in verify_chains(desk)]
    with room.house.people.reading() as people:
        broken = first_broken(people)
    if broken is not None:
        faults.append(f"people {broken}: was changed, or one before it is gone")
    return ChainsSeen(at_s, time.perf_counter() - began, tuple(faults))


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None
