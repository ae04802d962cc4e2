"""``kwartier coop connection|own|consent``: what is connected, whose it is, what may be used."""

from __future__ import annotations

import argparse
import sys

from api.commands.coop.acting import day, fields_of, midnight, reading_desk, writing_desk
from api.commands.coop.word import Word
from api.cooperative.registry import (
    Connection,
    Purpose,
    add_connection,
    change_supplier,
    connections,
    end_ownership,
    give_consent,
    hand_over,
    own,
    supplier_note,
    windows,
    withdraw_consent,
    withdraw_ownership,
)
from kwartier.cli import print_json
from kwartier.wire import Json


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection", help="its name in the cooperative, such as huis-12")
    parser.add_argument("--ean", required=True, help="its EAN-18, as on the bill")
    parser.add_argument("--supplier", required=True, help="its supplier, as a short name")
    parser.add_argument("--fuse", type=int, default=25, metavar="AMPERE", help="main fuse [A]")
    parser.add_argument("--phases", type=int, default=3, choices=(1, 3))
    parser.add_argument("--grid-area", default="", help="grid area or substation")
    parser.add_argument("--gateway", default="", help="the gateway that reads it")
    parser.add_argument("--meter", default="p1", help="the meter's name on that gateway")


def _add(chosen: argparse.Namespace) -> int:
    connection = Connection(
        chosen.connection,
        chosen.ean,
        chosen.supplier,
        chosen.fuse,
        chosen.phases,
        chosen.grid_area,
        chosen.gateway,
        chosen.meter,
    )
    with writing_desk(chosen) as desk:
        add_connection(desk, connection)
        note = supplier_note(desk, connection.id)
    if note:
        print(f"note: {note}", file=sys.stderr)
    print_json(_told(connection))
    return 0


def _list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        print_json([_told(each) for each in connections(desk)])
    return 0


def _told(connection: Connection) -> dict[str, Json]:
    return {
        **fields_of(connection),
        "ean": connection.masked_ean,
        "limit_w": connection.limit_w,
    }


def _supplier_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection", help="which connection")
    parser.add_argument("supplier", help="who supplies it from then on")
    parser.add_argument("--from", dest="start", type=day, required=True, metavar="DAY")


def _supplier(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        warnings = change_supplier(desk, chosen.connection, chosen.supplier, chosen.start)
    for warning in warnings:
        print(f"note: {warning}", file=sys.stderr)
    print_json({"connection": chosen.connection, "takes_part": not warnings})
    return 0


def _own_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection", help="which connection")
    parser.add_argument("party", help="who owns it")
    parser.add_argument("--from", dest="start", type=day, required=True, metavar="DAY")
    parser.add_argument("--to", dest="end", type=day, metavar="DAY", help="first day no longer")
    parser.add_argument(
        "--take-over", action="store_true", help="end the window that is open on that day first"
    )


def _own_set(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        if chosen.take_over:
            window = hand_over(desk, chosen.connection, chosen.party, chosen.start, chosen.end)
        else:
            window = own(desk, chosen.connection, chosen.party, chosen.start, chosen.end)
    print_json(fields_of(window))
    return 0


def _own_end_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection", help="which connection")
    parser.add_argument("--to", dest="end", type=day, required=True, metavar="DAY")


def _own_end(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        print_json(fields_of(end_ownership(desk, chosen.connection, chosen.end)))
    return 0


def _own_withdraw_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("window", type=int, help="its number in `own list`")
    parser.add_argument("--reason", required=True, help="why, for the audit log")


def _own_withdraw(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        withdraw_ownership(desk, chosen.window, chosen.reason)
    print_json({"window": chosen.window, "withdrawn": True})
    return 0


def _own_list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection", nargs="?", help="which connection; all when absent")


def _own_list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        print_json([fields_of(each) for each in windows(desk, chosen.connection)])
    return 0


def _consent_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection", help="whose values")
    parser.add_argument("party", help="who gives it")
    parser.add_argument("purpose", choices=list(Purpose))


def _give_arguments(parser: argparse.ArgumentParser) -> None:
    _consent_arguments(parser)
    parser.add_argument("--from", dest="start_s", type=midnight, required=True, metavar="DAY")
    parser.add_argument("--evidence", required=True, help="how we know, such as 'form 12'")


def _give(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        purpose = Purpose(chosen.purpose)
        given = give_consent(
            desk, chosen.connection, chosen.party, purpose, chosen.start_s, chosen.evidence
        )
    print_json(fields_of(given))
    return 0


def _withdraw_arguments(parser: argparse.ArgumentParser) -> None:
    _consent_arguments(parser)
    parser.add_argument(
        "--to", dest="end_s", type=midnight, metavar="DAY", help="first day without; else now"
    )


def _withdraw(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        end_s = desk.at_s if chosen.end_s is None else chosen.end_s
        purpose = Purpose(chosen.purpose)
        ended = withdraw_consent(desk, chosen.connection, chosen.party, purpose, end_s)
    print_json(fields_of(ended))
    return 0


def _none(_: argparse.ArgumentParser) -> None:
    """Add nothing."""


WORDS = (
    Word(
        "connection",
        "add",
        "add a connection to the grid",
        "kwartier coop connection add huis-12 --ean 871687100000000006 --supplier greenchoice "
        "--fuse 25 --phases 3 --as treasurer",
        _add_arguments,
        _add,
    ),
    Word(
        "connection",
        "list",
        "show all connections, with their EAN hidden but for four digits",
        "kwartier coop connection list --as treasurer",
        _none,
        _list,
    ),
    Word(
        "connection",
        "supplier",
        "let another supplier supply a connection; it may end taking part",
        "kwartier coop connection supplier huis-12 vandebron --from 2026-09-01 --as treasurer",
        _supplier_arguments,
        _supplier,
    ),
    Word(
        "own",
        "set",
        "let a party own a connection from a day on",
        "kwartier coop own set huis-12 huis-12 --from 2026-07-01 --as treasurer",
        _own_arguments,
        _own_set,
    ),
    Word(
        "own",
        "end",
        "end who owns a connection; it stands empty from that day on",
        "kwartier coop own end huis-12 --to 2026-07-15 --as treasurer",
        _own_end_arguments,
        _own_end,
    ),
    Word(
        "own",
        "withdraw",
        "take back a window that was a mistake",
        "kwartier coop own withdraw 7 --reason 'wrong day' --as treasurer",
        _own_withdraw_arguments,
        _own_withdraw,
    ),
    Word(
        "own",
        "list",
        "show who owns what when",
        "kwartier coop own list huis-12 --as treasurer",
        _own_list_arguments,
        _own_list,
    ),
    Word(
        "consent",
        "give",
        "write down for what a connection's values may be used",
        "kwartier coop consent give huis-12 huis-12 settlement --from 2026-07-01 "
        "--evidence 'form 12' --as treasurer",
        _give_arguments,
        _give,
    ),
    Word(
        "consent",
        "withdraw",
        "end a consent",
        "kwartier coop consent withdraw huis-12 huis-12 research --as treasurer",
        _withdraw_arguments,
        _withdraw,
    ),
)
