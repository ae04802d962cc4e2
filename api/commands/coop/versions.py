"""``kwartier coop key|tariff|vat``: versions that one officer proposes and another approves."""

from __future__ import annotations

import argparse
import sys

from api.commands.coop.acting import fields_of, midnight, read_json, reading_desk, writing_desk
from api.commands.coop.choosing import chosen_proposal
from api.commands.coop.word import Word
from api.cooperative.errors import BooksError
from api.cooperative.four_eyes import Matter, approve
from api.cooperative.law import (
    KeyTerms,
    Mark,
    TariffTerms,
    VatCode,
    add_key,
    add_tariff,
    add_vat_code,
    key_is_approved,
    key_records,
    tariff_is_approved,
    tariff_records,
    vat_codes,
    warnings_at,
)
from api.cooperative.law.remarks import BELOW_REASONABLE_FEE
from kwartier.cli import print_json
from optimizer.as_json.strict_json import Part
from optimizer.balance import SelfRule
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.period import Rounding
from optimizer.settling.rounding import Tie


def _version_arguments(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("id", help=f"the {what}'s name in the books")
    parser.add_argument("--decision", required=True, help="number of the decision")
    parser.add_argument(
        "--from", dest="start_s", type=midnight, required=True, metavar="DAY", help="holds from"
    )


def _key_arguments(parser: argparse.ArgumentParser) -> None:
    _version_arguments(parser, "key")
    parser.add_argument(
        "--definition", required=True, metavar="FILE", help="the key as JSON, see `kwartier settle`"
    )
    parser.add_argument("--self-rule", choices=list(SelfRule), default=SelfRule.NO_SELF)
    parser.add_argument("--tie", choices=list(Tie), default=Tie.ROTATE)
    parser.add_argument("--rounding", choices=list(Rounding), default=Rounding.QUARTER)
    parser.add_argument("--battery", choices=list(BatteryModel), help="who carries its loss")
    parser.add_argument("--efficiency", default="", help="of the battery, such as 0.9")


def _key_add(chosen: argparse.Namespace) -> int:
    terms = KeyTerms(
        read_json(chosen.definition),
        SelfRule(chosen.self_rule),
        Tie(chosen.tie),
        Rounding(chosen.rounding),
        None if chosen.battery is None else BatteryModel(chosen.battery),
        chosen.efficiency,
    )
    with writing_desk(chosen) as desk:
        made = add_key(desk, chosen.id, chosen.decision, chosen.start_s, terms)
    print_json({"key": chosen.id, "proposal": made.id, "hash": made.body_hash})
    return 0


def _key_list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        told = [
            {"key": key.body, "approved": key_is_approved(desk, key)} for key in key_records(desk)
        ]
    print_json(told)
    return 0


def _tariff_arguments(parser: argparse.ArgumentParser) -> None:
    _version_arguments(parser, "tariff")
    for name, meaning, default in (
        ("buy", "what a kWh from a neighbour costs [EUR/kWh]", None),
        ("sell", "what a kWh to a neighbour earns [EUR/kWh]", None),
        ("levy", "what each kWh bought brings to the fund [EUR/kWh]", "0"),
        ("grid-sell", "what a kWh of the battery's earns outside [EUR/kWh]", "0"),
        ("fee", "what each member pays a month [EUR]", "0"),
        ("vat-code", "under which VAT code what is owed falls", "high"),
        ("reference", "a supplier's bare price, without tax and VAT [EUR/kWh]", "0"),
    ):
        parser.add_argument(f"--{name}", required=default is None, default=default, help=meaning)
    parser.add_argument("--cost-sheet", metavar="FILE", help="what the prices are made of, JSON")


def _tariff_add(chosen: argparse.Namespace) -> int:
    sheet = read_json(chosen.cost_sheet) if chosen.cost_sheet else {}
    if not isinstance(sheet, dict):
        raise BooksError(f"{chosen.cost_sheet}: a cost sheet is an object in braces")
    terms = TariffTerms(
        chosen.buy,
        chosen.sell,
        chosen.levy,
        chosen.grid_sell,
        chosen.fee,
        chosen.vat_code,
        chosen.reference,
        sheet,
    )
    with writing_desk(chosen) as desk:
        made = add_tariff(desk, chosen.id, chosen.decision, chosen.start_s, terms)
        written = next(each for each in tariff_records(desk) if each.id == chosen.id)
        warnings = warnings_at(desk, written, chosen.start_s)
    if BELOW_REASONABLE_FEE in warnings:
        print(
            f"note: {chosen.id} pays less for a kWh than a supplier must: members who sell are "
            "better off with their supplier",
            file=sys.stderr,
        )
    print_json(
        {
            "tariff": chosen.id,
            "proposal": made.id,
            "hash": made.body_hash,
            "warnings": [*warnings],
        }
    )
    return 0


def _tariff_list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        told = [
            {
                "tariff": tariff.body,
                "approved": tariff_is_approved(desk, tariff),
                "warnings": [*warnings_at(desk, tariff, tariff.from_s)],
            }
            for tariff in tariff_records(desk)
        ]
    print_json(told)
    return 0


def _vat_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", help="the code, such as high")
    parser.add_argument("--rate", required=True, help="as a part, such as 21/100")
    parser.add_argument("--decision", required=True, help="number of the decision")
    parser.add_argument("--source", required=True, help="where the rate was read")
    parser.add_argument(
        "--from", dest="start_s", type=midnight, required=True, metavar="DAY", help="holds from"
    )


def _vat_add(chosen: argparse.Namespace) -> int:
    rate = Part(chosen.rate, "--rate").fraction("21/100")
    code = VatCode(chosen.code, chosen.start_s, rate, Mark.SOURCE, chosen.source, chosen.decision)
    with writing_desk(chosen) as desk:
        made = add_vat_code(desk, code)
    print_json({"vat": code.id, "proposal": made.id, "hash": made.body_hash})
    return 0


def _vat_list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        print_json([code.body for code in vat_codes(desk)])
    return 0


def _approve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="what was proposed")
    parser.add_argument("--hash", help="first letters of the hash you looked at, eight or more")


