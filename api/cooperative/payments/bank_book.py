"""Bank statements in the books: booked once, whatever comes twice or in another order."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise

from sqlalchemy import insert, select

from api.cooperative.books import Journal, Posted, post
from api.cooperative.canonical import canonical
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError
from api.cooperative.officers import CLERKS
from api.cooperative.payments.camt import BankLine, BankStatement, read_statements
from api.cooperative.payments.items import account_lines
from api.cooperative.payments.matching import Match, Standing
from api.cooperative.payments.open_book import RETURNED, settle
from api.cooperative.payments.release import TRANSIT
from api.cooperative.payments.sepa import Direction, account_number
from api.cooperative.payments.standing import standing
from api.cooperative.periods import open_day
from api.cooperative.settings import CoopSettings
from api.cooperative.stamp import stamp
from api.cooperative.tables.base import Base
from api.cooperative.tables.payments import (
    BankLineDetailRow,
    BankLineRow,
    BankMatchRow,
    BankStatementRow,
)
from kwartier.ledger import Account, Entry, Line
from kwartier.wire import Json

BANK = Account("bank:main")
"""The cooperative's account."""
UNMATCHED = Account("bank:unmatched")
"""Where money waits until somebody knows what it is."""
_LINES = Base.metadata.tables[BankLineRow.__tablename__]
_NEW_LINE = insert(_LINES).returning(_LINES.c.id)
SOURCE = "bank"
"""Source of the entry of a bank's line; its key is the line's fingerprint."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a bank's file.

    Attributes:
        statements: Statements that were new.
        known: Lines that were there already.
        lines: Lines that were new.
        matched: How many of those were matched in whole.
        unmatched: Rows of the others, for somebody to look at.
        breaks: Where one statement does not begin with what the one before ended with.
    """

    statements: int
    known: int
    lines: int
    matched: int
    unmatched: tuple[int, ...]
    breaks: tuple[str, ...]


def import_statement(desk: Desk, settings: CoopSettings, content: bytes) -> Imported:
    """Book what a bank's file shows, once; what cannot be matched waits for a person.

    Raises:
        BooksError: The file is refused; nothing of it is booked.
        ConflictError: A statement of this name is there with other lines.
    """
    desk.officer.need(*CLERKS)
    iban = account_number(settings.iban, "iban in books.toml")
    statements = sorted(read_statements(content, iban), key=lambda each: (each.first, each.last))
    state, seen = standing(desk), set(desk.session.scalars(select(BankLineRow.fingerprint)))
    new, known, unmatched, lines = 0, 0, [], 0
    for statement in statements:
        print_of_it = _content_hash(desk, statement)
        if _is_known(desk, statement, print_of_it):
            known += len(statement.lines)
            continue
        row = _write_statement(desk, statement, print_of_it)
        new += 1
        for place, (line, fingerprint) in enumerate(_fingerprints(desk, statement, print_of_it), 1):
            if fingerprint in seen:
                known += 1
                continue
            seen.add(fingerprint)
            rest = _book(desk, state, row, place, line, fingerprint)
            lines += 1
            if rest is not None:
                unmatched.append(rest)
    facts: Json = {"statements": new, "lines": lines, "unmatched": len(unmatched)}
    record(desk, "bank.import", "statement", facts)
    matched = lines - len(unmatched)
    return Imported(new, known, lines, matched, tuple(unmatched), tuple(breaks(desk)))


def breaks(desk: Desk) -> list[str]:
    """Return where statements do not follow one another: one is missing, or came twice."""
    rows = desk.session.scalars(
        select(BankStatementRow).order_by(
            BankStatementRow.account_fingerprint, BankStatementRow.first, BankStatementRow.id
        )
    ).all()
    found = []
    for earlier, later in pairwise(rows):
        same = earlier.account_fingerprint == later.account_fingerprint
        if same and earlier.last < later.first and earlier.closing_cents != later.opening_cents:
            found.append(
                f"statement {earlier.id} of {earlier.last} ends with {earlier.closing_cents} "
                f"cents, statement {later.id} of {later.first} begins with {later.opening_cents}"
            )
    return found


def write_match(desk: Desk, line: int, match: Match, posted: Posted, reference: str) -> None:
    """Write down what a line, or a part of it, turned out to be."""
    desk.session.add(
        BankMatchRow(
            line=line,
            cents=match.cents,
            how=match.how,
            party=match.party,
            file=match.file,
            instruction=match.sent.id if match.sent else None,
            entry=posted.id,
            **stamp(desk),
        )
    )
    settle(desk, match.parts, RETURNED if match.returns else "match", reference, posted.id)


def match_lines(match: Match) -> tuple[Line, ...]:
    """Return what a match moves besides the bank's own side."""
    if match.parts:
        return account_lines(match.parts)
    direction = Direction.COLLECT if match.cents > 0 else Direction.PAY_OUT
    return (Line(TRANSIT[direction], -match.cents),)


