"""A town with a past in its record: the books' own October, read by the meters of the street."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from api.app import create_app
from api.overview.keeper import Overview
from tests.api.cooperative.stages import Stage
from tests.api.cooperative.street import NOVEMBER_S, readings
from tests.api.town import Town, Towns


@dataclass(frozen=True, slots=True)
class PastTown:
    """A town, and what is kept of its days."""

    town: Town
    overview: Overview


@contextmanager
def past_town(
    towns: Towns, stage: Stage, folder: Path, *, fed: bool = True, now_s: int = NOVEMBER_S
) -> Iterator[PastTown]:
    """Yield a town whose record holds October as its books do, and whose days are summed."""
    past = tuple(readings()) if fed else ()
    with towns.at(stage, folder, now_s=now_s, past=past) as town:
        overview = summed(towns, town, folder, (stage, now_s, past))
        lived = replace(town.house, overview=overview)
        yield PastTown(replace(town, house=lived, app=create_app(lived)), overview)
        overview.close()


def summed(towns: Towns, town: Town, folder: Path, sort: Hashable) -> Overview:
    """Return a town's overview with all its days summed.

    Args:
        towns: Where towns come from; it keeps what was summed for the next one.
        town: A town in which nobody did anything yet.
        folder: Where its files go.
        sort: What decides on the sums: books, clock and readings.
    """
    file = folder / "overview.db"

    def opened() -> Overview:
        house = town.house
        return Overview(
            house.community,
            house.store,
            town.clock,
            file,
            people=house.people,
            office=house.office,
        )

    def sum_up() -> None:
        new = opened()
        new.catch_up()
        new.close()

    towns.once(("overview", sort), file, sum_up)
    return opened()
