"""The demo's books: a cooperative that settled one month, and another that waits for its board."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from api.cooperative.database import Books, Desk
from api.cooperative.four_eyes import approve as approve_proposal
from api.cooperative.four_eyes import open_proposals
from api.cooperative.keys import read_keys
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
from api.cooperative.officers import Officer, Role
from api.cooperative.readings import DayValues, Direction, Source, store_days
from api.cooperative.registry import (
    Connection,
    Party,
    PartyKind,
    add_connection,
    add_member,
    add_party,
    own,
)
from api.cooperative.registry.founding import FirstOfficer, found
from api.cooperative.runs import approve, close, compute, invoice, post, propose, run_of
from api.cooperative.runs.month import Month
from api.cooperative.settings import KEYS, Address, CoopSettings, read_settings
from api.embedded.street import BATTERY, COOP
from api.office import Office
from hardware.twins.household import Habits, street_of, sun_w, use_w
from kwartier.clock import Clock, SystemClock
from kwartier.interval import QUARTER_S, day_of, local_day
from kwartier.model import Community
from kwartier.units import Wh
from optimizer.settling.battery_models import BatteryModel

TREASURER = Officer("penningmeester", "anna", frozenset({Role.BOARD, Role.TREASURER}))
BOARD = Officer("voorzitter", "bram", frozenset({Role.BOARD}))
OFFICERS = {each.id: each.person for each in (TREASURER, BOARD)}
"""The officers, and the parties they are."""
_SILENT = {"huis-07": range(3, 9), "huis-12": range(20, 28)}
"""Days of the last month, by home, of which the readings are missing."""


def make_demo_books(folder: Path, community: Community, sun_of_day: int | None) -> None:
    """Make the books of a new cooperative in a folder; nobody in it exists.

    The month before last is settled and closed. Last month is computed, and two homes that were
    silent for days keep it from being proposed.
    """
    clock = SystemClock()
    months = _months(day_of(clock.now_s()))
    settings = CoopSettings(
        folder,
        COOP,
        "Coöperatie De Zonnehof U.A.",
        Address("Zonnehof", "1", "3811 AA", "Amersfoort"),
        "",
        "",
        "",
        "",
        "085-0000000",
        "",
        "",
        "",
    )
    urls = {"url": "sqlite:///books.db"}
    first = FirstOfficer(TREASURER.id, TREASURER.person, "Anna de Demo")
    second = FirstOfficer(BOARD.id, BOARD.person, "Bram de Demo")
    found(settings, urls, first, second, clock)
    known = read_settings(folder)
    books = Books(known.database, read_keys(folder / KEYS), clock)
    with books.desk(TREASURER) as desk:
        _register(desk, community, months[0])
        _decide(desk, months[0])
    with books.desk(BOARD) as desk:
        for proposal in open_proposals(desk):
            approve_proposal(desk, proposal.id, proposal.body_hash)
    with books.desk(TREASURER) as desk:
        store_days(desk, list(_readings(community, months, sun_of_day)))
    _settle(books, known, months[0])
    with books.desk(TREASURER) as desk:
        compute(desk, known, str(months[1]))
    books.close()


def make_undisturbed(folder: Path, community: Community, sun_of_day: int | None) -> None:
    """Make the books in a process that leaves Ctrl-C to the one that began it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    make_demo_books(folder, community, sun_of_day)


def open_demo_office(folder: Path, clock: Clock) -> Office:
    """Return the office over books that were made."""
    settings = read_settings(folder)
    return Office(Books(settings.database, read_keys(folder / KEYS), clock), settings, clock)


def _months(today: date) -> tuple[Month, Month]:
    last = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    before = (last - timedelta(days=1)).replace(day=1)
    return Month(before.year, before.month), Month(last.year, last.month)


def _settle(books: Books, settings: CoopSettings, month: Month) -> None:
    run = f"{month}/1"
    with books.desk(TREASURER) as desk:
        compute(desk, settings, str(month))
        propose(desk, run)
    with books.desk(BOARD) as desk:
        approve(desk, run, run_of(desk, run).last.body_hash)
    with books.desk(TREASURER) as desk:
        post(desk, run)
        invoice(desk, settings, run)
        close(desk, run)


def _register(desk: Desk, community: Community, first: Month) -> None:
    for number, home in enumerate(community.connections.values(), 1):
        gateway = Connection(
            home.id, _ean(number), "zonnehof-energie", 25, 3, gateway=home.gateway, meter=home.meter
        )
        add_connection(desk, gateway)
        place = Address("Zonnehof", str(number), "3811 AA", "Amersfoort")
        add_party(desk, Party(home.member, PartyKind.RESIDENT, f"Bewoner {number}", place))
        add_member(desk, home.member, first.first)
        own(desk, home.id, home.member, first.first)


def _decide(desk: Desk, first: Month) -> None:
    held = first.first - timedelta(days=30)
    for number, kind in (("demo-01", DecisionKind.KEY), ("demo-02", DecisionKind.TARIFF)):
        decision = Decision(
            number,
            kind,
            "de ledenvergadering",
            "0" * 64,
            held,
            20,
            18,
            Result.ADOPTED,
            first.start_s,
        )
        record_decision(desk, decision)
    model = BatteryModel.COOP_BUYS
    key = KeyTerms({"type": "proportional"}, battery_model=model, efficiency="0.9")
    add_key(desk, "naar-verbruik", "demo-01", first.start_s, key)
    terms = TariffTerms("0.18", "0.12", "0.01", fee_per_month="2.50", reference="0.27")
    add_tariff(desk, "tarief-1", "demo-02", first.start_s, terms)


def _readings(
    community: Community, months: tuple[Month, Month], sun_of_day: int | None
) -> Iterator[DayValues]:
    habits = street_of(len(community.connections), sun_of_day)
    for home, lives in zip(community.connections, habits, strict=True):
        for month in months:
            silent = _SILENT.get(home, range(0)) if month == months[1] else range(0)
            for day in month.days:
                if day.day not in silent:
                    yield from _home_day(home, lives, day)
    for month in months:
        for day in month.days:
            yield _battery_day(Direction.CHARGE, day, 44, 2_000)
            yield _battery_day(Direction.DISCHARGE, day, 74, 1_800)


def _home_day(home: str, lives: Habits, day: date) -> Iterator[DayValues]:
    start_s, end_s = local_day(day)
    taken: list[Wh] = []
    given: list[Wh] = []
    for at_s in range(start_s, end_s, QUARTER_S):
        middle_s = at_s + QUARTER_S // 2
        net_wh = (use_w(lives, middle_s) - sun_w(lives, middle_s)) // 4
        taken.append(max(0, net_wh))
        given.append(max(0, -net_wh))
    yield _day(home, Direction.IMPORT, day, taken)
    if lives.solar_peak_w:
        yield _day(home, Direction.EXPORT, day, given)


def _battery_day(direction: Direction, day: date, first: int, each_wh: Wh) -> DayValues:
    start_s, end_s = local_day(day)
    count = (end_s - start_s) // QUARTER_S
    energy = [each_wh if first <= place < first + 10 else 0 for place in range(count)]
    return _day(BATTERY.id, direction, day, energy)


def _day(name: str, direction: Direction, day: date, energy: list[Wh]) -> DayValues:
    return DayValues(name, direction, day, tuple(energy), "m" * len(energy), Source.P1)


def _ean(number: int) -> str:
    """Return an EAN-18 whose check digit is right, of nobody."""
    body = f"8716859999{number:07d}"
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(body))
    return f"{body}{(10 - total % 10) % 10}"
