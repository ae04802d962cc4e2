"""``kwartier coop party|member|mandate|iban``: who belongs to the cooperative."""

from __future__ import annotations

import argparse
from dataclasses import replace

from api.commands.coop.acting import day, fields_of, reading_desk, writing_desk
from api.commands.coop.word import Word
from api.cooperative.database import Desk
from api.cooperative.registry import (
    ERASED,
    Language,
    Party,
    PartyKind,
    VatStatus,
    VoteClass,
    add_member,
    add_party,
    change_party,
    end_mandate,
    end_member,
    erase,
    export,
    mandates,
    memberships,
    parties,
    party,
    propose_iban,
    set_vat_status,
    sign_mandate,
    windows,
)
from api.cooperative.settings import Address
from kwartier.cli import print_json
from kwartier.interval import day_of
from kwartier.wire import Json

_TEXTS = ("name", "email", "vat_number", "kvk", "oin")
_ADDRESS = ("street", "number", "postcode", "town", "country")


def _party_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("party", help="its id, such as huis-12; it must not tell a name")


def _detail_arguments(parser: argparse.ArgumentParser) -> None:
    _party_argument(parser)
    for name in (*_TEXTS, *_ADDRESS):
        parser.add_argument(f"--{name.replace('_', '-')}", help=f"its {name.replace('_', ' ')}")
    parser.add_argument("--language", choices=list(Language), help="of its papers")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    _detail_arguments(parser)
    parser.add_argument("--kind", choices=list(PartyKind), default=PartyKind.RESIDENT)
    parser.add_argument("--vat-status", choices=list(VatStatus), default=VatStatus.NONE)


