"""Journals that ask to be posted, and entries that were."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.tables.ledger import EntryRow, PostingRow
from kwartier.ledger import Account, CostCentre, Entry, LedgerError, Line, Unit
from kwartier.units import EpochS

MANUAL = "manual"
"""Source of a journal by hand."""
WRITE_OFF = "write-off"
"""Source of what a member need not pay any more; always with four eyes."""
JOURNAL_LIMIT_CENTS = 25_000
"""Above this a journal by hand needs four eyes [cents]; the database holds the same limit."""


@dataclass(frozen=True, slots=True)
class Journal:
    """An entry that asks to be posted.

    Attributes:
        source: Where it comes from, such as ``run``, ``bank`` or ``manual``.
        key: Its name there; source and key together are posted once.
        day: The day it is booked on; its month must be open.
        entry: What it moves.
        reason: Why, in words.
        service_period: The month it is about, such as ``2026-07``, where that is another one.
        decision: The decision it follows from.
        reverses: The entry it takes back whole.
        item: What it opens or settles on the party's account, such as a paper's number.
    """

    source: str
    key: str
    day: date
    entry: Entry
    reason: str
    service_period: str = ""
    decision: str = ""
    reverses: int | None = None
    item: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of a journal.

    Attributes:
        id: The entry's place in the ledger.
        number: Its number within the year.
        hash: Its link in the chain.
        replayed: Whether it was there already, word for word.
    """

    id: int
    number: int
    hash: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """An entry as it stands in the ledger.

    Attributes:
        id: Its place in the ledger.
        number: Its number within the year of its day.
        journal: What was posted.
        period: The month it is booked in.
        officer: Who posted it.
        at_s: When [s].
        hash: Its link in the chain.
    """

    id: int
    number: int
    journal: Journal
    period: str
    officer: str
    at_s: EpochS
    hash: str


def entries(
    desk: Desk, source: str | None = None, period: str | None = None, *, under: str = ""
) -> list[BookedEntry]:
    """Return entries in the order they were posted: of one source, or booked in one month.

    Args:
        desk: Where to look.
        source: Where they come from; everywhere when None.
        period: The month they are booked in; every month when None.
        under: What their keys begin with.
    """
    chosen = select(EntryRow)
    if under:
        chosen = chosen.where(EntryRow.key.startswith(under, autoescape=True))
    if source is not None:
        chosen = chosen.where(EntryRow.source == source)
    if period is not None:
        chosen = chosen.where(EntryRow.period == period)
    return _booked(desk, chosen)


def reversed_by(desk: Desk, source: str, *, under: str = "") -> dict[int, int]:
    """Return which entry takes which other one back, of one source, by the latter.

    Args:
        desk: Where to look.
        source: Where what was taken back came from.
        under: What its keys begin with.
    """
    old = aliased(EntryRow)
    rows = desk.session.execute(
        select(old.id, EntryRow.id)
        .join(EntryRow, EntryRow.reverses == old.id)
        .where(old.source == source, old.key.startswith(under, autoescape=True))
    )
    return dict(rows.all())


def entry(desk: Desk, entry_id: int) -> BookedEntry:
    """Return one entry.

    Raises:
        BooksError: There is none.
    """
    found = _booked(desk, select(EntryRow).where(EntryRow.id == entry_id))
    if not found:
        raise BooksError(f"entry {entry_id}: there is none")
    return found[0]


def _booked(desk: Desk, chosen: Select[EntryRow]) -> list[BookedEntry]:
    rows = list(desk.session.scalars(chosen.order_by(EntryRow.id)))
    lines: dict[int, list[Line]] = {row.id: [] for row in rows}
    wanted = chosen.with_only_columns(EntryRow.id)
    postings = select(PostingRow).order_by(PostingRow.entry, PostingRow.line)
    try:
        for posting in desk.session.scalars(postings.where(PostingRow.entry.in_(wanted))):
            lines[posting.entry].append(_line(posting))
        return [_opened(row, tuple(lines[row.id])) for row in rows]
    except (LedgerError, ValueError) as error:
        raise TamperedError(f"an entry was changed in the database: {error}") from error


def _line(row: PostingRow) -> Line:
    name = f"{row.chart}:{row.part}" if row.part else row.chart
    return Line(Account(name, Unit(row.unit)), row.amount, CostCentre(row.cost_centre))


def _opened(row: EntryRow, lines: tuple[Line, ...]) -> BookedEntry:
    journal = Journal(
        row.source,
        row.key,
        row.day,
        Entry(row.reference, lines),
        row.reason,
        row.service_period,
        row.decision,
        row.reverses,
        row.item,
    )
    return BookedEntry(row.id, row.number, journal, row.period, row.officer, row.at_s, row.hash)
