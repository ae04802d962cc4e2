"""A book year gathered from the ledger, month by month, as the tax office wants to read it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from types import MappingProxyType
from typing import BinaryIO

from sqlalchemy import func, select

from api.cooperative import registry
from api.cooperative.auditfile.xaf import write_xaf
from api.cooperative.auditfile.year import (
    AuditYear,
    Company,
    Control,
    JournalKind,
    JournalPart,
    LedgerAccount,
    Relation,
    RelationKind,
    Transaction,
    TransactionLine,
    VatCode,
)
from api.cooperative.books import BookedEntry, entries, trial_balance
from api.cooperative.chart import ChartAccount, Kind, chart
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.law.vat_book import vat_codes
from api.cooperative.settings import CoopSettings
from api.cooperative.tables.ledger import DocumentRow, EntryRow, PostingRow
from kwartier.interval import day_of, local_day
from kwartier.ledger import Account, Line, Unit

RESULT = "equity:result"
"""Where the results of earlier years stand in an opening balance."""
_OF_PARTIES = ("receivable", "payable")
_LONGEST_ID = 35
_FIRST_YEAR, _LAST_YEAR = 2000, 2999
_JOURNALS: Mapping[str, tuple[str, JournalKind]] = MappingProxyType(
    {
        "run": ("Afrekeningen", JournalKind.SALES),
        "reversal": ("Tegenboekingen", JournalKind.MEMORIAL),
        "payment": ("Betaalbestanden", JournalKind.MEMORIAL),
        "bank": ("Bank", JournalKind.BANK),
        "bank-match": ("Bank, later herkend", JournalKind.MEMORIAL),
        "refused": ("Geweigerde betalingen", JournalKind.MEMORIAL),
        "set-off": ("Verrekeningen", JournalKind.MEMORIAL),
        "write-off": ("Afboekingen", JournalKind.MEMORIAL),
        "manual": ("Memoriaal", JournalKind.MEMORIAL),
    }
)


def auditfile(desk: Desk, settings: CoopSettings, year: int) -> bytes:
    """Return the Auditfile Financieel 4.0 of a calendar year; see ``write_auditfile``."""
    sink = io.BytesIO()
    write_auditfile(desk, settings, year, sink)
    return sink.getvalue()


def write_auditfile(desk: Desk, settings: CoopSettings, year: int, sink: BinaryIO) -> None:
    """Write the Auditfile Financieel 4.0 of a calendar year, one month in memory at a time.

    Persons stand in it by their ids only, organisations also by name and numbers.

    Args:
        desk: A still picture of the books.
        settings: The cooperative.
        year: The book year.
        sink: Where to.

    Raises:
        BooksError: Nothing was booked in the year, or the year is none.
        TamperedError: What is written does not come to what the ledger holds.
    """
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise BooksError(f"year {year}: write a calendar year such as 2026")
    known = {name: each for name, each in chart(desk).items() if each.unit is Unit.EUR_CENT}
    control = _control(desk, year)
    if not control.lines:
        raise BooksError(f"nothing was booked in {year}")
    opening = _balances(desk, date(year - 1, 12, 31))
    closing = _balances(desk, date(year, 12, 31))
    used = {*opening, *closing}
    gathered = AuditYear(
        year,
        day_of(desk.at_s),
        version("kwartier"),
        "",
        Company(settings.name, settings.kvk, settings.vat_number, settings.address),
        _accounts(known, used),
        _relations(desk, opening, closing),
        _vat_codes(desk, year),
        _opening(known, opening),
        control,
    )
    write_xaf(sink, gathered, _journals(desk, year))


def account_id(account: str) -> str:
    """Return the id of an account in an audit file: parties stand beside it and not in it."""
    name = account.partition(":")[0]
    if name in _OF_PARTIES:
        return name
    if len(account) <= _LONGEST_ID:
        return account
    return f"{account[: _LONGEST_ID - 9]}-{hashlib.sha256(account.encode()).hexdigest()[:8]}"


def _balances(desk: Desk, until: date) -> dict[str, int]:
    return {
        account.name: cents
        for account, cents in trial_balance(desk, until).items()
        if account.unit is Unit.EUR_CENT
    }


def _control(desk: Desk, year: int) -> Control:
    in_year = (
        select(
            func.count(),
            func.sum(PostingRow.amount).filter(PostingRow.amount > 0),
            func.sum(PostingRow.amount).filter(PostingRow.amount < 0),
        )
        .join(EntryRow, EntryRow.id == PostingRow.entry)
        .where(EntryRow.year == year, PostingRow.unit == Unit.EUR_CENT)
    )
    lines, debit, credit = desk.session.execute(in_year).one()
    return Control(lines, int(debit or 0), -int(credit or 0))


def _accounts(known: Mapping[str, ChartAccount], used: Iterable[str]) -> tuple[LedgerAccount, ...]:
    """Return the accounts of the chart, and those of its parts that were ever used."""
    found = {
        name: LedgerAccount(name, each.dutch, _of_balance(each), each.rgs)
        for name, each in known.items()
        if name in _OF_PARTIES or not each.takes_parts
    }
    for account in sorted(used):
        if account_id(account) not in found:
            each = known[account.partition(":")[0]]
            text = f"{each.dutch}: {account.partition(':')[2]}"
            found[account_id(account)] = LedgerAccount(
                account_id(account), text, _of_balance(each), each.rgs
            )
    return tuple(found.values())


def _of_balance(account: ChartAccount) -> bool:
    return account.kind in (Kind.ASSET, Kind.LIABILITY, Kind.EQUITY)


def _opening(
    known: Mapping[str, ChartAccount], held: Mapping[str, int]
) -> tuple[tuple[str, int], ...]:
    """Return the opening balance; what earlier years earned and spent is their result."""
    opening: dict[str, int] = {}
    for account, cents in held.items():
        each = known[account] if account in known else known[account.partition(":")[0]]
        name = account_id(account) if _of_balance(each) else RESULT
        opening[name] = opening.get(name, 0) + cents
    return tuple((name, cents) for name, cents in sorted(opening.items()) if cents)


def _relations(
    desk: Desk, opening: Mapping[str, int], closing: Mapping[str, int]
) -> tuple[Relation, ...]:
    kinds: dict[str, set[str]] = {}
    for account in {*opening, *closing}:
        name, _, party = account.partition(":")
        if name in _OF_PARTIES:
            kinds.setdefault(party, set()).add(name)
    parties = {each.id: each for each in registry.parties(desk)}
    found = []
    for party, accounts in sorted(kinds.items()):
        kind = RelationKind.SUPPLIER if "payable" in accounts else RelationKind.CUSTOMER
        if len(accounts) == len(_OF_PARTIES):
            kind = RelationKind.BOTH
        start, end = (
            sum(held.get(f"{name}:{party}", 0) for name in _OF_PARTIES)
            for held in (opening, closing)
        )
        each = parties.get(party)
        if each is None or each.kind is registry.PartyKind.RESIDENT:
            found.append(Relation(party, kind, start, end))
        else:
            found.append(Relation(party, kind, start, end, each.name, each.kvk, each.vat_number))
    return tuple(found)


def _vat_codes(desk: Desk, year: int) -> tuple[VatCode, ...]:
    """Return the VAT codes that began before the year's end, each with its last rate."""
    end_s = local_day(date(year, 12, 31))[1]
    rates = {
        each.code: each.rate
        for each in sorted(vat_codes(desk), key=lambda each: each.from_s)
        if each.from_s < end_s
    }
    return tuple(
        VatCode(code, f"{code}, {rate}", "tax:vat_due", "tax:vat_input")
        for code, rate in sorted(rates.items())
    )


