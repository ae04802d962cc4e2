"""Overzicht: days, weeks, months and years of one's own home, as page, files and JSON."""

from datetime import date, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response

from api.auth import Doorkeeper, Need, Require, own_home
from api.house import House
from api.overview.answers import OverviewAnswer, overview_answer
from api.overview.csv_files import for_people, for_programs
from api.overview.keeper import Overview
from api.overview.lived import Bar, own_quarters
from api.overview.own import own_period
from api.overview.page import SPANS, overview_values
from api.overview.periods import Period, PeriodError, Span
from api.pages.sheets import Sheets, language_of
from api.people.looks import note_look
from api.people.visitor import Visitor
from api.problems import RefusedError
from kwartier.interval import day_of

MOST_QUARTER_DAYS = 31
"""The longest period of which quarters are told in one file [days]."""
_FRESH_DAYS = 14
_CSV = "text/csv; charset=utf-8"


class Rows(StrEnum):
    """What each row of a file is."""

    BARS = "bars"
    """What each bar of the page is: a quarter of a day, else a day or a month."""
    QUARTERS = "quarters"


def add_overview(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/overzicht``, its files, and ``/api/v1/overview``."""
    resident = Depends(Require(door, Need.HOME))

    @app.get("/overzicht", include_in_schema=False)
    def overview(
        request: Request,
        visitor: Annotated[Visitor, resident],
        p: str = "week",
        d: str = "",
        van: str = "",
        tot: str = "",
        huis: str = "",
    ) -> Response:
        title, tab = "title.overview", "overview"
        if house.overview is None:
            return sheets.show(request, visitor, "overview_none.html", title=title, tab=tab)
        home, period = _home(visitor, huis), _period(house, SPANS.get(p), d, van, tot)
        if period.span is Span.DAY:
            _note(house, visitor, home, period)
        lang = language_of(request, visitor)
        values = overview_values(house, house.overview, visitor, home, period, lang)
        _ask_for_old(house, house.overview, period)
        return sheets.show(request, visitor, "overview.html", values, title=title, tab=tab)

    @app.get("/overzicht.csv", include_in_schema=False)
    def overview_file(
        request: Request,
        visitor: Annotated[Visitor, resident],
        p: str = "week",
        d: str = "",
        van: str = "",
        tot: str = "",
        huis: str = "",
        per: str = "",
    ) -> Response:
        home, period = _home(visitor, huis), _period(house, SPANS.get(p), d, van, tot)
        quarters = per == "kwartier" or period.span is Span.DAY
        bars = _bars(house, visitor, home, period, quarters=quarters)
        text = for_people(bars, language_of(request, visitor), quarters=quarters)
        return _file(text, home, period)

    @app.get("/api/v1/overview", tags=["days"], summary="One's own home over a time")
    def overview_json(
        visitor: Annotated[Visitor, resident],
        period: Span = Span.WEEK,
        date: Annotated[date | None, Query()] = None,
        first: Annotated[date | None, Query(alias="from")] = None,
        last: Annotated[date | None, Query(alias="to")] = None,
        home: str = "",
    ) -> OverviewAnswer:
        own, asked = _home(visitor, home), _asked(house, period, date, first, last)
        if asked.span is Span.DAY:
            _note(house, visitor, own, asked)
        kept = _kept(house)
        return overview_answer(own_period(kept.days, visitor, own, asked, house.clock.now_s()))

    @app.get(
        "/api/v1/overview.csv",
        tags=["days"],
        summary="The same as a file for programs",
        response_class=Response,
        responses={200: {"content": {"text/csv": {}}}},
    )
    def overview_csv(
        visitor: Annotated[Visitor, resident],
        period: Span = Span.WEEK,
        date: Annotated[date | None, Query()] = None,
        first: Annotated[date | None, Query(alias="from")] = None,
        last: Annotated[date | None, Query(alias="to")] = None,
        home: str = "",
        rows: Rows = Rows.BARS,
    ) -> Response:
        own, asked = _home(visitor, home), _asked(house, period, date, first, last)
        by_quarter = rows is Rows.QUARTERS or asked.span is Span.DAY
        bars = _bars(house, visitor, own, asked, quarters=by_quarter)
        return _file(for_programs(bars), own, asked)


def _home(visitor: Visitor, asked: str) -> str:
    """Return the home that is asked for, or the one the visitor lives in."""
    assert visitor.home is not None
    return own_home(visitor, asked) if asked else visitor.home


def _kept(house: House) -> Overview:
    if house.overview is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, "no days are summed here yet: try again later")
    return house.overview


def _period(house: House, span: Span | None, day: str, first: str, last: str) -> Period:
    """Return the period of a page's address."""
    if span is None:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"p is one of {', '.join(SPANS)}: choose one"
        )
    return _asked(house, span, _day(day), _day(first), _day(last))


def _asked(
    house: House, span: Span, day: date | None, first: date | None, last: date | None
) -> Period:
    if first is not None and last is not None:
        return Period.chosen(first, last)
    if span is Span.CHOSEN or first is not None or last is not None:
        raise PeriodError("name the first and the last day of the time you choose")
    return Period.of(span, day or day_of(house.clock.now_s()))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise PeriodError(f"{text[:20]!r} is no day: write it as 2026-10-05") from error


def _bars(
    house: House, visitor: Visitor, home: str, period: Period, *, quarters: bool
) -> list[Bar]:
    """Return what a file tells: bars as on the page, or every quarter of each day."""
    kept, now_s = _kept(house), house.clock.now_s()
    if not quarters:
        return list(own_period(kept.days, visitor, home, period, now_s).bars)
    if (period.end - period.first).days > MOST_QUARTER_DAYS:
        raise PeriodError(f"quarters are told of at most {MOST_QUARTER_DAYS} days at once")
    _note(house, visitor, home, period)
    return [
        bar for day in period.days for bar in own_quarters(kept.days, visitor, home, day, now_s)
    ]


def _note(house: House, visitor: Visitor, home: str, period: Period) -> None:
    """Write down that a helper read quarters; residents' looks at their own are their own."""
    if visitor.companion is not None:
        note_look(house.people, visitor, home, "quarters", period.first, period.last)


def _ask_for_old(house: House, overview: Overview, period: Period) -> None:
    """Have old days that somebody looks at now looked at again, behind the page."""
    today = day_of(house.clock.now_s())
    young = today - timedelta(days=_FRESH_DAYS)
    if period.span is not Span.YEAR:
        overview.ask({day for day in period.days if day < young})


def _file(text: str, home: str, period: Period) -> Response:
    name = f"overzicht-{home}-{period.first}-{period.last}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    return Response(text, media_type=_CSV, headers=headers)
