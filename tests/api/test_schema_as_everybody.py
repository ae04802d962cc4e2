"""Programs that send whatever the schema allows, and what it forbids, as everybody.

The OpenAPI document is what a town serves itself. Every answer is one the document tells of: its
status, its kind and its shape; nothing fails. What a path names is drawn at random and also
taken from what is there, so that answers with a body are judged too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from api.people.questions import ask
from api.people.sessions import hash_of
from api.people.tables import SessionRow
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.matrix import Who
from tests.api.town import Towns

if TYPE_CHECKING:
    from tests.api.schema_requests import Place

ROLES = (
    Who.PUBLIC,
    Who.RESIDENT,
    Who.HELPER,
    Who.BOARD,
    Who.TREASURER,
    Who.OPERATOR,
    Who.INSTALLER,
)
LIKE_ANOTHER = {Who.BOARD, Who.OPERATOR, Who.INSTALLER}
"""Who is refused most or sees what another sees: fewer tries by day."""


@pytest.fixture(scope="module")
def place(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    from tests.api.schema_requests import place_of

    folder = tmp_path_factory.mktemp("schema")
    with towns.at(Stage.CLOSED, folder) as town, served(town) as client:
        with town.house.people.writing() as desk:
            account = desk.session.get_one(SessionRow, hash_of(town.resident())).account
            ask(desk, account, "lid-1", "2026-10/1", "Klopt deze regel wel?")
        made = place_of(town, client)
        assert len(made.operations) >= 40
        yield made


@pytest.mark.parametrize("who", ROLES)
def test_what_programs_are_told_is_what_the_schema_says(place: Place, who: Who) -> None:
    from tests.api.schema_requests import wrong_answers

    assert wrong_answers(place, who, 1 if who in LIKE_ANOTHER else 2) == []


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("who", ROLES)
def test_what_programs_are_told_is_what_the_schema_says_at_length(place: Place, who: Who) -> None:
    from tests.api.schema_requests import wrong_answers

    assert wrong_answers(place, who, 60) == []
