"""A month of recorded households in books of their own: battery, swap, gap, move, new tariff.

The quarters of October 2016 are told again as October 2026: both have a night of the long hour, so
both have 2,980 of them. Names, addresses and accounts are made up.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np

from api.cooperative.database import Books, Desk
from api.cooperative.four_eyes import Proposal
from api.cooperative.law import KeyTerms, TariffTerms, add_key, add_tariff
from api.cooperative.officers import Officer
from api.cooperative.readings import DayValues, Direction, Source, store_days
from api.cooperative.readings.meters import install_meter, remove_meter
from api.cooperative.registry import (
    Connection,
    Language,
    Party,
    PartyKind,
    VatStatus,
    add_connection,
    add_member,
    add_party,
    own,
    propose_iban,
    sign_mandate,
)
from api.cooperative.settings import Address, CoopSettings
from kwartier.interval import QUARTER_S, local_day
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.matrix import ReadingMatrix, RegisterMatrix, WhArray
from optimizer.settling.rounding import Tie
from tests.api.cooperative.neighbours import approve_all, decide, ean_of, midnight_s
from tests.api.cooperative.paying import iban, settings
from tests.api.cooperative.real_households import neighbourhood

PERIOD = "2026-10"
FIRST = date(2026, 10, 1)
DAYS = tuple(FIRST + timedelta(days=each) for each in range(31))
MOVE = date(2026, 10, 16)
"""On this day somebody else comes to live at the sixth home."""
CHANGE = date(2026, 10, 12)
"""From this day on the second tariff holds."""
SWAP = date(2026, 10, 20)
"""On this day, at noon, the second home gets another meter."""
GAP = date(2026, 10, 5)
"""On this day the fourth home's meter was silent for seven and a half hours."""
GAP_QUARTERS = range(16, 46)
HOMES = 20
BATTERY = "batterij"
_CAPACITY_WH, _STEP_WH = 20_000, 2_500


def recorded(shared_data: Path) -> ReadingMatrix:
    """Return October 2016 of twenty connections, the six with panels among them."""
    matrix = neighbourhood(shared_data, date(2016, 10, 1), date(2016, 11, 1))
    sunny = np.argsort(-matrix.given.energy_wh.sum(axis=1), kind="stable")[:6]
    others = [row for row in range(len(matrix.connections)) if row not in set(sunny.tolist())]
    rows = sorted([*sunny.tolist(), *others[: HOMES - 6]])
    return ReadingMatrix(
        matrix.first,
        tuple(matrix.connections[row] for row in rows),
        matrix.listed[rows],
        _rows(matrix.taken, rows),
        _rows(matrix.given, rows),
        matrix.charge,
        matrix.discharge,
    )


def set_up(books: Books, treasurer: Officer, board: Officer, month: ReadingMatrix) -> None:
    """Register everybody, decide with two people, and store the month's readings."""
    with books.desk(treasurer) as desk:
        proposals = [
            each
            for number, name in enumerate(month.connections, 1)
            for each in _home(desk, number, name)
        ]
        _move(desk, month.connections[5])
        add_connection(desk, Connection(BATTERY, ean_of(900), "greenchoice", 63, 3))
        proposals += _rules(desk)
    assert len(proposals) == HOMES + 3
    approve_all(books, board)
    with books.desk(treasurer) as desk:
        store_days(desk, list(days_of(month)))
        _swap(desk, month, 1)


def days_of(month: ReadingMatrix) -> list[DayValues]:
    """Return every day of every home and of the battery; the silent meter's with its gap."""
    days = []
    for row, name in enumerate(month.connections):
        silent = GAP if row == 3 else None
        for direction, part in ((Direction.IMPORT, month.taken), (Direction.EXPORT, month.given)):
            days += _days(name, direction, part.energy_wh[row], silent)
    charged, discharged = _battery(month)
    days += _days(BATTERY, Direction.CHARGE, charged)
    return [*days, *_days(BATTERY, Direction.DISCHARGE, discharged)]


def books_settings(folder: Path) -> CoopSettings:
    """The cooperative on the papers of this month."""
    return settings(folder)


