"""Lines of the bank that nobody could match: told with suggestions, and matched by a person."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from api.cooperative.books import (
    MANUAL,
    Journal,
    Posted,
    approved_matter,
    journal_body,
    post,
)
from api.cooperative.chain import record
from api.cooperative.chart import place
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError
from api.cooperative.four_eyes import Matter, Proposal, approval, propose
from api.cooperative.officers import CLERKS
from api.cooperative.payments.bank_book import (
    UNMATCHED,
    item_of,
    match_lines,
    write_match,
)
from api.cooperative.payments.camt import BankLine
from api.cooperative.payments.matching import How, Match, by_hand
from api.cooperative.payments.open_book import open_items, reserved
from api.cooperative.payments.standing import standing
from api.cooperative.periods import open_day
from api.cooperative.tables.payments import BankLineDetailRow, BankLineRow, BankMatchRow
from kwartier.ledger import Account, CostCentre, Entry, Line

SOURCE = "bank-match"
"""Source of the entry of a match by hand; its key is ``line-LINE-COUNT``."""
_NOT_BY_HAND = ("receivable", "payable", "transit", "bank")


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A line of the bank, or the rest of one, that nobody knows yet.

    Attributes:
        line: Its row.
        booked: The day the bank booked it.
        cents: What is not known of it; into the account is above zero.
        returned: Whether it takes an earlier payment back.
        reason: Why, as the bank's code.
        name: Who stands at the other side. Personal, as are the next two.
        iban: The account at the other side.
        text: What was written with it.
        suggestions: Parties it may be of, the likeliest first.
    """

    line: int
    booked: date
    cents: int
    returned: bool
    reason: str
    name: str
    iban: str
    text: str
    suggestions: tuple[str, ...]


def unmatched(desk: Desk) -> list[Unmatched]:
    """Return what waits on ``bank:unmatched``, the oldest first."""
    state = standing(desk)
    found = []
    for row, rest in _with_rest(desk):
        details = desk.session.get(BankLineDetailRow, row.id)
        told = json.loads(desk.keys.open(details.sealed)) if details else {}
        line = BankLine(row.booked, rest)
        suggestions = state.suggestions(line, details.iban_fingerprint if details else "")
        found.append(
            Unmatched(
                row.id,
                row.booked,
                rest,
                row.returned,
                row.reason,
                told.get("name", ""),
                told.get("iban", ""),
                told.get("text", ""),
                suggestions,
            )
        )
    return found


def match_to_party(desk: Desk, line: int, party: str, document: str = "") -> Posted:
    """Take a line as a party's payment: of one paper, or of everything open from the oldest on.

    More than is open stays unmatched.

    Raises:
        BooksError: The line is matched already, or nothing is open that way round.
    """
    desk.officer.need(*CLERKS)
    rest = _rest(desk, line)
    held = reserved(desk)
    items = [item for item in open_items(desk, party) if not document or item.document == document]
    free = [item for item in items if (item.document, item.account) not in held]
    if len(free) < len(items):
        raise StateError(f"{party}: a payment file with these papers waits: withdraw it first")
    return _post_match(desk, line, by_hand(free, party, rest))


def match_to_account(
    desk: Desk, line: int, account: str, reason: str, centre: CostCentre = CostCentre.GENERAL
) -> Posted | Proposal:
    """Take a line as something else, such as bank costs; above the limit it is proposed first.

    Args:
        desk: Where, by whom and when.
        line: The line's row.
        account: Where it belongs, such as ``coop:bank_costs``.
        reason: Why, in words.
        centre: What part of the neighbourhood's life it is.

    Returns:
        What was posted, or the proposal that a second person has to approve before.

    Raises:
        BooksError: The account is a member's, the bank's own, or money on its way.
    """
    desk.officer.need(*CLERKS)
    if account.partition(":")[0] in _NOT_BY_HAND:
        raise BooksError(f"account {account}: match it to a party, or leave it to the bank's lines")
    place(desk, Account(account))
    rest = _rest(desk, line)
    key = _key(desk, line)
    entry = Entry(
        f"bank line {line}",
        (Line(UNMATCHED, rest, centre), Line(Account(account), -rest, centre)),
    )
    day = open_day(desk, _row(desk, line).booked)
    journal = Journal(MANUAL, key, day, entry, reason)
    if approved_matter(journal) is not None:
        body = journal_body(journal)
        if approval(desk, Matter.JOURNAL, key, body) is None:
            return propose(desk, Matter.JOURNAL, key, body)
    posted = post(desk, journal)
    write_match(desk, line, Match(How.BY_HAND, rest), posted, key)
    record(desk, "bank.match", str(line), {"account": account, "cents": rest})
    return posted


def rematch(desk: Desk) -> int:
    """Look once more at every unmatched line, and return how many are matched in whole now.

    A return that came before the file was released, or a payment that came before its invoice
    was issued, is found this way.
    """
    desk.officer.need(*CLERKS)
    state = standing(desk)
    done = 0
    for row, rest in _with_rest(desk):
        details = desk.session.get(BankLineDetailRow, row.id)
        if details is None:
            continue
        told = json.loads(desk.keys.open(details.sealed))
        line = BankLine(
            row.booked,
            rest,
            row.end_to_end,
            told["mandate"],
            row.batch,
            name=told["name"],
            iban=told["iban"],
            text=told["text"],
            returned=row.returned,
            reason=row.reason,
        )
        match = state.decide(line, details.iban_fingerprint)
        if match is not None:
            _post_match(desk, row.id, match)
            state.accept(match)
            done += match.cents == rest
    return done


def _post_match(desk: Desk, line: int, match: Match) -> Posted:
    key = _key(desk, line)
    entry = Entry(f"bank line {line}", (Line(UNMATCHED, match.cents), *match_lines(match)))
    day = open_day(desk, _row(desk, line).booked)
    reason = f"bank line {line} matched by {match.how.value}"
    posted = post(desk, Journal(SOURCE, key, day, entry, reason, item=item_of(match)))
    write_match(desk, line, match, posted, key)
    record(desk, "bank.match", str(line), {"party": match.party, "cents": match.cents})
    return posted


def _row(desk: Desk, line: int) -> BankLineRow:
    row = desk.session.get(BankLineRow, line)
    if row is None:
        raise BooksError(f"bank line {line}: there is none; see `kwartier coop pay match`")
    return row


def _key(desk: Desk, line: int) -> str:
    before = desk.session.scalar(
        select(func.count()).select_from(BankMatchRow).where(BankMatchRow.line == line)
    )
    return f"line-{line}-{(before or 0) + 1}"


def _rest(desk: Desk, line: int) -> int:
    """Return what is not known of a line yet."""
    known = desk.session.scalar(
        select(func.sum(BankMatchRow.cents)).where(BankMatchRow.line == line)
    )
    rest = _row(desk, line).cents - int(known or 0)
    if rest == 0:
        raise StateError(f"bank line {line} is matched already")
    return rest


def _with_rest(desk: Desk) -> list[tuple[BankLineRow, int]]:
    known = (
        select(BankMatchRow.line, func.sum(BankMatchRow.cents).label("cents"))
        .group_by(BankMatchRow.line)
        .subquery()
    )
    rows = desk.session.execute(
        select(BankLineRow, func.coalesce(known.c.cents, 0))
        .outerjoin(known, known.c.line == BankLineRow.id)
        .where(BankLineRow.cents != func.coalesce(known.c.cents, 0))
        .order_by(BankLineRow.booked, BankLineRow.id)
    )
    return [(row, row.cents - int(cents)) for row, cents in rows]
