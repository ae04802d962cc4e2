"""Values that a profile takes from a device's SunSpec models instead of from fixed registers.

A model may stand in a device twice (a meter behind an inverter brings a second Common model and
models of its own), so a value is named by its place in the chain and never by an address.
"""

from __future__ import annotations

from dataclasses import dataclass

from hardware.registers import Number, RegisterSource
from hardware.sunspec import Chain, Place, every_point, find_chain, read_model
from kwartier.errors import SettingsError
from kwartier.settings import Table


@dataclass(frozen=True, slots=True)
class ChainPoint:
    """One value of a SunSpec model.

    Attributes:
        name: Quantity and unit, as of a register.
        models: Ids of which the first that is there is taken, the likeliest first.
        point: Its path in the model, such as ``W`` or ``module[0].DCW``.
        place: Which of several models of that id: 1 for the first.
        in_front_of: Take the last such model that stands before one of these ids instead.
    """

    name: str
    models: tuple[int, ...]
    point: str
    place: int
    in_front_of: tuple[int, ...]

    def find(self, chain: Chain) -> Place | None:
        """Return the model it stands in; None where the device has none."""
        places = list(chain.places)
        if self.in_front_of:
            owner = next((at for at, place in enumerate(places) if place.id in self.in_front_of), 0)
            before = [place for place in places[:owner] if place.id in self.models]
            return before[-1] if before else None
        for model in self.models:
            found = [place for place in places if place.id == model]
            if len(found) >= self.place:
                return found[self.place - 1]
        return None


class ChainReader:
    """Reads the points of one device; finds its models once, and again when they moved."""

    def __init__(self, points: tuple[ChainPoint, ...], source: RegisterSource) -> None:
        """Read ``points`` from ``source``."""
        self._points = points
        self._source = source
        self._chain: Chain | None = None

    def read(self) -> dict[str, Number | str | None]:
        """Return every point by name; None for what is not there.

        Raises:
            TemporaryError: The device cannot be reached, or is busy.
        """
        if self._chain is None:
            self._chain = find_chain(self._source)
        if self._chain is None:
            return {point.name: None for point in self._points}
        chain = self._chain
        models: dict[Place, dict[str, Number | str | None]] = {}
        values: dict[str, Number | str | None] = {}
        for point in self._points:
            place = point.find(chain)
            if place is not None and place not in models:
                models[place] = self._model(place)
            values[point.name] = models[place].get(point.point) if place is not None else None
        return values

    def _model(self, place: Place) -> dict[str, Number | str | None]:
        """Return a model's points by path; none when another model stands there by now."""
        found = dict(every_point(read_model(self._source, place).points))
        if found.get("ID") != place.id:
            self._chain = None
            return {}
        return found


def points_of(table: Table) -> dict[str, ChainPoint]:
    """Return the points of a profile's file by name.

    Raises:
        SettingsError: A key is missing, unknown, or its value is of the wrong kind.
    """
    return {name: _point(name, table.table(name)) for name in table.values}


def _point(name: str, row: Table) -> ChainPoint:
    point = ChainPoint(
        name,
        _ids(row, "model"),
        row.text("point"),
        row.whole("place", 1, low=1, high=10),
        _ids(row, "in_front_of") if "in_front_of" in row.values else (),
    )
    row.refuse_the_rest()
    return point


def _ids(row: Table, key: str) -> tuple[int, ...]:
    written = row.text(key)
    if not written.split() or not all(part.isdigit() for part in written.split()):
        raise SettingsError(f'{row.place}{key} is {written!r}: write model ids as "103 113"')
    return tuple(int(part) for part in written.split())
