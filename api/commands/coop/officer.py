"""``kwartier coop officer``: accounts of persons, each seen by two."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from api.commands.coop.acting import (
    day,
    fields_of,
    reading_desk,
    recognised,
    writing_desk,
)
from api.commands.coop.choosing import chosen_proposal
from api.commands.coop.word import Word, open_books, secret_of
from api.cooperative.four_eyes import Matter
from api.cooperative.officers import Role
from api.cooperative.registry import (
    NewSecret,
    OfficerTerm,
    confirm,
    end_officer,
    propose_new_secret,
    propose_officer,
    renew_secret,
)
from api.cooperative.registry.officer_book import terms
from kwartier.cli import print_json
from kwartier.errors import UsageError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", help="the account's name, such as board-2")
    parser.add_argument("--person", required=True, metavar="PARTY", help="whose account it is")
    parser.add_argument(
        "--role", required=True, action="append", choices=list(Role), help="what it may do; again"
    )
    parser.add_argument("--until", type=day, metavar="DAY", help="first day it no longer holds")


def _add(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        roles = frozenset(Role(role) for role in chosen.role)
        term = OfficerTerm(chosen.account, chosen.person, roles, chosen.until)
        made = propose_officer(desk, term)
    print_json({"proposal": made.id, "hash": made.body_hash, "officer": chosen.account})
    return 0


def _confirm_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", help="the account that was proposed")
    parser.add_argument("--hash", help="first letters of the hash you looked at, eight or more")
    _to_argument(parser)


def _confirm(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        found = chosen_proposal(desk, Matter.OFFICER, chosen.account, chosen.hash)
        given = confirm(desk, found.id, found.body_hash)
    return _hand_out(given, chosen.to, one_time=True)


def _list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        print_json([fields_of(term) for term in terms(desk)])
    return 0


def _end_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", help="whose account")
    parser.add_argument("--reason", required=True, help="why, for the audit log")


def _end(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        end_officer(desk, chosen.account, chosen.reason)
    print_json({"officer": chosen.account, "ended": True})
    return 0


def _new_secret_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "account", nargs="?", help="another's account whose secret was lost: proposes a new one"
    )
    _to_argument(parser)


def _new_secret(chosen: argparse.Namespace) -> int:
    if not chosen.officer:
        raise UsageError("who acts? name yourself with --as OFFICER")
    if chosen.account in {None, chosen.officer}:
        with open_books(chosen) as (books, _):
            given = renew_secret(books, chosen.officer, secret_of(chosen))
        return _hand_out(given, chosen.to, one_time=False)
    with recognised(chosen) as (books, officer), books.desk(officer) as desk:
        made = propose_new_secret(desk, chosen.account)
    print_json({"proposal": made.id, "hash": made.body_hash, "officer": chosen.account})
    return 0


def _to_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", metavar="FILE", help="write the secret there instead of showing it")


def _hand_out(given: NewSecret, to: str | None, *, one_time: bool) -> int:
    """Show a secret once, or write it into a new file for its owner's eyes only.

    It is drawn and kept by now, so it is shown where the file cannot be written.
    """
    told: dict[str, object] = {"officer": given.officer, "one_time": one_time}
    if to is None:
        print_json({**told, "secret": given.secret})
        return 0
    try:
        opened = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        print_json({**told, "secret": given.secret})
        print(f"{to}: cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(given.secret + "\n")
    print_json({**told, "file": str(Path(to))})
    return 0


def _none(_: argparse.ArgumentParser) -> None:
    """Add nothing."""


WORDS = (
    Word(
        "officer",
        "add",
        "propose an account, or other roles for one",
        "kwartier coop officer add board-2 --person huis-04 --role board --as treasurer",
        _add_arguments,
        _add,
    ),
    Word(
        "officer",
        "confirm",
        "confirm a proposed account as a second person, and show its one-time secret",
        "kwartier coop officer confirm board-2 --as board",
        _confirm_arguments,
        _confirm,
    ),
    Word(
        "officer",
        "list",
        "show every account, its person, roles and end",
        "kwartier coop officer list --as board",
        _none,
        _list,
    ),
    Word(
        "officer",
        "end",
        "end an account at once",
        "kwartier coop officer end board-2 --reason 'left the board' --as board",
        _end_arguments,
        _end,
    ),
    Word(
        "officer",
        "new-secret",
        "draw your own next secret, or propose one for an account that lost its own",
        "kwartier coop officer new-secret --as board --secret-file one-time.txt",
        _new_secret_arguments,
        _new_secret,
    ),
)
