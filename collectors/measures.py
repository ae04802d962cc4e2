"""What the collector tells Prometheus: counts and ages of the whole, never of a gateway or home."""

from __future__ import annotations

from pathlib import Path

from collectors.backlog import backlog_of
from collectors.ingest import Totals
from collectors.record_measures import record_measures
from kwartier.clock import Clock
from kwartier.metrics_text import Measure, disk_measures

_COUNTED = {
    "messages": "Messages that arrived.",
    "overflowed": "Messages let go of because too many waited; they are sent again.",
    "postponed": "Messages let go of because the record took nothing; they are sent again.",
    "foreign": "Messages on a topic that names no gateway.",
    "taken": "Blocks taken in.",
    "again": "Blocks that were taken in before.",
    "early": "Blocks that came before the one that was wanted.",
    "set_aside": "Messages kept as dead letters.",
    "skipped": "Blocks that a gateway no longer had and the record never had.",
    "transactions": "Transactions committed and acknowledged.",
}


class Pulse:
    """Notices when blocks were acknowledged last, to the second; looked at once a second."""

    def __init__(self, clock: Clock) -> None:
        """Know of no acknowledgement yet."""
        self._clock = clock
        self._transactions = 0
        self._at_s: float | None = None

    def look(self, totals: Totals) -> None:
        """Look whether there were more: after each transaction its gateways are told."""
        if totals.transactions != self._transactions:
            self._transactions = totals.transactions
            self._at_s = self._clock.monotonic_s()

    @property
    def age_s(self) -> float | None:
        """How long ago the last one was [s]; None before the first since the start."""
        return None if self._at_s is None else self._clock.monotonic_s() - self._at_s


def collector_measures(
    totals: Totals,
    pulse: Pulse,
    record: Path,
    clock: Clock,
    *,
    forwards: bool,
    linked: bool,
) -> list[Measure]:
    """Return what a collector tells now.

    Args:
        totals: What it did since its start.
        pulse: When it acknowledged last.
        record: Its record's file.
        clock: What time it is.
        forwards: Whether it passes readings on to InfluxDB.
        linked: Whether it has a link with the broker.

    Raises:
        StoreBusyError: The record cannot be read now.
        StoreDamagedError: The record is damaged.
    """
    told = [
        Measure("kwartier_link_up", "1 while there is a link with the broker.", linked),
        Measure(
            "kwartier_ack_age_seconds",
            "Since a gateway was last told how far the record reaches [s].",
            pulse.age_s,
        ),
        *(
            Measure(f"kwartier_collect_{name}_total", meaning, getattr(totals, name))
            for name, meaning in _COUNTED.items()
        ),
        *disk_measures(record.parent),
        *record_measures(record, int(clock.now_s())),
    ]
    return [*told, *_forwarding(record, clock)] if forwards else told


def _forwarding(record: Path, clock: Clock) -> list[Measure]:
    behind = backlog_of(record)
    age_s = 0.0 if behind.oldest_s is None else max(0.0, clock.now_s() - behind.oldest_s)
    return [
        Measure("kwartier_forward_age_seconds", "Age of the oldest block that waits [s].", age_s),
        Measure("kwartier_forward_blocks", "Blocks that wait for InfluxDB.", behind.blocks),
        Measure("kwartier_forward_refused_total", "Lines refused for good.", behind.refused),
    ]
