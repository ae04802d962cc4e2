"""``kwartier coop journal`` and ``chart``: what is booked by hand, and the accounts there are."""

from __future__ import annotations

import argparse

from api.commands.coop.acting import day, fields_of, reading_desk, writing_desk
from api.commands.coop.word import Word
from api.cooperative.books import (
    MANUAL,
    WRITE_OFF,
    Journal,
    approved_matter,
    entry,
    journal_body,
    post,
    reversal,
)
from api.cooperative.chart import ChartAccount, Kind, chart, open_account, place
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError
from api.cooperative.four_eyes import approval, propose
from api.cooperative.payments.amounts import cents_of
from api.cooperative.periods import open_day
from kwartier.cli import print_json
from kwartier.interval import day_of
from kwartier.ledger import Account, CostCentre, Entry, LedgerError, Line, Unit
from kwartier.wire import Json


def _post_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", help="a name of your own, so that it is booked once")
    for side, meaning in (("debit", "goes to"), ("credit", "comes from")):
        parser.add_argument(
            f"--{side}",
            nargs=2,
            action="append",
            default=[],
            metavar=("ACCOUNT", "AMOUNT"),
            help=f"an account it {meaning}, and how much, such as 250.00; again for more",
        )
    parser.add_argument("--reference", required=True, help="what it is about, in some words")
    parser.add_argument("--reason", required=True, help="why; it stands in the ledger")
    parser.add_argument("--day", type=day, help="the day it is booked on; else today")
    parser.add_argument(
        "--centre",
        choices=[each.value for each in CostCentre],
        default=CostCentre.GENERAL.value,
        help="what part of the neighbourhood's life it belongs to",
    )
    parser.add_argument("--service-period", default="", metavar="MONTH", help="where another month")
    parser.add_argument("--decision", default="", help="number of the decision it follows from")


def _post(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        print_json(_booked(desk, _journal(desk, chosen)))
    return 0


def _booked(desk: Desk, journal: Journal) -> dict[str, Json]:
    """Book a journal, or lay it before a second person where that is needed."""
    matter = approved_matter(journal)
    body = journal_body(journal)
    if matter is None or approval(desk, matter, journal.key, body) is not None:
        return {"posted": True, **fields_of(post(desk, journal))}
    waiting = propose(desk, matter, journal.key, body)
    return {
        "posted": False,
        "proposal": waiting.id,
        "hash": waiting.body_hash,
        "next": "let a second person approve it, then type this again",
    }


def _journal(desk: Desk, chosen: argparse.Namespace) -> Journal:
    centre = CostCentre(chosen.centre)
    lines = [
        _line(desk, account, sign * cents_of(amount), centre)
        for sign, side in ((1, chosen.debit), (-1, chosen.credit))
        for account, amount in side
    ]
    try:
        entry = Entry(chosen.reference, tuple(lines))
    except LedgerError as error:
        raise BooksError(f"{error}: debit and credit must come to the same") from error
    booked_on = chosen.day or open_day(desk, day_of(desk.at_s))
    return Journal(
        MANUAL,
        chosen.key,
        booked_on,
        entry,
        chosen.reason,
        chosen.service_period,
        chosen.decision,
    )


def _line(desk: Desk, name: str, amount: int, centre: CostCentre) -> Line:
    """Return a line in the unit of its account."""
    known = chart(desk)
    found = known.get(name) or known.get(name.partition(":")[0])
    account = Account(name, found.unit if found else Unit.EUR_CENT)
    place(desk, account)
    if account.unit is Unit.WH:
        raise BooksError(f"account {name} counts Wh: energy is booked by runs, not by hand")
    return Line(account, amount, centre)


def _reverse_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("entry", type=int, help="its place in the ledger")
    parser.add_argument("--reason", required=True, help="why; it stands in the ledger")
    parser.add_argument("--day", type=day, help="the day it is booked on; else today")


def _reverse(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        source = entry(desk, chosen.entry).journal.source
        if source not in (MANUAL, WRITE_OFF):
            raise StateError(
                f"entry {chosen.entry} is of {source}: correct it there, such as with "
                "`kwartier coop run correct`"
            )
        booked_on = chosen.day or open_day(desk, day_of(desk.at_s))
        print_json(_booked(desk, reversal(desk, chosen.entry, booked_on, chosen.reason)))
    return 0


def _nothing(_: argparse.ArgumentParser) -> None:
    pass


def _list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        print_json([fields_of(each) for _, each in sorted(chart(desk).items())])
    return 0


def _open_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", help="its name, such as care:meals")
    parser.add_argument("--kind", required=True, choices=[each.value for each in Kind])
    parser.add_argument("--dutch", required=True, help="its name for the board")
    parser.add_argument("--english", required=True, help="its name in English")
    parser.add_argument("--rgs", default="", help="its code in the reference chart RGS")
    parser.add_argument(
        "--unit", choices=[each.value for each in Unit], default=Unit.EUR_CENT.value
    )
    parser.add_argument(
        "--takes-parts", action="store_true", help="has an account for each party or purpose"
    )


def _open(chosen: argparse.Namespace) -> int:
    account = ChartAccount(
        chosen.account,
        Unit(chosen.unit),
        Kind(chosen.kind),
        chosen.takes_parts,
        chosen.dutch,
        chosen.english,
        chosen.rgs,
        rgs_sure=False,
    )
    with writing_desk(chosen) as desk:
        open_account(desk, account)
    print_json(fields_of(account))
    return 0


WORDS = (
    Word(
        "journal",
        "post",
        "book something by hand; a large amount waits for a second person",
        "kwartier coop journal post huur-2026-07 --debit coop:expenses 250.00 "
        "--credit bank:main 250.00 --reference 'rent of the hall' --reason 'invoice 881' "
        "--centre care --as treasurer",
        _post_arguments,
        _post,
    ),
    Word(
        "journal",
        "reverse",
        "take an entry back whole, with a new one",
        "kwartier coop journal reverse 12 --reason 'booked on the wrong account' --as treasurer",
        _reverse_arguments,
        _reverse,
    ),
    Word(
        "chart",
        "list",
        "show every account, with its code in the reference chart",
        "kwartier coop chart list --as treasurer",
        _nothing,
        _list,
    ),
    Word(
        "chart",
        "open",
        "add an account to the chart; it stays there",
        "kwartier coop chart open care:meals --kind expense --dutch 'Maaltijden' "
        "--english Meals --rgs WBedAlkOal --as treasurer",
        _open_arguments,
        _open,
    ),
)
"""The words for what is booked by hand."""
