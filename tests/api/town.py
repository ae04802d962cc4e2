"""A street with its books, its record and its people: what pages need to be looked at.

The eight homes of ``tests.api.cooperative.street`` at nine in the morning of 2 November 2026, the
books at a stage that the test names, and everybody with a session at hand.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from api.app import create_app
from api.cooperative.database import Books
from api.cooperative.keys import Keys, make_keys
from api.cooperative.officers import Role as BookRole
from api.cooperative.readings import DayValues
from api.cooperative.registry import OfficerTerm, Party, PartyKind, add_party, first_officers
from api.cooperative.schema import bring_up_to_date
from api.house import House, house_of
from api.office import Office
from api.people.accounts import SYSTEM, account_of_party, add_account, grant
from api.people.cards import card_for_home
from api.people.opening import open_people
from api.people.sessions import open_session
from api.people.tables import AccountRow, CardRow
from api.people.visitor import Role
from api.plan_book import SqlitePlanBook
from collectors.sqlite_store import SqliteStore
from kwartier.bus import InProcessBus
from kwartier.clock import VirtualClock
from kwartier.interval import day_of
from kwartier.model import Battery, Community, Connection
from tests.api.cooperative.stages import ACTS, BOARD, TREASURER, Stage
from tests.api.cooperative.street import HOMES, NOVEMBER_S, SETTINGS, set_up
from tests.api.registers import feed_days
from tests.api.street import feed_day, plan_of

OFFICERS = {"treasurer": "anna", "board": "bram"}
"""The officers of the books, and the parties they are."""


@dataclass(frozen=True, slots=True)
class Town:
    """A house to serve, and a session for anybody in it.

    Attributes:
        house: The house.
        app: What answers.
        clock: Its clock, which a test may turn.
        books: The cooperative's books.
        bus: Brings live values.
    """

    house: House
    app: FastAPI
    clock: VirtualClock
    books: Books
    bus: InProcessBus

    def resident(self, home: str = "home-1") -> str:
        """Return a session of who lives in a home now."""
        number = card_for_home(self.house.people, home, SYSTEM)[:4]
        with self.house.people.writing() as desk:
            card = desk.session.get_one(CardRow, number)  # who made it need not prove it
            return open_session(desk, card.account, "card", card=card.number)

    def officer(self, officer: str, *, strong: bool = True) -> str:
        """Return a session of ``treasurer`` or ``board``, with a second factor unless told."""
        with self.house.people.writing() as desk:
            party = OFFICERS[officer]
            account = account_of_party(desk, party) or add_account(
                desk, SYSTEM, name=officer, party=party
            )
            desk.session.get_one(AccountRow, account).officer = officer
            return open_session(desk, account, "password", strong=strong)

    def operator(self, *, strong: bool = True) -> str:
        """Return a session of a new operator."""
        with self.house.people.writing() as desk:
            account = add_account(desk, SYSTEM, name="operator")
            grant(desk, SYSTEM, account, Role.OPERATOR)
            return open_session(desk, account, "password", strong=strong)

    def installer(self, home: str = "home-1", days: int = 14) -> str:
        """Return a session of a new installer who may work at a home."""
        with self.house.people.writing() as desk:
            account = add_account(desk, SYSTEM, name="installer")
            until_s = desk.at_s + days * 86_400
            grant(desk, SYSTEM, account, Role.INSTALLER, home=home, until_s=until_s)
            return open_session(desk, account, "password", strong=True)


class Towns:
    """Towns with books at every stage; each stage is made once and copied."""

    def __init__(self, folder: Path) -> None:
        """Begin with nothing made."""
        self._folder = folder
        self._keys: Keys = make_keys(folder / "keys")
        self._made: dict[Hashable, Path] = {}

    @contextmanager
    def at(
        self,
        stage: Stage,
        folder: Path,
        *,
        public_url: str = "http://127.0.0.1:8000",
        now_s: int = NOVEMBER_S,
        then: Callable[[Books], None] | None = None,
        past: tuple[DayValues, ...] = (),
    ) -> Iterator[Town]:
        """Yield a town whose books stand at a stage.

        Args:
            stage: How far October is settled.
            folder: Where the town's files go.
            public_url: The address people type.
            now_s: What time it is [s].
            then: What was done in the books after that; done once and copied, by its name.
            past: What was read before today.
        """
        file = folder / "books.db"
        shutil.copy(self._after(stage, then), file)
        clock, bus = VirtualClock(now_s), InProcessBus()
        books = Books(f"sqlite:///{file}", self._keys, clock)
        office = Office(books, SETTINGS, clock)
        community = community_of_homes()
        record = folder / "telemetry.db"
        self.once(("record", now_s, past), record, lambda: _feed(record, community, now_s, past))
        with SqliteStore(record) as store:
            plans = SqlitePlanBook(folder / "plans.db")
            plans.keep(plan_of(day_of(now_s)))
            people = open_people(folder, clock, office)
            house = house_of(community, store, plans, people, clock, bus, public_url, office=office)
            yield Town(house, create_app(house), clock, books, bus)
            house.live.close()
            people.close()
            plans.close()
        office.close()

    def once(self, sort: Hashable, file: Path, make: Callable[[], None]) -> None:
        """Let a file come about: the first of its sort is made, the next ones are copies.

        Args:
            sort: What decides on its contents.
            file: Where it shall be.
            make: Makes it there, and has closed it when it is done.
        """
        if sort in self._made:
            shutil.copy(self._made[sort], file)
            return
        make()
        kept = self._folder / f"made-{len(self._made)}{file.suffix}"
        self._made[sort] = Path(shutil.copy(file, kept))

    def _after(self, stage: Stage, then: Callable[[Books], None] | None) -> Path:
        if then is None:
            return self._master(stage)
        file = self._folder / f"{stage.name.lower()}-{then.__name__}.db"
        if not file.exists():
            made = file.with_suffix(".new")
            shutil.copy(self._master(stage), made)
            books = Books(f"sqlite:///{made}", self._keys, VirtualClock(NOVEMBER_S))
            then(books)
            books.close()
            made.rename(file)
        return file

    def _master(self, stage: Stage) -> Path:
        file = self._folder / f"{stage.name.lower()}.db"
        if not file.exists():
            made = file.with_suffix(".new")
            if stage is Stage.READY:
                bring_up_to_date(f"sqlite:///{made}")
            else:
                shutil.copy(self._master(Stage(stage - 1)), made)
            books = Books(f"sqlite:///{made}", self._keys, VirtualClock(NOVEMBER_S))
            if stage is Stage.READY:
                set_up(books, TREASURER, BOARD)
                _install_officers(books)
            else:
                ACTS[stage](books)
            books.close()
            made.rename(file)
        return file


def community_of_homes() -> Community:
    """Return the street's homes and its battery, as the record knows them."""
    connections = {
        name: Connection(
            name, name.replace("home", "lid"), f"gw-{place:02}", solar="pv" if place < 2 else None
        )
        for place, name in enumerate(HOMES)
    }
    battery = Battery("battery", "gw-accu", "battery", 120_000, 40_000, 40_000)
    return Community("street", "Straat", connections, {battery.id: battery})


def _feed(record: Path, community: Community, now_s: int, past: tuple[DayValues, ...]) -> None:
    with SqliteStore(record) as store:
        feed_day(store, community, day_of(now_s), now_s, {})
        feed_days(store, community, past)


def _install_officers(books: Books) -> None:
    with books.desk(TREASURER) as desk:
        for officer, person in OFFICERS.items():
            add_party(
                desk, Party(person, PartyKind.RESIDENT, f"Officer {officer}", SETTINGS.address)
            )
        first_officers(
            desk,
            OfficerTerm("treasurer", "anna", frozenset({BookRole.TREASURER})),
            OfficerTerm("board", "bram", frozenset({BookRole.BOARD})),
        )
