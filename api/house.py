"""What the roof is handed: every part it serves, put together in one place per process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from api.cards import CardBook
from api.live import LiveFeed
from api.plans import PlanBook
from api.signals import Signal
from collectors.queries import Records
from collectors.store import Store
from kwartier.clock import Clock
from kwartier.model import Community
from optimizer.balance import QuarterReadings
from optimizer.settlement import DaySettlement

Settle: TypeAlias = Callable[[Sequence[QuarterReadings]], DaySettlement]
"""Settles some quarters by the rules and the tariff in force."""
ReadSignal: TypeAlias = Callable[[float], Signal]
"""Tells whether an instant [s] is a good moment to use power."""


@dataclass(frozen=True, slots=True)
class House:
    """The parts behind the pages.

    Attributes:
        community: The neighbourhood.
        store: The record.
        records: Answers from it.
        plans: What was planned.
        clock: What time it is.
        settle: Settles some quarters.
        signal: Tells whether now is a good moment.
        live: The newest values.
        cards: Login cards and sessions.
        public_url: The address people type, without a slash at the end.
        version: The software's version, for the footer.
    """

    community: Community
    store: Store
    records: Records
    plans: PlanBook
    clock: Clock
    settle: Settle
    signal: ReadSignal
    live: LiveFeed
    cards: CardBook
    public_url: str = "http://127.0.0.1:8000"
    version: str = "0"