def _add(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        empty = Party(chosen.party, PartyKind(chosen.kind), chosen.name or chosen.party)
        added = replace(_changed(empty, chosen), vat_status=VatStatus(chosen.vat_status))
        add_party(desk, added)
    print_json({"party": chosen.party})
    return 0


def _change(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        changed = change_party(desk, _changed(party(desk, chosen.party), chosen))
    print_json({"party": chosen.party, "changed": [*changed]})
    return 0


def _changed(before: Party, chosen: argparse.Namespace) -> Party:
    """Return a party with what the command line says of it."""
    texts = {name: text for name in _TEXTS if (text := getattr(chosen, name)) is not None}
    parts = {name: text for name in _ADDRESS if (text := getattr(chosen, name)) is not None}
    home = ERASED if before.address == ERASED else before.address
    address = replace(home, **parts) if parts else home
    language = before.language if chosen.language is None else Language(chosen.language)
    return replace(before, **texts, address=Address(*_values(address)), language=language)


def _values(address: Address) -> tuple[str, ...]:
    return tuple(getattr(address, name) for name in _ADDRESS)


def _vat_arguments(parser: argparse.ArgumentParser) -> None:
    _party_argument(parser)
    parser.add_argument("status", choices=list(VatStatus))
    parser.add_argument("--from", dest="start", type=day, required=True, metavar="DAY")


def _vat(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        set_vat_status(desk, chosen.party, VatStatus(chosen.status), chosen.start)
    print_json({"party": chosen.party, "vat_status": chosen.status, "from": str(chosen.start)})
    return 0


def _list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        told: list[Json] = [
            {"party": each.id, "kind": each.kind, "name": each.name, "vat_status": each.vat_status}
            for each in parties(desk)
        ]
    print_json(told)
    return 0


def _show(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        print_json(_told(desk, chosen.party))
    return 0


def _told(desk: Desk, named: str) -> dict[str, Json]:
    return {
        **fields_of(party(desk, named)),
        "memberships": [fields_of(each) for each in memberships(desk, named)],
        "ownership": [fields_of(each) for each in windows(desk, party=named)],
        "mandates": [
            {**fields_of(each), "iban": f"…{each.iban[-4:]}"} for each in mandates(desk, named)
        ],
    }


def _erase(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        kept = erase(desk, chosen.party)
    print_json({"party": chosen.party, "erased": True, "kept": [fields_of(each) for each in kept]})
    return 0


def _export(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        told = export(desk, chosen.party)
    print_json(told)
    return 0


def _member_add_arguments(parser: argparse.ArgumentParser) -> None:
    _party_argument(parser)
    parser.add_argument("--from", dest="start", type=day, required=True, metavar="DAY")
    parser.add_argument("--vote", choices=list(VoteClass), default=VoteClass.MEMBER)


def _member_add(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        print_json(fields_of(add_member(desk, chosen.party, chosen.start, VoteClass(chosen.vote))))
    return 0


def _member_end_arguments(parser: argparse.ArgumentParser) -> None:
    _party_argument(parser)
    parser.add_argument("--to", dest="end", type=day, required=True, metavar="DAY")


def _member_end(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        print_json(fields_of(end_member(desk, chosen.party, chosen.end)))
    return 0


def _mandate_sign_arguments(parser: argparse.ArgumentParser) -> None:
    _party_argument(parser)
    parser.add_argument("--reference", required=True, help="up to 35 of the SEPA set")
    parser.add_argument("--iban", required=True, help="the account to collect from")
    parser.add_argument("--signed", type=day, required=True, metavar="DAY")


def _mandate_sign(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        signed = sign_mandate(desk, chosen.party, chosen.reference, chosen.iban, chosen.signed)
    print_json({**fields_of(signed), "iban": f"…{signed.iban[-4:]}"})
    return 0


def _mandate_end_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", help="the mandate's reference")
    parser.add_argument("--on", type=day, metavar="DAY", help="first day without; today if absent")


def _mandate_end(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        on = chosen.on or day_of(desk.at_s)
        end_mandate(desk, chosen.reference, on)
    print_json({"reference": chosen.reference, "ended_on": str(on)})
    return 0


def _iban_arguments(parser: argparse.ArgumentParser) -> None:
    _party_argument(parser)
    parser.add_argument("iban", help="the account to pay the party on")


def _iban_set(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        made = propose_iban(desk, chosen.party, chosen.iban)
    print_json({"party": chosen.party, "proposal": made.id, "hash": made.body_hash})
    return 0


def _none(_: argparse.ArgumentParser) -> None:
    """Add nothing."""


_PARTY = "kwartier coop party"
WORDS = (
    Word(
        "party",
        "add",
        "add a resident or an organisation",
        f"{_PARTY} add huis-12 --name 'J. de Vries' --street Zonlaan --number 12 "
        "--postcode '2611 AA' --town Delft --as treasurer",
        _add_arguments,
        _add,
    ),
    Word(
        "party",
        "change",
        "write another name, address, e-mail or number",
        f"{_PARTY} change huis-12 --email j@voorbeeld.nl --as treasurer",
        _detail_arguments,
        _change,
    ),
    Word(
        "party",
        "vat",
        "let a party stand to VAT in another way from a day on",
        f"{_PARTY} vat huis-12 kor --from 2026-08-01 --as treasurer",
        _vat_arguments,
        _vat,
    ),
    Word("party", "list", "show all parties", f"{_PARTY} list --as treasurer", _none, _list),
    Word(
        "party",
        "show",
        "show a party with its memberships, connections and mandates",
        f"{_PARTY} show huis-12 --as treasurer",
        _party_argument,
        _show,
    ),
    Word(
        "party",
        "erase",
        "erase a party's personal fields once nothing needs them",
        f"{_PARTY} erase huis-12 --as board",
        _party_argument,
        _erase,
    ),
    Word(
        "party",
        "export",
        "print all the books know of a party, for the party itself",
        f"{_PARTY} export huis-12 --as treasurer > huis-12.json",
        _party_argument,
        _export,
    ),
    Word(
        "member",
        "add",
        "let a party be a member from a day on",
        "kwartier coop member add huis-12 --from 2026-07-01 --as treasurer",
        _member_add_arguments,
        _member_add,
    ),
    Word(
        "member",
        "end",
        "end a membership",
        "kwartier coop member end huis-12 --to 2027-01-01 --as treasurer",
        _member_end_arguments,
        _member_end,
    ),
    Word(
        "mandate",
        "sign",
        "write down a signed SEPA mandate",
        "kwartier coop mandate sign huis-12 --reference ZON-0012 --iban NL91ABNA0417164300 "
        "--signed 2026-06-20 --as treasurer",
        _mandate_sign_arguments,
        _mandate_sign,
    ),
    Word(
        "mandate",
        "end",
        "end a SEPA mandate",
        "kwartier coop mandate end ZON-0012 --on 2026-12-01 --as treasurer",
        _mandate_end_arguments,
        _mandate_end,
    ),
    Word(
        "iban",
        "set",
        "propose an account to pay a party on; a second person approves it",
        "kwartier coop iban set huis-12 NL91ABNA0417164300 --as treasurer",
        _iban_arguments,
        _iban_set,
    ),
)