def _home(desk: Desk, number: int, name: str) -> list[Proposal]:
    member = f"lid-{number:02d}"
    school = number == 1
    add_party(
        desk,
        Party(
            member,
            PartyKind.SCHOOL if school else PartyKind.RESIDENT,
            "Basisschool De Zonnebloem" if school else f"Bewoner {number}",
            Address("Zonlaan", str(number), "2611 AA", "Delft"),
            language=Language.EN if number == 2 else Language.NL,
            vat_status=VatStatus.REGISTERED if school else VatStatus.NONE,
            vat_number="NL850000014B01" if school else "",
            kvk="12345678" if school else "",
        ),
    )
    add_connection(desk, Connection(name, ean_of(number), "greenchoice", 80, 3))
    add_member(desk, member, date(2026, 9, 1))
    own(desk, name, member, date(2026, 9, 1), MOVE if number == 6 else None)
    sign_mandate(desk, member, f"ZON-{number:04d}", iban(number), date(2026, 8, 20))
    return [propose_iban(desk, member, iban(number))]


def _move(desk: Desk, name: str) -> None:
    add_party(
        desk,
        Party(
            "lid-06b",
            PartyKind.RESIDENT,
            "Nieuwe Bewoner",
            Address("Zonlaan", "6", "2611 AA", "Delft"),
        ),
    )
    add_member(desk, "lid-06b", MOVE)
    own(desk, name, "lid-06b", MOVE)


def _rules(desk: Desk) -> list[Proposal]:
    decide(desk, "2026-01", "2026-09-01")
    key = KeyTerms(
        {"type": "proportional"},
        tie=Tie.ROTATE,
        battery_model=BatteryModel.OWNER_CARRY,
        efficiency="0.9",
    )
    start_s, change_s = midnight_s("2026-09-01"), midnight_s(CHANGE.isoformat())
    return [
        add_key(desk, "sleutel-1", "2026-01", start_s, key),
        add_tariff(
            desk,
            "tarief-1",
            "2026-01",
            start_s,
            TariffTerms("0.18", "0.12", "0.01", fee_per_month="2.50", reference="0.13"),
        ),
        add_tariff(
            desk,
            "tarief-2",
            "2026-01",
            change_s,
            TariffTerms("0.195", "0.13", "0.01", fee_per_month="3.00", reference="0.13"),
        ),
    ]


def _swap(desk: Desk, month: ReadingMatrix, row: int) -> None:
    """Give a home another meter at noon, with both ends."""
    name = month.connections[row]
    start_s, end_s = local_day(FIRST)[0], local_day(DAYS[-1])[1]
    noon_s = local_day(SWAP)[0] + 12 * 3600
    until = (noon_s - start_s) // QUARTER_S
    assert start_s < noon_s < end_s
    ways = ((Direction.IMPORT, month.taken), (Direction.EXPORT, month.given))
    stood = {way: 1_000_000 for way, _ in ways}
    install_meter(desk, name, "E0001-old", start_s, stood)
    closing = {way: 1_000_000 + int(part.energy_wh[row, :until].sum()) for way, part in ways}
    remove_meter(desk, name, noon_s, closing, "worn out")
    install_meter(desk, name, "E0002-new", noon_s, {way: 0 for way, _ in ways})


def _battery(month: ReadingMatrix) -> tuple[WhArray, WhArray]:
    """Return what a battery would have taken of what was left over, and given in the evening."""
    wanted = month.taken.energy_wh.sum(axis=0)
    left = month.given.energy_wh.sum(axis=0)
    charged, discharged = np.zeros_like(left), np.zeros_like(left)
    stored_wh = 0
    for column in range(month.quarters):
        over = int(left[column] - wanted[column])
        take = min(max(over, 0), _STEP_WH, (_CAPACITY_WH - stored_wh) * 10 // 9)
        give = min(max(-over, 0), _STEP_WH, stored_wh)
        charged[column], discharged[column] = take, give
        stored_wh += take * 9 // 10 - give
    return charged, discharged


def _rows(part: RegisterMatrix, rows: list[int]) -> RegisterMatrix:
    return RegisterMatrix(part.energy_wh[rows], part.missing[rows], part.estimated[rows])


def _days(
    name: str, direction: Direction, energy_wh: WhArray, silent: date | None = None
) -> list[DayValues]:
    start_s, days = local_day(FIRST)[0], []
    for day in DAYS:
        first, after = ((each - start_s) // QUARTER_S for each in local_day(day))
        wh: list[int | None] = [int(each) for each in energy_wh[first:after]]
        quality = ["m"] * len(wh)
        if day == silent:
            for place in GAP_QUARTERS:
                wh[place], quality[place] = None, "-"
        days.append(
            DayValues(name, direction, day, tuple(wh), "".join(quality), Source.P4, "recorded")
        )
    return days
