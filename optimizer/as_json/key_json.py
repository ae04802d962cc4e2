"""A sharing key as JSON: its type, and what that type needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from fractions import Fraction

from kwartier.errors import ContractError
from optimizer.as_json.strict_json import Part
from optimizer.sharing import (
    Cascade,
    Equal,
    Hybrid,
    Proportional,
    Rounds,
    SecondStage,
    SharingKey,
    SharingKeyError,
    Solidarity,
    Static,
    Within,
)

MAX_DEPTH = 8
"""How deep solidarity keys may stand in each other."""


class KeyType(StrEnum):
    """The keys by name."""

    PROPORTIONAL = "proportional"
    EQUAL = "equal"
    STATIC = "static"
    HYBRID = "hybrid"
    CASCADE = "cascade"
    SOLIDARITY = "solidarity"


def key_of(part: Part, depth: int = 0) -> SharingKey:
    """Return the sharing key that a part of a document describes.

    Raises:
        ContractError: A value is wrong or not known; the message names its place.
    """
    if depth >= MAX_DEPTH:
        raise part.wrong(f"more than {MAX_DEPTH} keys stand in each other: use fewer")
    named = part.names()
    if "type" not in named:
        raise part.wrong(f"key 'type' is missing: use {', '.join(KeyType)}")
    kind = named["type"].choice(KeyType)
    if kind is KeyType.SOLIDARITY:
        return _refusals_placed(part, lambda: _solidarity(part, depth))
    return _refusals_placed(part, lambda: _PLAIN[kind](part))


def _proportional(part: Part) -> SharingKey:
    part.object(("type",))
    return Proportional()


def _equal(part: Part) -> SharingKey:
    keys = part.object(("type", "participants", "rounds"), needed=("participants",))
    rounds = keys["rounds"].choice(Rounds) if "rounds" in keys else Rounds.SINGLE
    return Equal(_names(keys["participants"]), rounds)


def _static(part: Part) -> SharingKey:
    keys = part.object(("type", "shares", "rounds"), needed=("shares",))
    rounds = keys["rounds"].choice(Rounds) if "rounds" in keys else Rounds.SINGLE
    return Static(_shares(keys["shares"]), rounds)


def _hybrid(part: Part) -> SharingKey:
    keys = part.object(("type", "shares", "second"), needed=("shares",))
    second = keys["second"].choice(SecondStage) if "second" in keys else SecondStage.RESIDUAL
    return Hybrid(_shares(keys["shares"]), second)


def _cascade(part: Part) -> SharingKey:
    keys = part.object(("type", "tiers", "within"), needed=("tiers",))
    within = keys["within"].choice(Within) if "within" in keys else Within.PROPORTIONAL
    return Cascade(tuple(_names(tier) for tier in keys["tiers"].list()), within)


def _solidarity(part: Part, depth: int) -> SharingKey:
    known = ("type", "share", "beneficiaries", "base")
    keys = part.object(known, needed=known)
    base = key_of(keys["base"], depth + 1)
    return Solidarity(keys["share"].fraction("0.2"), _names(keys["beneficiaries"]), base)


_PLAIN: Mapping[KeyType, Callable[[Part], SharingKey]] = {
    KeyType.PROPORTIONAL: _proportional,
    KeyType.EQUAL: _equal,
    KeyType.STATIC: _static,
    KeyType.HYBRID: _hybrid,
    KeyType.CASCADE: _cascade,
}


def _names(part: Part) -> tuple[str, ...]:
    return tuple(each.name() for each in part.list())


def _shares(part: Part) -> dict[str, Fraction]:
    return {name: share.fraction("0.3") for name, share in part.names().items()}


def _refusals_placed(part: Part, build: Callable[[], SharingKey]) -> SharingKey:
    """Build a key; what the key itself refuses is told with its place in the document."""
    try:
        return build()
    except SharingKeyError as error:
        raise ContractError(f"{part.place}.{error}") from error
