"""What every page of the board's settlements shares: the books, what is at hand, and the look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, TypeAlias

from fastapi import Path, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.runs import Run, run_of
from api.house import House
from api.office import Office
from api.pages.runs.files import Printery
from api.pages.runs.open import OpenMonths
from api.pages.runs.shelf import Shelf
from api.pages.runs.work import Workshop
from api.pages.sheets import Sheets
from api.people.visitor import Visitor
from api.problems import RefusedError

MonthName: TypeAlias = Annotated[str, Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
"""A month in an address, such as ``2026-10``."""
Version: TypeAlias = Annotated[int, Path(ge=1, le=9999)]
"""A run's version in an address."""
BookName: TypeAlias = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,32}$")]
"""A member or a connection in an address."""


@dataclass(frozen=True, slots=True)
class Room:
    """The parts behind the board's settlements.

    Attributes:
        house: The house.
        door: Who may come in.
        sheets: Draws pages.
        shelf: Computations at hand.
        months: Months that can be computed.
        workshop: Where long work is done.
        printery: Papers that were printed to be taken along.
    """

    house: House
    door: Doorkeeper
    sheets: Sheets
    shelf: Shelf
    months: OpenMonths
    workshop: Workshop
    printery: Printery

    @property
    def office(self) -> Office:
        """The books.

        Raises:
            RefusedError: None are kept here.
        """
        if self.house.office is None:
            raise RefusedError(
                HTTPStatus.NOT_FOUND, "no books are kept here: run `kwartier coop init` first"
            )
        return self.house.office

    @contextmanager
    def reading(self) -> Iterator[Desk]:
        """Give a still picture of the books."""
        with self.office.reading() as desk:
            yield desk

    def require(self, need: Need) -> Require:
        """Return a route's policy."""
        return Require(self.door, need)

    def show(
        self,
        request: Request,
        visitor: Visitor,
        template: str,
        values: Mapping[str, object],
        title: str,
        status: int = HTTPStatus.OK,
    ) -> Response:
        """Return a page in the board's look."""
        told = {"page_class": "board", **values}
        return self.sheets.show(
            request, visitor, template, told, title=title, tab="runs", status=status
        )


def known_run(desk: Desk, month: str, version: int) -> Run:
    """Return the run of an address.

    Raises:
        RefusedError: There is none.
    """
    try:
        return run_of(desk, f"{month}/{version}")
    except BooksError as error:
        raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error