def item_of(match: Match | None) -> str:
    """Return the paper a match settles or opens, when it is one."""
    documents = {part.item.document for part in match.parts} if match else set()
    return documents.pop() if len(documents) == 1 else ""


def _book(
    desk: Desk,
    state: Standing,
    statement: BankStatementRow,
    place: int,
    line: BankLine,
    fingerprint: str,
) -> int | None:
    """Book one line with what is known of it; return its row when a part stays unmatched."""
    account = desk.keys.fingerprint(line.iban) if line.iban else ""
    match = state.decide(line, account)
    rest = line.cents - (match.cents if match else 0)
    lines = (Line(BANK, line.cents), *(match_lines(match) if match else ()))
    if rest:
        lines = (*lines, Line(UNMATCHED, -rest))
    what = f"bank statement {statement.id}, line {place}"
    day = open_day(desk, line.booked)
    journal = Journal(SOURCE, fingerprint, day, Entry(what, lines), what, item=item_of(match))
    posted = post(desk, journal)
    row = _write_line(desk, statement.id, place, line, fingerprint, posted)
    _write_details(desk, row, line, account)
    if match is not None:
        write_match(desk, row, match, posted, fingerprint)
        state.accept(match)
    return row if rest else None


def _write_statement(desk: Desk, statement: BankStatement, content_hash: str) -> BankStatementRow:
    row = BankStatementRow(
        account_fingerprint=desk.keys.fingerprint(statement.iban),
        name=statement.name,
        content_hash=content_hash,
        first=statement.first,
        last=statement.last,
        opening_cents=statement.opening_cents,
        closing_cents=statement.closing_cents,
        **stamp(desk),
    )
    desk.session.add(row)
    desk.session.flush()
    return row


def _write_line(
    desk: Desk, statement: int, place: int, line: BankLine, fingerprint: str, posted: Posted
) -> int:
    row = {
        "statement": statement,
        "place": place,
        "fingerprint": fingerprint,
        "booked": line.booked,
        "cents": line.cents,
        "returned": line.returned,
        "reason": line.reason,
        "end_to_end": line.end_to_end,
        "batch": line.batch,
        "entry": posted.id,
        **stamp(desk),
    }
    number: int = desk.session.execute(_NEW_LINE, row).scalar_one()
    return number


def _write_details(desk: Desk, row: int, line: BankLine, account: str) -> None:
    """Keep the personal side of a line, sealed."""
    details = json.dumps(
        {"name": line.name, "iban": line.iban, "text": line.text, "mandate": line.mandate}
    )
    desk.session.add(
        BankLineDetailRow(line=row, iban_fingerprint=account, sealed=desk.keys.seal(details))
    )


def _is_known(desk: Desk, statement: BankStatement, content_hash: str) -> bool:
    """Return whether a statement is in the books; refuse one that contradicts them."""
    rows = desk.session.scalars(
        select(BankStatementRow).where(
            BankStatementRow.account_fingerprint == desk.keys.fingerprint(statement.iban)
        )
    ).all()
    if any(row.content_hash == content_hash for row in rows):
        return True
    if any(row.name == statement.name for row in rows):
        raise ConflictError(
            f"statement {statement.name!r} is in the books with other lines: ask the bank which "
            "one holds"
        )
    if all(line.reference for line in statement.lines):
        return False
    for row in rows:
        apart = row.last < statement.first or statement.last < row.first
        follows = statement.opening_cents == row.closing_cents
        if not apart and not follows and statement.closing_cents != row.opening_cents:
            raise BooksError(
                f"statement {statement.name!r} overlaps statement {row.id} of {row.first} to "
                f"{row.last}, and its lines bear no reference of the bank: import single days"
            )
    return False


def _content_hash(desk: Desk, statement: BankStatement) -> str:
    """Return what stands for a statement's content, without its name."""
    body: Json = {
        "iban": statement.iban,
        "first": statement.first.isoformat(),
        "last": statement.last.isoformat(),
        "opening": statement.opening_cents,
        "closing": statement.closing_cents,
        "lines": [_line_json(line) for line in statement.lines],
    }
    return desk.keys.fingerprint(canonical(body))


def _line_json(line: BankLine) -> Json:
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(line).items()
    }


def _fingerprints(
    desk: Desk, statement: BankStatement, content_hash: str
) -> list[tuple[BankLine, str]]:
    """Return each line with what stands for it in every statement that shows it.

    A line bears the bank's reference, or it is known by its place in its statement; equal lines
    of one statement are told apart by counting.
    """
    seen: dict[tuple[object, ...], int] = {}
    found = []
    for place, line in enumerate(statement.lines):
        key: tuple[object, ...] = (content_hash, place)
        if line.reference:
            key = (statement.iban, line.reference, line.booked, line.cents, line.part)
        seen[key] = seen.get(key, 0) + 1
        found.append((line, desk.keys.fingerprint(f"{key} {seen[key]}")))
    return found
