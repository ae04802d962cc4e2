"""How the house's own machinery does: plans, queues, databases, chains, and who may work where."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, func, select, text

from api.cooperative.backup import Remark, remark_of
from api.cooperative.chain import verify_chains
from api.house import House
from api.people.accounts import live_grants
from api.people.acts import first_broken
from api.people.tables import MessageRow
from api.people.visitor import Role
from collectors.checkup import Condition, read_condition
from collectors.sqlite_store import SqliteStore
from collectors.store import Counts
from collectors.union_store import UnionStore
from kwartier.errors import InputError
from kwartier.units import EpochS

CHAINS_AGE_S = 300.0
"""How long it is told again whether the chains are whole [s]: looking takes a moment."""


@dataclass(frozen=True, slots=True)
class PlanHealth:
    """The plan in force.

    Attributes:
        made_s: When it was made [s].
        status: ``optimal``, ``relaxed`` or ``fallback``.
    """

    made_s: EpochS
    status: str


@dataclass(frozen=True, slots=True)
class LiveGrant:
    """Somebody who may work at a home now; the account's id, never a name."""

    account: str
    home: str
    until_s: EpochS | None


@dataclass(frozen=True, slots=True)
class ChainHealth:
    """One chain: how long it is, and whether it is whole.

    Attributes:
        name: ``people`` or ``books``.
        whole: Whether nothing in it was changed.
    """

    name: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """How the house's own machinery does.

    Attributes:
        plan: The plan in force; None before the first.
        messages: Messages by their state.
        sizes: Databases by their name [bytes]; one that cannot be measured is absent.
        counts: What the record holds.
        grants: Who may work where now.
        chains: The chains of acts.
        backups: What is remembered of backups, of ``people`` and ``books``.
        condition: What the collector wrote of the record's file; None before it did.
    """

    plan: PlanHealth | None
    messages: Mapping[str, int]
    sizes: Mapping[str, int]
    counts: Counts
    grants: tuple[LiveGrant, ...]
    chains: tuple[ChainHealth, ...]
    backups: Mapping[str, Remark]
    condition: Condition | None = None


class Chains:
    """Says whether the chains are whole; looks anew after some minutes. Safe between threads."""

    def __init__(self, house: House) -> None:
        """Look at the chains of a house."""
        self._house = house
        self._lock = threading.Lock()
        self._known: tuple[float, tuple[ChainHealth, ...]] | None = None

    def look(self) -> tuple[ChainHealth, ...]:
        """Return how the chains are."""
        now_s = self._house.clock.monotonic_s()
        with self._lock:
            if self._known is None or now_s - self._known[0] >= CHAINS_AGE_S:
                self._known = (now_s, self._looked())
            return self._known[1]

    def _looked(self) -> tuple[ChainHealth, ...]:
        with self._house.people.reading() as desk:
            people = ChainHealth("people", first_broken(desk) is None)
        if self._house.office is None:
            return (people,)
        with self._house.office.reading() as books:
            return people, ChainHealth("books", verify_chains(books) == [])


def machine(house: House, chains: Chains) -> Machine:
    """Return how the house's own machinery does."""
    plan = house.plans.current()
    with house.people.reading() as desk:
        states = desk.session.execute(
            select(MessageRow.state, func.count()).group_by(MessageRow.state)
        )
        messages = {state: int(count) for state, count in states}
        grants = tuple(
            LiveGrant(each.account, each.home, each.until_s)
            for each in live_grants(desk)
            if each.role == Role.INSTALLER
        )
    engines = {"people": house.people.engine}
    if house.office is not None:
        engines["books"] = house.office.books.engine
    sizes = {name: _size_bytes(engine) for name, engine in engines.items()}
    if isinstance(house.store, SqliteStore | UnionStore):
        sizes["record"] = house.store.size_bytes()
    return Machine(
        None if plan is None else PlanHealth(plan.made_s, plan.status),
        messages,
        sizes,
        house.store.counts(),
        grants,
        chains.look(),
        _backups(house),
        _condition(house),
    )


def _condition(house: House) -> Condition | None:
    """Return what the collector wrote last of its record; one that makes no sense is none."""
    if not isinstance(house.store, SqliteStore):
        return None
    try:
        return read_condition(house.store.path)
    except InputError:
        return None


def _backups(house: House) -> dict[str, Remark]:
    """Return what is remembered of backups, by what was backed up."""
    found: dict[str, Remark] = {}
    if house.people.folder is not None:
        found["people"] = remark_of(house.people.folder)
    if house.office is not None:
        found["books"] = remark_of(house.office.settings.folder)
    return found


def _size_bytes(engine: Engine) -> int:
    if engine.dialect.name == "postgresql":
        asked = "SELECT pg_database_size(current_database())"
    else:
        asked = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    with engine.connect() as connection:
        return int(connection.scalar(text(asked)) or 0)
