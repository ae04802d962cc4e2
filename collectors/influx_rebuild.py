"""InfluxDB filled again from the record; broken off, it goes on where it stopped.

Three parts. Readings: the journal from its beginning, as the forwarder sends it. Quarter-hours of
devices: from single readings, as far back as there are any, also in months that were put away, by
the rule of the task that writes them otherwise; the bucket keeps them for years where the readings
are gone. Then both sides are counted, day by day. Writing what is there already changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from collectors.forward_book import ForwardBook
from collectors.forwarder import Forwarder, Journal, Sink
from collectors.influx import MAX_LINES, Influx, InfluxSettings
from collectors.influx_counts import Difference, Past, compare_day, series_of
from collectors.influx_setup import ADMIN_FILE
from collectors.influx_store import InfluxStore
from collectors.influx_wanted import stands
from collectors.months.calendar import Month
from collectors.settings import CollectorSettings, InfluxPlace
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from kwartier.charts import DAY_S, QUARTER, QUARTERS
from kwartier.clock import Clock
from kwartier.errors import SettingsError
from kwartier.identity import CoopId
from kwartier.interval import QUARTER_S
from kwartier.progress import Progress
from kwartier.units import EpochS

_SHOWN = 20
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was done, and how both sides compare.

    Attributes:
        blocks: How many blocks this run sent.
        refused: How many lines were refused for good.
        quarters: How many quarter-hours of devices this run sent.
        record: How many instants of series the record holds in the days compared.
        influx: How many InfluxDB holds.
        differences: The first series that differ; when gateways were late meanwhile, run it again.
    """

    blocks: int
    refused: int
    quarters: int
    record: int
    influx: int
    differences: tuple[Difference, ...]

    @property
    def is_whole(self) -> bool:
        """Whether both hold the same."""
        return not self.differences


def rebuild(settings: CollectorSettings, tokens: Path, clock: Clock) -> Rebuilt:
    """Fill InfluxDB again beside a collector that runs or not; progress shows on a terminal.

    Raises:
        SettingsError: The settings name no InfluxDB, or there is no admin token.
        InfluxDownError: It is away; run it again, and it goes on from there.
        StoreBusyError: The record cannot be read now.
    """
    place = settings.influx
    if place is None:
        raise SettingsError("there is no table [influx] in the settings: see docs/settings.md")
    admin = _admin(tokens)
    path = settings.keeping.path
    notes = [path.with_name(f"{path.name}.{word}") for word in ("rebuilt", "rebuilt-quarters")]
    now_s = int(clock.now_s())
    with ExitStack() as parts:
        record = parts.enter_context(SqliteStore(path, read_only=True))
        raw = parts.enter_context(_door(place, admin, place.bucket))
        quarters = parts.enter_context(_door(place, admin, QUARTER.name))
        books = [ForwardBook(note) for note in notes]
        for book in books:
            parts.callback(book.close)
        keep_s = place.keep_days * DAY_S or None
        replaying = Forwarder(record, raw, books[0], settings.coop, clock, keep_s=keep_s)
        blocks = replay(record, replaying, books[0])
        held_s = now_s - settings.keeping.detail_days * DAY_S
        from_s = max(oldest_s(record, held_s), now_s - QUARTER.keep_s)
        sent = refill(record, record.generation, quarters, books[1], settings.coop, from_s, now_s)
        # The bucket lets go of its oldest day in pieces, so that one is not compared.
        since_s = max(held_s, 0 if keep_s is None else now_s - keep_s) + DAY_S
        told = compare(record, raw, settings.coop, clock, since_s)
        refused = books[0].dead
    for note in notes:
        for file in note.parent.glob(f"{note.name}*"):
            file.unlink()
    return Rebuilt(blocks, refused, sent, *told)


def replay(journal: Journal, forwarder: Forwarder, book: ForwardBook) -> int:
    """Send the journal from where the book says to its end; return how many blocks."""
    end, _ = journal.journal_end()
    shown = Progress("readings", end)
    sent = 0
    while taken := forwarder.step():
        sent += taken
        shown.show(book.position(journal.generation))
    shown.end()
    return sent


def oldest_s(record: SqliteStore, held_s: EpochS) -> EpochS:
    """Return from when on there are single readings: in the record, or in months put away [s].

    Args:
        record: Whose.
        held_s: From when on the record itself holds them at least; it keeps whole months [s].
    """
    months = [Month.containing(held_s), *(part.month for part in record.shelf.parts())]
    return min(months).start_s


def refill(
    past: Past,
    generation: str,
    sink: Sink,
    book: ForwardBook,
    site: CoopId,
    start_s: EpochS,
    end_s: EpochS,
) -> int:
    """Send the quarter-hours of ``[start_s, end_s)`` that are over; return how many.

    Single readings do not tell any more whose clock was unsure, so theirs count here too.

    Args:
        past: Holds the readings.
        generation: Its life; in another one it begins anew.
        sink: The bucket of quarter-hours.
        book: How far it got.
        site: The cooperative, as a tag.
        start_s: From when [s].
        end_s: Until when [s].
    """
    shown = Progress("quarters", end_s - start_s)
    begin_s = max(start_s, book.position(generation)) // QUARTER_S * QUARTER_S
    end_s = end_s // QUARTER_S * QUARTER_S
    series = series_of(past)
    sent = 0
    for day_s in range(begin_s, end_s, DAY_S):
        until_s = min(day_s + DAY_S, end_s)
        lines = [
            line
            for key, name in series
            for line in _quarter_lines(past, site, key, name, day_s, until_s)
        ]
        for first in range(0, len(lines), MAX_LINES):
            sink.write(lines[first : first + MAX_LINES])
        book.advance(generation, until_s)
        sent += len(lines)
        shown.show(until_s - start_s)
    shown.end()
    return sent


def compare(
    past: Past, raw: Influx, site: CoopId, clock: Clock, since_s: EpochS
) -> tuple[int, int, tuple[Difference, ...]]:
    """Return how many instants both sides hold since then until now, and the first differences."""
    now_s = int(clock.now_s())
    store = InfluxStore(raw, site, clock)
    record, there = 0, 0
    differences: list[Difference] = []
    shown = Progress("counting", now_s - since_s)
    for day_s in range(since_s, now_s, DAY_S):
        day = compare_day(past, raw, store, site, day_s, min(day_s + DAY_S, now_s))
        record += day.record
        there += day.influx
        differences += day.differences
        shown.show(day_s - since_s)
    shown.end()
    return record, there, tuple(differences[:_SHOWN])


def _quarter_lines(
    past: Past, site: CoopId, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
) -> Iterator[str]:
    """Yield a series' quarter-hours as the task that writes them otherwise would tell them."""
    start = f"{QUARTERS},device={key.device},gateway={key.gateway},site={site} {name}="
    points = past.points(key, name, start_s, end_s)
    for quarter, group in groupby(points, key=lambda point: point[0] // QUARTER_S):
        values = [value for _, value in group]
        value = values[0] if stands(name) else _mean(values)
        yield f"{start}{value}i {quarter * QUARTER_S}"


def _mean(values: list[int]) -> int:
    """Return the mean, halves away from zero."""
    total, count = sum(values), len(values)
    rounded = (2 * abs(total) + count) // (2 * count)
    return rounded if total >= 0 else -rounded


def _door(place: InfluxPlace, token: str, bucket: str) -> Influx:
    return Influx(InfluxSettings(place.url, token, place.organisation, bucket, _PATIENCE_S))


def _admin(tokens: Path) -> str:
    path = tokens / ADMIN_FILE
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no text"
        raise SettingsError(f"{path}: cannot be read: {reason}") from None
