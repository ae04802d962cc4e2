"""``kwartier coop books``: balances, accounts, funds, entries, the nightly look and the head."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from api.commands.coop.acting import day, fields_of, reading_desk, writing_desk
from api.commands.coop.word import Word, open_books
from api.cooperative.backup import remark_of
from api.cooperative.books import (
    AccountLine,
    BookedEntry,
    cost_centres,
    entries,
    fund_statement,
    member_account,
    open_items,
    trial_balance,
)
from api.cooperative.chain import Head, publish_head
from api.cooperative.chart import chart, place
from api.cooperative.errors import BooksError
from api.cooperative.nightly import CHECKS
from api.cooperative.officers import SYSTEM, Role
from api.cooperative.periods import checked_period, lock, locked_periods
from api.cooperative.verify import verify
from kwartier.cli import print_json
from kwartier.wire import Json

_READERS = (Role.TREASURER, Role.BOARD, Role.BOOKKEEPER, Role.AUDITOR)


def _nothing(_: argparse.ArgumentParser) -> None:
    pass


def _until_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--until", type=day, metavar="DAY", help="the last day that counts")


def _trial_balance(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        desk.officer.need(*_READERS)
        known = chart(desk)
        rows: list[Json] = []
        totals: dict[str, Json] = {}
        for account, balance in trial_balance(desk, chosen.until).items():
            found = known[place(desk, account).chart]
            unit = account.unit.value
            rows.append(
                {
                    "account": account.name,
                    "name": found.dutch,
                    "kind": found.kind.value,
                    "rgs": found.rgs,
                    "rgs_sure": found.rgs_sure,
                    "unit": unit,
                    "balance": balance,
                }
            )
            before = totals.get(unit, 0)
            assert isinstance(before, int)
            totals[unit] = before + balance
    print_json({"accounts": rows, "totals": totals})
    return 0


def _party_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("party", help="whose accounts, such as huis-12")


def _account(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        desk.officer.need(*_READERS)
        lines = member_account(desk, chosen.party)
        left = open_items(desk, chosen.party)
    print_json({"lines": [_line(line) for line in lines], "open": [fields_of(x) for x in left]})
    return 0


def _fund_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("fund", nargs="?", default="levy", help="its purpose, such as levy")


def _fund(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        desk.officer.need(*_READERS)
        fund = fund_statement(desk, chosen.fund)
    print_json(
        {
            "fund": fund.fund,
            "inflow": fund.inflow,
            "outflow": fund.outflow,
            "holds": fund.holds,
            "lines": [_line(line) for line in fund.lines],
        }
    )
    return 0


def _centres(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        desk.officer.need(*_READERS)
        rows: list[Json] = [
            {
                "cost_centre": each.cost_centre.value,
                "account": each.account.name,
                "unit": each.account.unit.value,
                "balance": each.balance,
            }
            for each in cost_centres(desk)
        ]
    print_json(rows)
    return 0


def _entries_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--period", type=checked_period, help="the month, such as 2026-07")
    parser.add_argument("--source", help="where they come from, such as settlement")


def _entries(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        desk.officer.need(*_READERS)
        found = entries(desk, chosen.source, chosen.period)
    print_json([_entry(each) for each in found])
    return 0


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--kept", type=Path, metavar="FILE", help="heads that a member kept, one a line"
    )


def _verify(chosen: argparse.Namespace) -> int:
    """Look the books over; by the clock, so it asks for no officer."""
    kept = _heads(chosen.kept)
    with open_books(chosen) as (books, settings), books.reading(SYSTEM) as desk:
        faults = verify(desk, CHECKS, kept)
    remark = remark_of(settings.folder)
    print_json(
        {
            "faults": [{"where": each.where, "what": each.what} for each in faults],
            "backup_s": remark.made_s,
            "drill_s": remark.drilled_s,
        }
    )
    if faults:
        print(f"{len(faults)} faults: write nothing before somebody has looked", file=sys.stderr)
    return 1 if faults else 0


def _heads(file: Path | None) -> list[Head]:
    if file is None:
        return []
    try:
        return [Head.of_text(line) for line in file.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError) as error:
        raise BooksError(f"{file}: holds no heads, one a line as they were published") from error


def _head(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        desk.officer.need(Role.TREASURER, Role.BOARD)
        published = publish_head(desk)
    print_json({"head": published.text(), **fields_of(published)})
    return 0


def _period_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("period", type=checked_period, help="the month, such as 2026-07")


def _lock(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        lock(desk, chosen.period)
        print_json({"locked": list(locked_periods(desk))})
    return 0


def _line(line: AccountLine) -> dict[str, Json]:
    return {
        "account": line.account.name,
        "entry": line.entry,
        "day": line.day.isoformat(),
        "service_period": line.service_period,
        "reference": line.reference,
        "item": line.item,
        "amount": line.amount,
        "balance": line.balance,
        "cost_centre": line.cost_centre.value,
        "reason": line.reason,
        "decision": line.decision,
        "reverses": line.reverses,
    }


def _entry(booked: BookedEntry) -> dict[str, Json]:
    journal = booked.journal
    return {
        "id": booked.id,
        "number": booked.number,
        "day": journal.day.isoformat(),
        "period": booked.period,
        "service_period": journal.service_period,
        "source": journal.source,
        "key": journal.key,
        "reference": journal.entry.reference,
        "item": journal.item,
        "reason": journal.reason,
        "decision": journal.decision,
        "reverses": journal.reverses,
        "officer": booked.officer,
        "lines": [
            {
                "account": line.account.name,
                "unit": line.account.unit.value,
                "amount": line.amount,
                "cost_centre": line.cost_centre.value,
            }
            for line in journal.entry.lines
        ],
        "hash": booked.hash,
    }


WORDS = (
    Word(
        "books",
        "trial-balance",
        "what each account holds, with its place in the chart",
        "kwartier coop books trial-balance --books ./books --as anna --until 2026-07-31",
        _until_argument,
        _trial_balance,
    ),
    Word(
        "books",
        "account",
        "a party's accounts line by line, and what is open",
        "kwartier coop books account huis-12 --books ./books --as anna",
        _party_argument,
        _account,
    ),
    Word(
        "books",
        "fund",
        "what came into a fund, what went out, what it holds",
        "kwartier coop books fund levy --books ./books --as anna",
        _fund_argument,
        _fund,
    ),
    Word(
        "books",
        "cost-centres",
        "what energy, care, green and mobility have on each account",
        "kwartier coop books cost-centres --books ./books --as anna",
        _nothing,
        _centres,
    ),
    Word(
        "books",
        "entries",
        "the entries of a month or of a source",
        "kwartier coop books entries --period 2026-07 --books ./books --as anna",
        _entries_arguments,
        _entries,
    ),
    Word(
        "books",
        "verify",
        "look the books over: chains, sums, numbers, papers; exit 1 when anything is off",
        "kwartier coop books verify --books ./books --kept heads.txt",
        _verify_arguments,
        _verify,
    ),
    Word(
        "books",
        "head",
        "keep how far the books are, and show the line that members receive every week",
        "kwartier coop books head --books ./books --as anna",
        _nothing,
        _head,
    ),
    Word(
        "books",
        "lock",
        "let nothing be written in a month any more",
        "kwartier coop books lock 2026-07 --books ./books --as anna",
        _period_argument,
        _lock,
    ),
)
"""The words about the ledger."""
