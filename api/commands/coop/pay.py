"""``kwartier coop pay``: money out and in, each file seen by two people."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.commands.coop.acting import day, fields_of, plain, reading_desk, recognised, writing_desk
from api.commands.coop.choosing import chosen_proposal, confirm_seen
from api.commands.coop.word import Word, books_folder
from api.cooperative.chain import Fault
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.four_eyes import Matter, Proposal, proposal, waiting_proposal
from api.cooperative.payments import (
    LIMIT_CENTS,
    FileState,
    PaymentFile,
    ageing,
    check_items,
    draft,
    export,
    import_statement,
    match_to_account,
    match_to_party,
    open_items,
    payment_file,
    payment_files,
    propose_write_off,
    refuse,
    release,
    rematch,
    unmatched,
    withdraw,
    write_off,
)
from api.cooperative.payments.camt import MOST_BYTES
from api.cooperative.payments.file_out import write_whole
from api.cooperative.settings import CoopSettings, read_settings
from kwartier.cli import print_json
from kwartier.errors import UsageError
from kwartier.interval import day_of
from kwartier.ledger import CostCentre
from kwartier.wire import Json


@contextmanager
def _desk_and_settings(chosen: argparse.Namespace) -> Iterator[tuple[Desk, CoopSettings]]:
    settings = read_settings(books_folder(chosen))
    with recognised(chosen) as (books, officer), books.desk(officer) as desk:
        yield desk, settings


def _draft_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="the run, such as 2026-07/1")
    parser.add_argument(
        "--day",
        type=day,
        help="when the money is to move; when left out, the due day on the papers (the latest, if "
        "there are several) or the bank's next working day after it, and never before the second "
        "working day of banks from today on",
    )
    parser.add_argument(
        "--again", action="store_true", help="also what the bank took back, once more"
    )
    parser.add_argument(
        "--limit", type=int, default=LIMIT_CENTS, metavar="CENTS", help="the most per member"
    )


def _draft(chosen: argparse.Namespace) -> int:
    with _desk_and_settings(chosen) as (desk, settings):
        made = draft(
            desk, settings, chosen.run, chosen.day, again=chosen.again, limit_cents=chosen.limit
        )
    print_json(
        {
            "files": [fields_of(file) for file in made.files],
            "by_hand": [fields_of(each) for each in made.by_hand],
            "set_off": list(made.set_off),
        }
    )
    return 0


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=int, help="the file's number; all without one")


def _show(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        one = [] if chosen.file is None else [payment_file(desk, chosen.file)]
        told = []
        for file in one or payment_files(desk):
            waiting = waiting_proposal(desk, Matter.PAYMENT, file.message)
            told.append({**fields_of(file), "release_hash": waiting.body_hash if waiting else ""})
        print_json(told)
    return 0


def _release_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=int, help="the file's number")
    parser.add_argument("--hash", help="first letters of the hash you looked at, eight or more")


def _release(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        file = payment_file(desk, chosen.file)
        if file.state is FileState.DRAFTED:
            chosen_proposal(desk, Matter.PAYMENT, file.message, chosen.hash)
        print_json(fields_of(release(desk, file.number)))
    return 0


def _withdraw_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=int, help="the file's number")
    parser.add_argument("--reason", required=True, help="why, for the audit log")


def _withdraw(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        made: PaymentFile = withdraw(desk, chosen.file, chosen.reason)
    print_json(fields_of(made))
    return 0


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=int, help="the file's number")
    parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="where to")


def _export(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        content = export(desk, chosen.file)
        write_whole(chosen.to, content)
        file = payment_file(desk, chosen.file)
    print_json({**fields_of(file), "written": str(chosen.to), "bytes": len(content)})
    return 0


def _refused_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", help="the instruction's end-to-end id")
    parser.add_argument("--reason", required=True, help="the bank's code, such as AC04")


def _refused(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        made = refuse(desk, chosen.reference, chosen.reason)
    print_json(fields_of(made))
    return 0


def _open_items_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--party", default="", help="only of this party")


def _open_items(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        items = open_items(desk, chosen.party)
        ages = ageing(items, day_of(desk.at_s))
        faults: list[Fault] = check_items(desk)
    rows: list[Json] = [{**fields_of(item), "rest": item.rest} for item in items]
    columns = ("to_30_days", "to_60_days", "to_90_days", "older")
    by_party: dict[str, Json] = {
        party: dict(zip(columns, amounts, strict=True)) for party, amounts in ages.items()
    }
    print_json({"items": rows, "ages": by_party, "faults": [str(fault) for fault in faults]})
    return 1 if faults else 0


def _import_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the bank's statement, camt.053")


def _import(chosen: argparse.Namespace) -> int:
    content = _statement(chosen.file)
    with _desk_and_settings(chosen) as (desk, settings):
        found = import_statement(desk, settings, content)
    print_json(fields_of(found))
    return 0


def _statement(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise BooksError(f"{file}: cannot be read: {error.strerror}") from error


def _match_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("line", nargs="?", type=int, help="the line; without one all are shown")
    parser.add_argument("--party", help="whose payment it is")
    parser.add_argument("--document", default="", help="of which paper; else the oldest first")
    parser.add_argument("--account", help="or what else it is, such as coop:bank_costs")
    parser.add_argument("--reason", default="", help="why, with --account")
    parser.add_argument(
        "--centre", type=CostCentre, choices=list(CostCentre), default=CostCentre.GENERAL
    )
    parser.add_argument("--again", action="store_true", help="look once more at every line")


def _match(chosen: argparse.Namespace) -> int:
    if chosen.line is None:
        return _match_all(chosen)
    if bool(chosen.party) == bool(chosen.account):
        raise UsageError(f"line {chosen.line}: name either --party or --account")
    with writing_desk(chosen) as desk:
        if chosen.party:
            print_json(fields_of(match_to_party(desk, chosen.line, chosen.party, chosen.document)))
            return 0
        made = match_to_account(desk, chosen.line, chosen.account, chosen.reason, chosen.centre)
    if isinstance(made, Proposal):
        print_json({"proposal": made.id, "hash": made.body_hash})
    else:
        print_json(fields_of(made))
    return 0


def _match_all(chosen: argparse.Namespace) -> int:
    if chosen.again:
        with writing_desk(chosen) as desk:
            print_json({"matched": rematch(desk)})
        return 0
    with reading_desk(chosen) as desk:
        print_json([plain(fields_of(line)) for line in unmatched(desk)])
    return 0


def _write_off_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("document", nargs="?", help="the paper, to propose it")
    parser.add_argument("--reason", default="", help="why")
    parser.add_argument("--approve", type=int, metavar="PROPOSAL", help="approve another's")
    parser.add_argument("--hash", help="first letters of the hash you looked at, eight or more")


def _write_off(chosen: argparse.Namespace) -> int:
    if bool(chosen.document) == (chosen.approve is not None):
        raise UsageError("name either a paper to write off, or a proposal with --approve")
    with writing_desk(chosen) as desk:
        if chosen.document:
            made = propose_write_off(desk, chosen.document, chosen.reason)
            print_json({"proposal": made.id, "hash": made.body_hash, "document": chosen.document})
            return 0
        confirm_seen(proposal(desk, chosen.approve), chosen.hash)
        print_json(fields_of(write_off(desk, chosen.approve)))
    return 0


WORDS = (
    Word(
        "pay",
        "draft",
        "draft the payment files of a run: one to collect, one to pay out",
        "kwartier coop pay draft 2026-07/1 --as treasurer",
        _draft_arguments,
        _draft,
    ),
    Word(
        "pay",
        "show",
        "show payment files and how far they are",
        "kwartier coop pay show 1 --as treasurer",
        _show_arguments,
        _show,
    ),
    Word(
        "pay",
        "release",
        "release a payment file that somebody else drafted",
        "kwartier coop pay release 1 --hash 1f0c9ab2 --as board",
        _release_arguments,
        _release,
    ),
    Word(
        "pay",
        "withdraw",
        "take back a payment file that was not released",
        "kwartier coop pay withdraw 1 --reason 'wrong day' --as treasurer",
        _withdraw_arguments,
        _withdraw,
    ),
    Word(
        "pay",
        "export",
        "write a released payment file out for the bank",
        "kwartier coop pay export 1 --to collect.xml --as treasurer",
        _export_arguments,
        _export,
    ),
    Word(
        "pay",
        "refused",
        "open again what the bank refused before it booked anything",
        "kwartier coop pay refused F2026-00012 --reason AC04 --as treasurer",
        _refused_arguments,
        _refused,
    ),
    Word(
        "pay",
        "open-items",
        "show what is open per paper, and how old it is",
        "kwartier coop pay open-items --as treasurer",
        _open_items_arguments,
        _open_items,
    ),
    Word(
        "pay",
        "import-bank",
        "book a bank's statement, and match what is certain",
        "kwartier coop pay import-bank statement.xml --as treasurer",
        _import_arguments,
        _import,
    ),
    Word(
        "pay",
        "match",
        "show what the bank's lines may be, or say what one is",
        "kwartier coop pay match 7 --party huis-12 --as treasurer",
        _match_arguments,
        _match,
    ),
    Word(
        "pay",
        "write-off",
        "propose to write off what a paper leaves open, or approve it",
        "kwartier coop pay write-off F2026-00012 --reason 'moved abroad' --as treasurer",
        _write_off_arguments,
        _write_off,
    ),
)
