"""Afrekening: from the total to the quarter-hour, and 'Klopt dit niet?'."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.cooperative.database import Desk
from api.cooperative.papers.machine import statement_json
from api.cooperative.runs.states import Run
from api.cooperative.statement import Statement
from api.house import House
from api.pages.sheets import Sheets, language_of
from api.pages.statement.front import office_of, values_of
from api.pages.statement.line import day_values, find_day, find_line, line_values
from api.pages.statement.list import list_values, own_run, own_statement
from api.people.looks import note_look
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.residents.statement_answers import add_statement_answers
from api.routes.residents.statement_questions import add_questions
from kwartier.errors import SettingsError


def add_statements(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/afrekening`` and what lies below it, for people and for programs."""
    add_questions(app, house, door, sheets)
    add_statement_answers(app, house, door)
    resident = Depends(Require(door, Need.HOME))

    @app.get("/afrekening", include_in_schema=False)
    def every(request: Request, visitor: Annotated[Visitor, resident]) -> Response:
        values = list_values(house, visitor, language_of(request, visitor))
        return sheets.show(
            request,
            visitor,
            "statement_list.html",
            values,
            title="title.statements",
            tab="statement",
        )

    @app.get("/afrekening/{month}/{version}", include_in_schema=False)
    def one(
        request: Request, month: str, version: str, visitor: Annotated[Visitor, resident]
    ) -> Response:
        lang, office = language_of(request, visitor), office_of(house)
        with office.reading() as desk:
            run = own_run(house, desk, visitor, month, number(version))
            values = values_of(house, desk, office, run, visitor.party, lang)
            said = house.shelf.statement(desk, office.settings, run, visitor.party)
        note_companion(house, visitor, said, "statement")
        return sheets.show(
            request, visitor, "statement.html", values, title="title.statement", tab="statement"
        )

    @app.get("/afrekening/{month}/{version}/{kind}", include_in_schema=False)
    def line_or_paper(
        request: Request, month: str, version: str, kind: str, visitor: Annotated[Visitor, resident]
    ) -> Response:
        if kind in _KINDS:
            with statement_for(house, visitor, month, version) as (_, _, said):
                pass
            note_companion(house, visitor, said, "statement")
            return _paper(request, sheets, visitor, said, kind)
        lang = language_of(request, visitor)
        with statement_for(house, visitor, month, version) as (desk, run, said):
            found = find_line(house, desk, run, said, number(kind))
            values = line_values(house, desk, found, lang)
        return sheets.show(
            request,
            visitor,
            "statement_line.html",
            values,
            title="title.statement.line",
            tab="statement",
        )

    @app.get("/afrekening/{month}/{version}/{line}/{day}", include_in_schema=False)
    def one_day(
        request: Request,
        month: str,
        version: str,
        line: str,
        day: str,
        visitor: Annotated[Visitor, resident],
        kwartier: str = "",
    ) -> Response:
        lang, asked = language_of(request, visitor), local_date(day)
        with statement_for(house, visitor, month, version) as (desk, run, said):
            found = find_line(house, desk, run, said, number(line))
            of_day = find_day(house, desk, found, asked)
            values = day_values(house, desk, of_day, kwartier, lang)
        if visitor.companion is not None and found.line.connection:
            note_look(house.people, visitor, found.line.connection, "quarters", asked, asked)
        return sheets.show(
            request,
            visitor,
            "statement_day.html",
            values,
            title="title.statement.day",
            tab="statement",
        )


_KINDS = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
"""What can be taken home, and its kind."""


@contextmanager
def statement_for(
    house: House, visitor: Visitor, month: str, version: str
) -> Iterator[tuple[Desk, Run, Statement]]:
    """Give the open books, the run, and the visitor's own statement in it.

    Raises:
        RefusedError: There is none, or it is not theirs.
    """
    office = office_of(house)
    with office.reading() as desk:
        yield desk, *own_statement(house, desk, office, visitor, month, number(version))


def note_companion(house: House, visitor: Visitor, said: Statement, what: str) -> None:
    """Write down that somebody who looks along read a statement, for each home in it."""
    if visitor.companion is None:
        return
    for part in said.connections:
        note_look(house.people, visitor, part.id, what, part.first, part.last)


def number(text: str) -> int:
    """Return a number in an address; anything else leads nowhere."""
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise RefusedError(HTTPStatus.NOT_FOUND, f"there is no {text[:10]!r} here")
    return int(text)


def local_date(text: str) -> date:
    """Return a day in an address; anything else leads nowhere."""
    try:
        return date.fromisoformat(text[:10] if len(text) == 10 else "")
    except ValueError:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"there is no day {text[:10]!r} here") from None


def _paper(
    request: Request, sheets: Sheets, visitor: Visitor, said: Statement, kind: str
) -> Response:
    """Return a statement as a file, or a page that says why not."""
    try:
        body = _body(said, kind, language_of(request, visitor).tag)
    except (SettingsError, ImportError):
        values = {"back": f"/afrekening/{said.run}"}
        return sheets.show(
            request,
            visitor,
            "paper_none.html",
            values,
            title="title.statement.paper",
            tab="statement",
            status=HTTPStatus.SERVICE_UNAVAILABLE,
        )
    name = f"afrekening-{said.run.replace('/', '-')}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=_KINDS[kind], headers=headers)


def _body(said: Statement, kind: str, language: str) -> bytes:
    if kind == "json":
        return statement_json(said).encode()
    if kind == "csv":
        from api.cooperative.papers.sheet import statement_csv

        return statement_csv([said], language)
    from api.cooperative.papers.pdf import statement_pdf

    return statement_pdf(said)