@dataclass(frozen=True, slots=True)
class _Papers:
    """Numbers of papers by entry and party."""

    by_entry: Mapping[tuple[int, str], str]

    def of(self, entry: int, line: Line) -> str:
        return self.by_entry.get((entry, _party(line.account)), "")


def _journals(desk: Desk, year: int) -> Iterator[JournalPart]:
    rows = desk.session.execute(
        select(DocumentRow.entry, DocumentRow.party, DocumentRow.name)
        .where(DocumentRow.entry.is_not(None))
        .order_by(DocumentRow.day, DocumentRow.name)
    )
    papers = _Papers({(entry, party): name for entry, party, name in rows if entry is not None})
    sources = desk.session.scalars(
        select(EntryRow.source).where(EntryRow.year == year).distinct().order_by(EntryRow.source)
    )
    for source in list(sources):
        text, kind = _JOURNALS.get(source, (source, JournalKind.OTHER))
        yield JournalPart(source, text, kind, _transactions(desk, year, source, papers))


def _transactions(desk: Desk, year: int, source: str, papers: _Papers) -> Iterator[Transaction]:
    for month in range(1, 13):
        for booked in entries(desk, source, f"{year:04d}-{month:02d}"):
            if booked.journal.entry.lines[0].account.unit is Unit.EUR_CENT:
                yield _transaction(booked, papers)


def _transaction(booked: BookedEntry, papers: _Papers) -> Transaction:
    journal = booked.journal
    about = f", over {journal.service_period}" if journal.service_period else ""
    return Transaction(
        f"{journal.day.year}-{booked.number}",
        f"{journal.entry.reference}{about}",
        journal.day,
        booked.officer,
        journal.item or journal.entry.reference,
        tuple(
            TransactionLine(
                account_id(line.account.name),
                line.amount,
                _party(line.account),
                papers.of(booked.id, line),
                line.cost_centre.value,
            )
            for line in journal.entry.lines
        ),
    )


def _party(account: Account) -> str:
    name, _, party = account.name.partition(":")
    return party if name in _OF_PARTIES else ""
