"""A street of forty homes on a day in July, fed to a real store as real blocks."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from fastapi import FastAPI

from api.app import create_app
from api.house import House, house_of
from api.people.accounts import SYSTEM, add_account
from api.people.cards import card_for_home
from api.people.opening import open_people
from api.people.sessions import hash_of, open_session
from api.people.tables import CardRow, CompanionRow, StayRow
from api.plan_book import SqlitePlanBook
from api.plans import NeighbourhoodPlan, PlanBlock, PlannedQuarter
from collectors.sqlite_store import SqliteStore
from collectors.store import Store
from kwartier.bus import InProcessBus
from kwartier.clock import VirtualClock
from kwartier.interval import QUARTER_S, local_day, quarters_of_day
from kwartier.model import Battery, Community, Connection
from kwartier.reading import Reading
from kwartier.units import EpochS, Wh
from kwartier.wire import block_of, encode_block

DAY = date(2026, 7, 1)
LUNCH_S = int(datetime(2026, 7, 1, 11, 5, tzinfo=UTC).timestamp())
"""Five past one in Amsterdam."""


@dataclass(frozen=True, slots=True)
class Street:
    """A house to serve, and the levers a test may pull."""

    house: House
    app: FastAPI
    clock: VirtualClock
    bus: InProcessBus

    def card(self, home: str = "huis-01") -> str:
        """Return a new login card for a home."""
        return card_for_home(self.house.people, home, SYSTEM)

    def session(self, home: str = "huis-01") -> str:
        """Return the id of a new session of who lives in a home."""
        number = self.card(home)[:4]
        with self.house.people.writing() as desk:
            card = desk.session.get_one(CardRow, number)  # who made it need not prove it
            return open_session(desk, card.account, "card", card=card.number)

    def helper(self, home: str) -> tuple[str, int]:
        """Return the session of who looks along with a resident, and the number of that link."""
        with self.house.people.writing() as desk:
            account = add_account(desk, SYSTEM, name="resident")
            desk.session.add(StayRow(account=account, home=home, from_s=0, until_s=None))
            link = CompanionRow(
                account=account,
                home=home,
                name="zus",
                hash=hash_of(f"link of {home}"),
                from_s=0,
                until_s=desk.at_s + 900,
                ended_at_s=None,
                seen_at_s=None,
            )
            desk.session.add(link)
            desk.session.flush()
            return open_session(desk, account, "link", companion=link.id), link.id


def community_of(homes: int, solar_every: int = 2) -> Community:
    """Return a street of some homes; every so many have an inverter that is read."""
    names = [f"huis-{number:02}" for number in range(1, homes + 1)]
    connections = {
        name: Connection(
            name, f"lid-{place}", f"gw-{place:02}", solar="pv" if place % solar_every == 0 else None
        )
        for place, name in enumerate(names)
    }
    battery = Battery("wijkbatterij", "gw-accu", "battery", 120_000, 40_000, 40_000)
    return Community("zonnehof", "Zonnehof", connections, {battery.id: battery})


@contextmanager
def street(
    folder: Path,
    *,
    homes: int = 40,
    day: date = DAY,
    now_s: EpochS = LUNCH_S,
    silent: Mapping[str, range] | None = None,
    public_url: str = "http://127.0.0.1:8000",
    planned: bool = True,
    community: Community | None = None,
) -> Iterator[Street]:
    """Yield a street with a day in its record, up to ``now_s``.

    Args:
        folder: Where its files go.
        homes: How many homes.
        day: Which local day.
        now_s: What time it is [s].
        silent: Quarters of the day, by home, in which its meter says nothing.
        public_url: The address people type.
        planned: Whether a plan was made.
        community: The neighbourhood; so many homes and a shared battery where none is given.
    """
    community = community or community_of(homes)
    clock, bus = VirtualClock(now_s), InProcessBus()
    with SqliteStore(folder / "telemetry.db") as store:
        feed_day(store, community, day, now_s, silent or {})
        plans = SqlitePlanBook(folder / "plans.db")
        if planned:
            plans.keep(plan_of(day))
        people = open_people(folder, clock)
        house = house_of(community, store, plans, people, clock, bus, public_url)
        yield Street(house, create_app(house), clock, bus)
        house.live.close()
        people.close()
        plans.close()


def feed_day(
    store: Store, community: Community, day: date, now_s: EpochS, silent: Mapping[str, range]
) -> None:
    """Store a day's registers, one reading at each quarter's edge until now, and one now."""
    for place, connection in enumerate(community.connections.values()):
        roof_kwp = 0.0 if connection.solar is None else 3.0 + place % 4
        quiet = silent.get(connection.id, range(0))
        meter = _Registers(day, now_s, quiet, place, roof_kwp)
        feed(store, connection.gateway, 1, meter.p1())
        if connection.solar is not None:
            feed(store, connection.gateway, 2, meter.inverter())
    for battery in community.batteries.values():
        feed(store, battery.gateway, 1, _battery_readings(day, now_s))


def feed(store: Store, gateway: str, seq: int, readings: list[Reading]) -> None:
    """Store readings of one device as one block."""
    block = block_of(readings, gateway, "e1", seq)
    with store.intake() as intake:
        intake.add(block, encode_block(block), readings[-1].at_s)
        intake.advance(gateway, "e1", seq)


def solar_wh(kwp: float, hour: float) -> Wh:
    """Return what a roof makes in the quarter at a local hour: a clear day with a cloud at 15."""
    height = max(0.0, math.sin(math.pi * (hour - 5.6) / 16.2)) if 5.6 < hour < 21.8 else 0.0
    cloud = 1 - 0.45 * math.exp(-((hour - 15.2) ** 2) / 0.35)
    return round(kwp * 185 * math.pow(height, 1.6) * cloud)


def use_wh(home: int, hour: float) -> Wh:
    """Return what a home uses in the quarter at a local hour: a morning, a noon and an evening."""
    luck = random.Random(f"{home} {hour}")  # noqa: S311 - the same street every time
    morning, noon = math.exp(-((hour - 7.6) ** 2) / 1.6), math.exp(-((hour - 12.7) ** 2) / 2.5)
    evening = math.exp(-((hour - 18.9) ** 2) / 4.2)
    mean = 48 + 95 * morning + 55 * noon + 210 * evening
    return round(mean * (0.6 + 0.8 * luck.random()) + (420 if luck.random() < 0.02 else 0))


def plan_of(day: date) -> NeighbourhoodPlan:
    """Return a plan that charges from 10.45 to 14.30 and gives back from 17.30 to 21.15."""
    start_s, _ = local_day(day)
    stored, quarters = 20_000.0, []
    for quarter in quarters_of_day(day):
        hour = (quarter.start_s - start_s) / 3600
        power = 24_000 if 10.75 <= hour < 14.5 else -20_000 if 17.5 <= hour < 21.25 else 0
        stored += power / 4 * (0.96 if power > 0 else 1 / 0.955)
        sun = sum(solar_wh(3.0 + place % 4, hour) for place in range(0, 40, 2))
        use = round(sum(use_wh(place, hour) for place in range(40)) * 0.97)
        quarters.append(
            PlannedQuarter(
                quarter.start_s, sun, use, power, round(stored / 120), 0.09 if sun > use else 0.27
            )
        )
    blocks = [
        (0.0, 10.75, "idle", "hold", "De batterij wacht.", "The battery waits."),
        (
            10.75,
            14.5,
            "charge",
            "solar_surplus",
            "Er is meer zon dan we gebruiken.",
            "There is more sun than we use.",
        ),
        (
            14.5,
            17.5,
            "idle",
            "hold",
            "De batterij wacht: vanavond is stroom duurder.",
            "The battery waits: power costs more tonight.",
        ),
        (
            17.5,
            21.25,
            "discharge",
            "price_peak",
            "Stroom is nu duur, en de batterij is vol.",
            "Power is expensive now, and the battery is full.",
        ),
    ]
    return NeighbourhoodPlan(
        "p-20260701",
        start_s,
        "optimal",
        tuple(quarters),
        tuple(
            PlanBlock(
                start_s + int(first * 3600), start_s + int(last * 3600), "wijkbatterij", *rest
            )
            for first, last, *rest in blocks
        ),
        31.2,
        44.9,
    )


class _Registers:
    """Two meters of one home, counting up through a day."""

    def __init__(self, day: date, now_s: EpochS, quiet: range, home: int, kwp: float) -> None:
        self._rows: list[tuple[EpochS, dict[str, int], dict[str, int]]] = []
        taken, given, made = 1_000_000, 500_000, 250_000
        start_s, end_s = local_day(day)
        taken_w = given_w = made_w = 0
        for place, at_s in enumerate(range(start_s, min(now_s, end_s) + 1, QUARTER_S)):
            meter = {"import_wh": taken, "export_wh": given}
            inverter = {"produced_wh": made}
            if place not in quiet:
                self._rows.append((at_s, meter, inverter))
            hour = (at_s - start_s) / 3600
            sun, used = solar_wh(kwp, hour), use_wh(home, hour)
            net = used - sun
            taken, given, made = taken + max(0, net), given + max(0, -net), made + sun
            taken_w, given_w, made_w = max(0, net) * 4, max(0, -net) * 4, sun * 4
        last_s, meter, inverter = self._rows[-1]
        if max(quiet, default=-1) < (now_s - start_s) // QUARTER_S:
            last_s = max(last_s + 1, now_s - 5)
        self._rows.append(
            (
                last_s,
                meter | {"import_w": taken_w, "export_w": given_w},
                inverter | {"solar_w": made_w},
            )
        )

    def p1(self) -> list[Reading]:
        return [Reading("p1", "m1", at_s, values) for at_s, values, _ in self._rows]

    def inverter(self) -> list[Reading]:
        return [Reading("pv", "i1", at_s, values) for at_s, _, values in self._rows]


def _battery_readings(day: date, now_s: EpochS) -> list[Reading]:
    plan = plan_of(day)
    charged = discharged = 100_000
    readings = []
    for quarter in plan.quarters:
        if quarter.start_s > now_s:
            break
        values = {
            "charged_wh": charged,
            "discharged_wh": discharged,
            "battery_w": quarter.battery_w,
            "soc_permille": quarter.soc_permille,
        }
        readings.append(Reading("battery", "b1", quarter.start_s, values))
        charged += max(0, quarter.battery_w // 4)
        discharged += max(0, -quarter.battery_w // 4)
    last = readings[-1]
    return [*readings, replace(last, at_s=max(last.at_s + 1, now_s - 5))]
