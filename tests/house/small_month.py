"""The files of a made-up month of five homes: what a treasurer has before the books begin.

Every home takes 100 Wh a quarter and a little more in the evening; two have panels. One meter is
swapped, and one was silent for two hours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from collectors.sqlite_store import SqliteStore
from kwartier.interval import QUARTER_S, Quarter, local_day
from kwartier.reading import Reading
from kwartier.wire import block_of, encode_block
from tests.api.cooperative.paying import iban
from tests.api.cooperative.registered import ean

HOMES = tuple(f"huis-{number}" for number in range(1, 6))
SUN = {"huis-1": 20, "huis-2": 8}
"""How strong the panels of a home are."""
PULLED = "huis-5"
"""This home's quarters come from the house's own record; the others' from the grid operator."""
BY_HAND = "huis-5"
"""This home signed no mandate: it pays by itself."""
COMMUNITY = (
    'coop = "zonnewijk"\nname = "De Zonnewijk"\n'
    f'[[connection]]\nid = "{PULLED}"\nmember = "{PULLED}"\ngateway = "gw-05"\n'
)
MEMBERS = "partij;naam;straat;huisnummer;postcode;plaats;lid vanaf;aansluiting;ean-code;"
MEMBERS += "leverancier;zekering;eigenaar vanaf;machtiging;rekening;getekend op"


@dataclass(frozen=True, slots=True)
class Month:
    """The last whole month before a day."""

    first: date
    last: date

    @classmethod
    def before(cls, today: date) -> Month:
        """Return the last whole month before a day."""
        last = today.replace(day=1) - timedelta(days=1)
        return cls(last.replace(day=1), last)

    @property
    def name(self) -> str:
        """Return it as the books name it."""
        return f"{self.first:%Y-%m}"


def write_files(folder: Path, month: Month) -> None:
    """Write every file that the guide names and that is not made by a command."""
    (folder / "leden.csv").write_text("\n".join([MEMBERS, *_members(month)]), encoding="utf-8")
    (folder / "sleutel.json").write_text('{"type": "proportional"}', encoding="utf-8")
    for name in ("sleutel", "tarief", "brief"):
        (folder / f"{name}.pdf").write_bytes(f"%PDF besluit over {name}".encode())
    quarters = folder / f"p4-{month.name}.csv"
    header = "utc,connection,import_kwh,export_kwh"
    quarters.write_text("\n".join([header, *_quarters(month)]), encoding="utf-8")
    (folder / "wijk.toml").write_text(COMMUNITY, encoding="utf-8")
    _record(folder / "telemetry.db", month)


def _members(month: Month) -> Iterator[str]:
    for number, home in enumerate(HOMES, 1):
        mandate = f"ZON-{number:04d};{iban(number)};{month.first}" if home != BY_HAND else ";;"
        yield (
            f"{home};Bewoner {number};Zonlaan;{number};2611 AA;Delft;{month.first};{home};"
            f"{ean(number)};greenchoice;25;{month.first};{mandate}"
        )


def _stamps(month: Month) -> range:
    return range(local_day(month.first)[0], local_day(month.last)[1], QUARTER_S)


def _quarters(month: Month) -> Iterator[str]:
    for home in HOMES:
        if home == PULLED:
            continue
        for place, at_s in enumerate(_stamps(month)):
            day, quarter = divmod(place, 96)
            if home == "huis-4" and day == 23 and quarter in range(40, 48):
                continue
            taken, given = _energy(home, day, quarter)
            yield f"{Quarter(at_s)},{home},{_kwh(taken)},{_kwh(given)}"


def _energy(home: str, day: int, quarter: int) -> tuple[int, int]:
    """Return what a home takes and gives [Wh]; huis-3 is even, so that its swap is easy."""
    if home == "huis-3":
        return 100, 0
    noise = hashlib.sha256(f"{home} {day} {quarter}".encode()).digest()
    sun = max(0, 14 - abs(quarter - 44)) * (SUN.get(home, 0) + day * 7 % 25)
    return 100 + noise[0] // 4, sun if home in SUN else 0


def _kwh(wh: int) -> str:
    return f"{wh // 1000}.{wh % 1000:03d}"


def _record(path: Path, month: Month) -> None:
    """Write the house's own record of the home that is pulled."""
    stood, readings = 1_000_000, []
    start_s, end_s = _stamps(month).start, _stamps(month).stop
    for place, at_s in enumerate(range(start_s, end_s + 1, QUARTER_S)):
        readings.append(Reading("p1", "E0050", at_s, {"import_wh": stood}))
        stood += _energy(PULLED, *divmod(place, 96))[0]
    with SqliteStore(path) as store, store.intake() as intake:
        for count, begin in enumerate(range(0, len(readings), 96), 1):
            block = block_of(readings[begin : begin + 96], "gw-05", "epoch", count)
            intake.add(block, encode_block(block), end_s)
            intake.advance("gw-05", "epoch", count)
