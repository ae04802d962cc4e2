"""The town itself: everybody who should come in does."""

from __future__ import annotations

from pathlib import Path

from api.people.sessions import visitor_of
from api.people.visitor import Role
from tests.api.cooperative.stages import Stage
from tests.api.town import Towns


def test_everybody_is_who_they_are(towns: Towns, tmp_path: Path) -> None:
    with towns.at(Stage.COMPUTED, tmp_path) as town:
        people = town.house.people
        resident = visitor_of(people, town.resident("home-1"))
        treasurer = visitor_of(people, town.officer("treasurer"))
        weak = visitor_of(people, town.officer("board", strong=False))
        installer = visitor_of(people, town.installer("home-2"))

    assert (resident.home, resident.party) == ("home-1", "lid-1")
    assert treasurer.roles == frozenset({Role.TREASURER})
    assert (weak.roles, weak.possible) == (frozenset(), frozenset({Role.BOARD}))
    assert installer.works_at == frozenset({"home-2"})
