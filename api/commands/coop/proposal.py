"""``kwartier coop proposal``: what waits for a second person."""

from __future__ import annotations

import argparse

from api.commands.coop.acting import fields_of, reading_desk, writing_desk
from api.commands.coop.choosing import confirm_seen
from api.commands.coop.word import Word
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError
from api.cooperative.four_eyes import Matter, Proposal, approve, open_proposals, reject
from kwartier.cli import print_json

_OWN_WORD = {
    Matter.OFFICER: "officer confirm",
    Matter.RUN: "run approve",
    Matter.PAYMENT: "pay release",
    Matter.WRITE_OFF: "pay write-off --approve",
}
"""What is approved with a word of its own, because more happens at once."""


def _list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        print_json([fields_of(each) for each in open_proposals(desk)])
    return 0


def _approve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("proposal", type=int, help="its number in the list")
    parser.add_argument("--hash", help="first letters of the hash you looked at, eight or more")


def _approve(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        found = _open_one(desk, chosen.proposal)
        if found.matter in _OWN_WORD:
            raise BooksError(
                f"proposal {found.id} is about {found.matter} {found.subject}: approve it with "
                f"`kwartier coop {_OWN_WORD[found.matter]}`"
            )
        confirm_seen(found, chosen.hash)
        given = approve(desk, found.id, found.body_hash)
    print_json(fields_of(given))
    return 0


def _reject_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("proposal", type=int, help="its number in the list")
    parser.add_argument("--reason", required=True, help="why, for who proposed it")


def _reject(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        given = reject(desk, chosen.proposal, chosen.reason)
    print_json(fields_of(given))
    return 0


def _open_one(desk: Desk, number: int) -> Proposal:
    for each in open_proposals(desk):
        if each.id == number:
            return each
    raise StateError(f"proposal {number} does not wait: see `kwartier coop proposal list`")


def _none(_: argparse.ArgumentParser) -> None:
    """Add nothing."""


WORDS = (
    Word(
        "proposal",
        "list",
        "show what waits for a second person, with its hash",
        "kwartier coop proposal list --as board",
        _none,
        _list,
    ),
    Word(
        "proposal",
        "approve",
        "approve what somebody else proposed",
        "kwartier coop proposal approve 4 --hash 1f0c9ab2 --as board",
        _approve_arguments,
        _approve,
    ),
    Word(
        "proposal",
        "reject",
        "say no to a proposal, or take back your own",
        "kwartier coop proposal reject 4 --reason 'wrong account' --as board",
        _reject_arguments,
        _reject,
    ),
)
