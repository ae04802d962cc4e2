"""Everything about one person as one zip, made while it is sent: one month is held at a time."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import chain

from api.cooperative import registry
from api.cooperative.readings import Direction
from api.cooperative.readings.record import newest_days
from api.expected_copy import expected_files
from api.house import House
from api.office import Office
from api.own_sheet import sheet
from api.people.privacy import all_about
from api.people.visitor import Stay, Visitor
from collectors.store import DeviceKey, Quality
from kwartier.interval import day_of, instant_text, local_day, quarters_of_day
from kwartier.model import Connection
from kwartier.units import EpochS

MOST_YEARS = 10
"""How far back quarters are looked for."""
_NAMES = ("import_wh", "export_wh", "produced_wh")
_MONTH = ("start", "register", "energy_wh", "quality")
README = """\
Everything this neighbourhood keeps about you.
Alles wat deze wijk over u bewaart.

people.json     your account, messages, questions, helpers, choices, and who looked
books.json      your membership, papers, bank account and consents in the cooperative's books
meter/          quarter-hours as your meter told them, a file a home and month
settled/        quarter-hours as your statements used them, a file a home and month
expected/       what your home is expected to use and make in the next days, from its own last weeks
held/           how far what was expected was off, day by day

Energy is in Wh. Times have their offset from UTC. quality: measured, estimated or missing.
Only the days on which you lived at a home are in it.
"""


def own_copy(house: House, visitor: Visitor) -> Iterator[bytes]:
    """Return the zip with everything about a person, in pieces.

    Books and forecasts are asked first, so that a refusal comes before the first byte.
    """
    people, books = _people(house, visitor), _books(house, visitor)
    expected = list(expected_files(house.forecasts, visitor.stays))
    return _zipped(chain(_files(house, visitor, people, books), expected))


def _files(
    house: House, visitor: Visitor, people: str, books: str | None
) -> Iterator[tuple[str, str]]:
    yield "README.txt", README
    yield "people.json", people
    if books is not None:
        yield "books.json", books
    now_s = int(house.clock.now_s())
    for stay in visitor.stays:
        connection = house.community.connections.get(stay.home)
        for first, last in _months(stay, now_s):
            name = f"{stay.home}/{first:%Y-%m}.csv"
            if connection is not None:
                rows = _meter_rows(house, connection, stay, first, last)
                yield from sheet(f"meter/{name}", _MONTH, rows)
            if house.office is not None:
                yield from sheet(
                    f"settled/{name}", _MONTH, _settled_rows(house.office, stay, first, last)
                )


def _people(house: House, visitor: Visitor) -> str:
    with house.people.reading() as desk:
        return json.dumps(all_about(desk, visitor.account, visitor.stays), indent=1)


def _books(house: House, visitor: Visitor) -> str | None:
    if house.office is None or not visitor.party:
        return None
    with house.office.asking_self(visitor.party) as desk:
        return json.dumps(registry.export(desk, visitor.party), indent=1)


def _months(stay: Stay, now_s: EpochS) -> Iterator[tuple[date, date]]:
    """Yield the first and last local day of each month of a stay, the newest first."""
    today = day_of(now_s)
    until = today if stay.until_s is None else min(today, day_of(stay.until_s - 1))
    since = max(day_of(stay.from_s), date(today.year - MOST_YEARS, today.month, 1))
    while until >= since:
        first = until.replace(day=1)
        yield max(first, since), until
        until = first - timedelta(days=1)


def _meter_rows(
    house: House, connection: Connection, stay: Stay, first: date, last: date
) -> list[tuple[str, str, str, str]]:
    """Return what a home's devices counted in each quarter of its days."""
    keys = [DeviceKey(connection.gateway, connection.meter)]
    if connection.solar is not None:
        keys.append(DeviceKey(connection.gateway, connection.solar))
    known = house.store.quarters(_NAMES, local_day(first)[0], local_day(last)[1], keys)
    return [
        (
            instant_text(each.start_s),
            each.name,
            "" if each.energy_wh is None else str(each.energy_wh),
            each.quality.value,
        )
        for each in sorted(known, key=lambda one: (one.start_s, one.name))
        if stay.holds(each.start_s)
    ]


def _settled_rows(
    office: Office, stay: Stay, first: date, last: date
) -> list[tuple[str, str, str, str]]:
    """Return what the books hold of each quarter of a home's days."""
    days = [first + timedelta(days=place) for place in range((last - first).days + 1)]
    told = {"m": Quality.MEASURED.value, "e": Quality.ESTIMATED.value}
    wanted = [(stay.home, way, day) for way in (Direction.IMPORT, Direction.EXPORT) for day in days]
    with office.reading() as desk:
        known = [version.values for version in newest_days(desk, wanted).values()]
    rows = [
        (
            instant_text(quarter.start_s),
            f"{values.direction}_wh",
            "" if energy_wh is None else str(energy_wh),
            told.get(letter, Quality.MISSING.value),
        )
        for values in known
        for quarter, energy_wh, letter in zip(
            quarters_of_day(values.day), values.wh, values.quality, strict=True
        )
        if stay.holds(quarter.start_s)
    ]
    return sorted(rows)


class _Outbox(io.RawIOBase):
    """What was written since it was emptied last; it cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]  # zipfile writes bytes only
        self._held += piece
        return len(piece)

    def emptied(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def _zipped(files: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files:
            archive.writestr(name, text)
            yield outbox.emptied()
    yield outbox.emptied()