def _approve(matter: Matter, chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        found = chosen_proposal(desk, matter, chosen.id, chosen.hash)
        given = approve(desk, found.id, found.body_hash)
    print_json(fields_of(given))
    return 0


def _key_approve(chosen: argparse.Namespace) -> int:
    return _approve(Matter.KEY, chosen)


def _tariff_approve(chosen: argparse.Namespace) -> int:
    return _approve(Matter.TARIFF, chosen)


def _vat_approve(chosen: argparse.Namespace) -> int:
    return _approve(Matter.VAT, chosen)


def _none(_: argparse.ArgumentParser) -> None:
    """Add nothing."""


WORDS = (
    Word(
        "key",
        "add",
        "propose a version of the sharing key",
        "kwartier coop key add key-2026-07 --decision 2026-07 --from 2026-07-01 "
        "--definition key.json --as treasurer",
        _key_arguments,
        _key_add,
    ),
    Word(
        "key",
        "approve",
        "let a proposed key hold, as a second person",
        "kwartier coop key approve key-2026-07 --hash 1f0c9ab2 --as board",
        _approve_arguments,
        _key_approve,
    ),
    Word(
        "key",
        "list",
        "show all versions of the key",
        "kwartier coop key list --as board",
        _none,
        _key_list,
    ),
    Word(
        "tariff",
        "add",
        "propose a version of the tariff",
        "kwartier coop tariff add tariff-2026-07 --decision 2026-07 --from 2026-07-01 "
        "--buy 0.18 --sell 0.12 --levy 0.01 --fee 2.50 --reference 0.13 --as treasurer",
        _tariff_arguments,
        _tariff_add,
    ),
    Word(
        "tariff",
        "approve",
        "let a proposed tariff hold, as a second person",
        "kwartier coop tariff approve tariff-2026-07 --hash 1f0c9ab2 --as board",
        _approve_arguments,
        _tariff_approve,
    ),
    Word(
        "tariff",
        "list",
        "show all versions of the tariff, and the remarks they bring",
        "kwartier coop tariff list --as board",
        _none,
        _tariff_list,
    ),
    Word(
        "vat",
        "add",
        "propose the rate of a VAT code from a day on",
        "kwartier coop vat add high --rate 22/100 --from 2027-01-01 --decision 2026-11 "
        "--source 'Belastingplan 2027' --as treasurer",
        _vat_arguments,
        _vat_add,
    ),
    Word(
        "vat",
        "approve",
        "let a proposed VAT rate hold, as a second person",
        "kwartier coop vat approve high@2026-12-31T23:00:00Z --hash 1f0c9ab2 --as board",
        _approve_arguments,
        _vat_approve,
    ),
    Word(
        "vat",
        "list",
        "show the VAT codes that hold",
        "kwartier coop vat list --as board",
        _none,
        _vat_list,
    ),
)
