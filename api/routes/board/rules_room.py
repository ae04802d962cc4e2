"""What the board's pages of members, rules and log share: the books, the look, a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request, Response

from api.auth import Doorkeeper, Need, Require
from api.cooperative.database import Desk
from api.cooperative.errors import NotAllowedError
from api.house import House
from api.office import Office
from api.pages.rules.forms import NoSharesError
from api.pages.sheets import Sheets
from api.people.visitor import Visitor
from api.problems import RefusedError
from kwartier.errors import InputError


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was refused: the key of our words, and the books' own sentence, in English.

    That sentence is empty where our words say it all.
    """

    key: str
    said: str

    @classmethod
    def of(cls, error: InputError) -> Refusal:
        """Return an error as a notice."""
        if isinstance(error, NoSharesError):
            return cls("shares", "")
        return cls("person" if isinstance(error, NotAllowedError) else "input", str(error))


@dataclass(frozen=True, slots=True)
class BooksRoom:
    """The parts behind these pages.

    Attributes:
        house: The house.
        door: Who may come in.
        sheets: Draws pages.
        tab: To which tab they belong.
    """

    house: House
    door: Doorkeeper
    sheets: Sheets
    tab: str

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
        refused: InputError | None = None,
    ) -> Response:
        """Return a page in the board's look, with what was refused above it."""
        told: dict[str, object] = {
            "page_class": "board",
            "refusal": None if refused is None else Refusal.of(refused),
            **values,
        }
        status = HTTPStatus.OK
        if refused is not None:
            barred = isinstance(refused, NotAllowedError)
            status = HTTPStatus.FORBIDDEN if barred else HTTPStatus.UNPROCESSABLE_ENTITY
        return self.sheets.show(
            request, visitor, template, told, title=title, tab=self.tab, status=status
        )


def away(what: str) -> RefusedError:
    """Return the refusal for something that is not there, or not for this visitor."""
    return RefusedError(HTTPStatus.NOT_FOUND, what)
