"""Bills and their corrections as JSON: volumes and a tariff in, invoices and entries out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

from kwartier.ledger import Account, Entry, balances
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part, parsed
from optimizer.bill import (
    ENERGY_PURCHASE,
    ENERGY_SALES,
    FEES,
    LEVY,
    VAT_DUE,
    VAT_INPUT,
    Bill,
    Invoice,
    Volume,
    bill,
    correct,
)
from optimizer.tariff import CentRounding, Terms

LONGEST_FRACTION = 10**2000
"""The largest denominator that the prices of a bill may have in common."""

_VOLUME_KEYS = ("member", "bought", "sold", "buy_price", "sell_price")
_TARIFF_KEYS = ("buy", "sell", "levy", "fee", "vat", "vat_sell", "rounding")
_COMMON_ACCOUNTS = (ENERGY_SALES, ENERGY_PURCHASE, FEES, LEVY, VAT_DUE, VAT_INPUT)


def bill_text(text: str) -> dict[str, Json]:
    """Return the invoices and entries of a bill written as JSON.

    Raises:
        ContractError: The text is no such bill; the message names key, value and remedy.
    """
    return _bill_answer(bill_of(parsed(text)))


def resettle_text(text: str) -> dict[str, Json]:
    """Return what it takes to put one bill in the place of another, both written as JSON.

    Raises:
        ContractError: The text is no such pair; the message names key, value and remedy.
    """
    keys = parsed(text).object(("old", "new"), needed=("old", "new"))
    correction = correct(bill_of(keys["old"]), bill_of(keys["new"]))
    return {
        "reversal_entries": len(correction.reversals),
        "journal_entries": len(correction.journal),
        "delta_to_pay": dict(correction.delta_to_pay),
        "balances": _balances(correction.journal),
    }


def bill_of(part: Part) -> Bill:
    """Return the bill that a part of a document describes, or refuse it."""
    keys = part.object(("volumes", "tariff"), needed=("volumes", "tariff"))
    terms = _terms(keys["tariff"])
    volumes = [_volume(row) for row in keys["volumes"].list()]
    _refuse_unwieldy(keys["volumes"], volumes)
    return bill(volumes, terms)


def _volume(part: Part) -> Volume:
    keys = part.object(_VOLUME_KEYS, needed=("member",))
    return Volume(
        keys["member"].name(),
        keys["bought"].energy_wh() if "bought" in keys else 0,
        keys["sold"].energy_wh() if "sold" in keys else 0,
        _price(keys.get("buy_price")),
        _price(keys.get("sell_price")),
    )


def _refuse_unwieldy(part: Part, volumes: Sequence[Volume]) -> None:
    """Refuse prices that have no common fraction of a bearable length."""
    common = 1
    for row, volume in enumerate(volumes):
        for price in (volume.buy_eur_per_kwh, volume.sell_eur_per_kwh):
            common = math.lcm(common, 1 if price is None else price.denominator)
        if common > LONGEST_FRACTION:
            raise part.list()[row].wrong(
                "its price and those before it make fractions too long to add up: "
                "use prices with fewer digits"
            )


def _price(part: Part | None) -> Fraction | None:
    return None if part is None or part.value is None else part.signed_fraction("0.18")


def _terms(part: Part) -> Terms:
    keys = part.told(_TARIFF_KEYS, needed=("buy", "sell"))

    def optional(key: str, example: str) -> Fraction:
        return keys[key].signed_fraction(example) if key in keys else Fraction()

    def rate(key: str) -> Fraction:
        share = keys[key].fraction("21/100") if key in keys else Fraction()
        if share > 1:
            raise keys[key].wrong(f'{share} times the price: write 21 percent as "21/100"')
        return share

    rounding = CentRounding.LARGEST_REMAINDER
    return Terms(
        keys["buy"].signed_fraction("0.18"),
        keys["sell"].signed_fraction("0.12"),
        optional("levy", "0.01"),
        optional("fee", "2.50"),
        rate("vat"),
        rate("vat_sell"),
        keys["rounding"].choice(CentRounding) if "rounding" in keys else rounding,
    )


def _bill_answer(billed: Bill) -> dict[str, Json]:
    invoices = billed.invoices.values()
    return {
        "invoices": {member: _invoice(each) for member, each in billed.invoices.items()},
        "totals": {
            "buy": sum(invoice.buy for invoice in invoices),
            "sell": sum(invoice.sell for invoice in invoices),
            "levy": sum(invoice.levy for invoice in invoices),
            "fee": sum(invoice.fee for invoice in invoices),
        },
        "margin": billed.margin,
        "entries": [
            {line.account.name: line.amount for line in entry.lines} for entry in billed.entries
        ],
        "balances": _balances(billed.entries),
    }


def _invoice(invoice: Invoice) -> dict[str, Json]:
    return {
        "buy": invoice.buy,
        "levy": invoice.levy,
        "fee": invoice.fee,
        "net": invoice.net,
        "vat": invoice.vat,
        "gross": invoice.gross,
        "sell": invoice.sell,
        "sell_vat": invoice.sell_vat,
        "sell_gross": invoice.sell_gross,
        "to_pay": invoice.to_pay,
    }


def _balances(entries: Iterable[Entry]) -> dict[str, Json]:
    """Return every account's balance; the cooperative's own ones also when they are 0."""
    held: dict[Account, int] = dict.fromkeys(_COMMON_ACCOUNTS, 0)
    held.update(balances(entries))
    return {account.name: cents for account, cents in sorted(held.items())}
