"""A street of eight homes for the settlement of October 2026, in books of its own.

Two homes have panels; a corporation owns a home that stands empty until it is let; one resident
moves out in the middle of the month and another moves in; the tariff changes in the middle of the
month; there is a battery; and the month has a day of a hundred quarters. Nobody in it exists.
"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

from api.cooperative.database import Books, Desk
from api.cooperative.four_eyes import Proposal, approve
from api.cooperative.law import (
    Decision,
    DecisionKind,
    KeyTerms,
    Result,
    TariffTerms,
    add_key,
    add_tariff,
    record_decision,
)
from api.cooperative.officers import Officer
from api.cooperative.readings import DayValues, Direction, Source, store_days
from api.cooperative.registry import (
    Connection,
    Party,
    PartyKind,
    VatStatus,
    add_connection,
    add_member,
    add_party,
    own,
)
from api.cooperative.runs.month import Month
from api.cooperative.settings import Address, CoopSettings
from kwartier.interval import local_day, quarters_of_day
from optimizer.settling.battery_models import BatteryModel

OCTOBER = Month(2026, 10)
PERIOD = "2026-10"
MOVE = date(2026, 10, 16)
"""On this day another resident comes to live at home-3."""
LET = date(2026, 10, 20)
"""On this day the corporation's empty home is let."""
CHANGE = date(2026, 10, 12)
"""From this day on the second tariff holds."""
SUNNY = ("home-1", "home-2")
HOMES = tuple(f"home-{number}" for number in range(1, 9))
NOVEMBER_S = local_day(date(2026, 11, 2))[0] + 9 * 3600
"""Nine in the morning on 2 November 2026 [s]."""

SETTINGS = CoopSettings(
    Path("books"),
    "street",
    "Coöperatie Straat U.A.",
    Address("Dorpsstraat", "1", "1234 AB", "Dorp"),
    "12345678",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
)


def set_up(
    books: Books,
    treasurer: Officer,
    board: Officer,
    *,
    homes: tuple[str, ...] = HOMES,
    model: BatteryModel | None = BatteryModel.COOP_BUYS,
    month: Month = OCTOBER,
) -> None:
    """Register everybody, decide on key and tariffs with two people, and store the readings."""
    with books.desk(treasurer) as desk:
        _register(desk, homes, month)
        proposals = _decide(desk, model, month)
    with books.desk(board) as desk:
        for proposal in proposals:
            approve(desk, proposal.id, proposal.body_hash)
    with books.desk(treasurer) as desk:
        store_days(desk, readings(homes, month))


def readings(homes: tuple[str, ...] = HOMES, month: Month = OCTOBER) -> list[DayValues]:
    """Return the month's days of all homes and of the battery."""
    days = [
        _day(name, direction, day)
        for name in homes
        for direction in (Direction.IMPORT, Direction.EXPORT)
        for day in month.days
        if direction is Direction.IMPORT or name in SUNNY
    ]
    battery = [
        _battery(direction, day)
        for direction in (Direction.CHARGE, Direction.DISCHARGE)
        for day in month.days
    ]
    return [*days, *battery]


def one_day(name: str, day: date, extra_wh: int) -> DayValues:
    """Return a day of a home's import with more use at noon: what a correction brings."""
    values = _day(name, Direction.IMPORT, day)
    wh = list(values.wh)
    noon = len(wh) // 2
    wh[noon] = (wh[noon] or 0) + extra_wh
    return DayValues(
        name,
        Direction.IMPORT,
        day,
        tuple(wh),
        values.quality,
        Source.MANUAL,
        "the meter's display was read by hand",
    )


def ean_of(number: int) -> str:
    """Return an EAN-18 whose check digit is right."""
    body = f"8716859000{number:07d}"
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(body))
    return f"{body}{(10 - total % 10) % 10}"


def _register(desk: Desk, homes: tuple[str, ...], month: Month) -> None:
    first = month.before().first
    for number, name in enumerate(homes, 1):
        add_connection(desk, Connection(name, ean_of(number), "greenchoice", 25, 3))
        if name == "home-8":
            continue
        status = VatStatus.REGISTERED if name == "home-2" else VatStatus.NONE
        member = name.replace("home", "lid")
        add_party(
            desk,
            Party(
                member,
                PartyKind.RESIDENT,
                f"Bewoner {number}",
                Address("Dorpsstraat", str(number), "1234 AB", "Dorp"),
                vat_status=status,
                vat_number="NL850000014B01" if status is VatStatus.REGISTERED else "",
            ),
        )
        add_member(desk, member, first)
        own(desk, name, member, first, MOVE if name == "home-3" else None)
    if "home-3" in homes:
        add_party(desk, Party("lid-3b", PartyKind.RESIDENT, "Nieuwe bewoner"))
        add_member(desk, "lid-3b", MOVE)
        own(desk, "home-3", "lid-3b", MOVE)
    if "home-8" in homes:
        add_party(desk, Party("lid-8", PartyKind.RESIDENT, "Huurder"))
        add_party(desk, Party("corporatie", PartyKind.CORPORATION, "Woningstichting"))
        add_member(desk, "corporatie", first)
        add_member(desk, "lid-8", LET)
        own(desk, "home-8", "corporatie", date(2026, 10, 6), LET)
        own(desk, "home-8", "lid-8", LET)


def _decide(desk: Desk, model: BatteryModel | None, month: Month) -> list[Proposal]:
    start_s = month.before().start_s
    for number, kind in (("2026-01", DecisionKind.KEY), ("2026-02", DecisionKind.TARIFF)):
        record_decision(
            desk,
            Decision(
                number,
                kind,
                "the members' meeting",
                "0" * 64,
                date(2026, 1, 15),
                10,
                8,
                Result.ADOPTED,
                start_s,
            ),
        )
    efficiency = "" if model is None else "0.9"
    key = KeyTerms({"type": "proportional"}, battery_model=model, efficiency=efficiency)
    changes = local_day(CHANGE if month == OCTOBER else month.days[11])[0]
    return [
        add_key(desk, "sleutel-1", "2026-01", start_s, key),
        add_tariff(
            desk,
            "tarief-1",
            "2026-02",
            start_s,
            TariffTerms("0.18", "0.12", "0.01", fee_per_month="2.50", reference="0.10"),
        ),
        add_tariff(
            desk,
            "tarief-2",
            "2026-02",
            changes,
            TariffTerms("0.195", "0.13", "0.01", fee_per_month="3.00", reference="0.10"),
        ),
    ]


def _day(name: str, direction: Direction, day: date) -> DayValues:
    """Return a day that looks like no other: use from a hash, sun by the hour and the clouds."""
    quarters = len(quarters_of_day(day))
    noise = hashlib.shake_256(f"{name} {direction} {day}".encode()).digest(quarters)
    if direction is Direction.IMPORT:
        wh = [30 + each for each in noise]
    else:
        noon, clouds = quarters // 2, 40 + day.day * 37 % 60
        sun = [max(0, 700 - 28 * abs(at - noon)) for at in range(quarters)]
        wh = [most * (clouds + each // 16) // 100 for most, each in zip(sun, noise, strict=True)]
    return DayValues(name, direction, day, tuple(wh), "m" * quarters, Source.P4)


def _battery(direction: Direction, day: date) -> DayValues:
    quarters = len(quarters_of_day(day))
    first = 44 if direction is Direction.CHARGE else 76
    power = 250 if direction is Direction.CHARGE else 200
    wh = [power if first <= at < first + 8 else 0 for at in range(quarters)]
    return DayValues("battery-1", direction, day, tuple(wh), "m" * quarters, Source.P1)
