"""What papers must say because a rule is not sure, or a price is under what the law asks."""

from __future__ import annotations

from fractions import Fraction

from api.cooperative.database import Desk
from api.cooperative.law.dutch import RULES
from api.cooperative.law.parameter import parameter_or_none
from api.cooperative.law.rule import UNCONFIRMED, UNKNOWN
from api.cooperative.law.tariff_book import TariffRecord
from kwartier.units import EpochS

BELOW_REASONABLE_FEE = "below_reasonable_fee"
"""A kWh to a neighbour earns less than a supplier must pay for it."""
NO_REFERENCE = "reference_unknown"
"""Nobody wrote down a supplier's price, so the sell price cannot be checked."""


def warnings_at(desk: Desk, tariff: TariffRecord, at_s: EpochS) -> tuple[str, ...]:
    """Return the keys of the remarks that papers must bear under a tariff at an instant [s]."""
    open_rules = [
        rule.remark
        for rule in RULES
        if rule.remark
        and (found := parameter_or_none(desk, rule.name, at_s)) is not None
        and found.value == UNCONFIRMED
    ]
    return (*open_rules, *_fee_remark(desk, tariff, at_s))


def reasonable_fee(desk: Desk, tariff: TariffRecord, at_s: EpochS) -> Fraction | None:
    """Return the least a supplier pays for export [EUR/kWh]; None when no least is known.

    Source:
        kst-36611-D: at least half of the bare supply price, until 2030-01-01.
    """
    part = parameter_or_none(desk, "minimum_reasonable_fee", at_s)
    if part is None or part.value == UNKNOWN or not Fraction(part.value):
        return None
    return Fraction(part.value) * tariff.reference_eur_per_kwh


def _fee_remark(desk: Desk, tariff: TariffRecord, at_s: EpochS) -> tuple[str, ...]:
    least = reasonable_fee(desk, tariff, at_s)
    if least is None:
        return ()
    if not least:
        return (NO_REFERENCE,)
    return (BELOW_REASONABLE_FEE,) if tariff.terms.sell_eur_per_kwh < least else ()
