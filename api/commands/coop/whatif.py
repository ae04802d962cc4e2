"""``kwartier coop whatif``: the last twelve months once more, with another tariff or key."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from api.commands.coop.acting import read_json, reading_desk
from api.commands.coop.word import Word
from api.cooperative.database import Desk
from api.cooperative.law import KeyTerms, TariffTerms, key_versions
from api.cooperative.whatif import Against, Candidate, key_terms, replay, replay_hash, told_of
from kwartier.cli import print_json
from kwartier.interval import QUARTER_S
from kwartier.progress import Progress
from optimizer.balance import SelfRule
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.rounding import Tie


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--against",
        choices=[each.value for each in Against],
        default=Against.THEN.value,
        help="compare with what held then (the bills as they were), or with what holds now",
    )


def _tariff_arguments(parser: argparse.ArgumentParser) -> None:
    for name, meaning, default in (
        ("buy", "what a kWh from a neighbour costs [EUR/kWh]", None),
        ("sell", "what a kWh to a neighbour earns [EUR/kWh]", None),
        ("levy", "what each kWh bought brings to the fund [EUR/kWh]", "0"),
        ("grid-sell", "what a kWh of the battery's earns outside [EUR/kWh]", "0"),
        ("fee", "what each member pays a month [EUR]", "0"),
        ("vat-code", "under which VAT code what is owed falls", "high"),
    ):
        parser.add_argument(f"--{name}", required=default is None, default=default, help=meaning)
    _common(parser)


def _tariff(chosen: argparse.Namespace) -> int:
    terms = TariffTerms(
        chosen.buy,
        chosen.sell,
        chosen.levy,
        chosen.grid_sell,
        chosen.fee,
        chosen.vat_code,
    )
    return _tell(chosen, lambda _: Candidate(terms, Against(chosen.against)))


def _key_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--definition", required=True, metavar="FILE", help="the key as JSON, see `kwartier settle`"
    )
    parser.add_argument("--self-rule", choices=list(SelfRule), help="as it holds now when absent")
    parser.add_argument("--tie", choices=list(Tie), help="as it holds now when absent")
    parser.add_argument(
        "--battery", choices=list(BatteryModel), help="who carries its loss; as now when absent"
    )
    parser.add_argument("--efficiency", help="of the battery, such as 0.9; as now when absent")
    _common(parser)


def _key(chosen: argparse.Namespace) -> int:
    definition = read_json(chosen.definition)

    def candidate(desk: Desk) -> Candidate:
        now_s = desk.at_s - desk.at_s % QUARTER_S
        now = key_terms(key_versions(desk, now_s, now_s + QUARTER_S)[0].body)
        terms = KeyTerms(
            definition,
            now.self_rule if chosen.self_rule is None else SelfRule(chosen.self_rule),
            now.tie if chosen.tie is None else Tie(chosen.tie),
            battery_model=(
                now.battery_model if chosen.battery is None else BatteryModel(chosen.battery)
            ),
            efficiency=now.efficiency if chosen.efficiency is None else chosen.efficiency,
        )
        return Candidate(terms, Against(chosen.against))

    return _tell(chosen, candidate)


def _tell(chosen: argparse.Namespace, candidate: Callable[[Desk], Candidate]) -> int:
    bar = Progress("the last twelve months", 1)
    with reading_desk(chosen) as desk:
        try:
            told = told_of(replay(desk, candidate(desk), bar.show))
        finally:
            bar.end()
    print_json({**told, "hash": replay_hash(told)})
    return 0


WORDS = (
    Word(
        "whatif",
        "tariff",
        "tell what every member would have paid at other prices",
        "kwartier coop whatif tariff --buy 0.17 --sell 0.12 --levy 0.01 --fee 3.00 --as treasurer",
        _tariff_arguments,
        _tariff,
    ),
    Word(
        "whatif",
        "key",
        "tell what every member would have paid with another sharing key",
        "kwartier coop whatif key --definition key.json --as treasurer",
        _key_arguments,
        _key,
    ),
)
