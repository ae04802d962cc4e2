"""A price as text: exact, and nothing that a number is not."""

from __future__ import annotations

import re
from decimal import Context, Decimal

from collectors.answers import AnswerError, Told, shown
from collectors.prices.model import TIMES_S
from kwartier.errors import ContractError
from kwartier.interval import epoch_s, parse_instant
from kwartier.units import EpochS

_PRICE_TEXT = re.compile(
    r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?", re.ASCII
)

_EXACT = Context(prec=60)
"""More digits than a price text may have, so that moving the point rounds nothing."""


def price_of(text: str) -> Decimal:
    """Return the exact number of a price text, such as ``'-12.34'``.

    Raises:
        ContractError: It is no plain number; a comma, a currency sign or ``nan`` is none.
    """
    if _PRICE_TEXT.fullmatch(text) is None:
        raise ContractError(f"price {text[:40]!r} is no number: write it as '-12.34'")
    return Decimal(text)


def mwh_from_kwh(eur_per_kwh: Decimal) -> Decimal:
    """Return a price per kWh as a price per MWh, exactly."""
    return eur_per_kwh.scaleb(3, _EXACT)


def stamp_s(told: Told, who: str) -> EpochS:
    """Return the instant of a stamp with its offset [s].

    Raises:
        ContractError: It is no instant, or in no year of prices.
    """
    if not isinstance(told, str):
        raise AnswerError(f"{who}'s answer: a price has no instant but {shown(told)}")
    at_s = epoch_s(parse_instant(told))
    if at_s not in TIMES_S:
        raise AnswerError(f"{who}'s answer: {shown(told)} is no year of prices")
    return at_s
