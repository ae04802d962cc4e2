"""One member's run as the board sees it: the statement exactly as its resident reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from api.cooperative.statement import Statement
from api.house import House
from api.pages.language import Language
from api.pages.runs.next import path_of
from api.pages.statement.front import statement_values


@dataclass(frozen=True, slots=True)
class MemberSight:
    """What the page of a member in a run shows.

    Attributes:
        shown: Everything its template asks for.
        homes: The member's connections, each with its first and last day in the month.
    """

    shown: dict[str, object]
    homes: tuple[tuple[str, date, date], ...]


def member_values(
    house: House, party: str, month: str, version: int, lang: Language
) -> MemberSight:
    """Return what the page of a member in a run shows.

    Raises:
        RefusedError: There is no such run, or the member has no statement in it.
    """
    run = f"{month}/{version}"
    values = statement_values(house, party, month, version, lang)
    said = values["statement"]
    assert isinstance(said, Statement), party
    homes = tuple((part.id, part.first, part.last) for part in said.connections)
    # The days and quarters below a line are another look, which asks for a reason.
    own = {"base": "", "front": "", "board_path": path_of(run), "party": party}
    return MemberSight(
        values | own | {"number": version, "homes": [each[0] for each in homes]}, homes
    )
