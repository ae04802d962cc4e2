"""The sharing keys that are reckoned in arrays of whole numbers, many quarters at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np

from optimizer.matrix import WhArray
from optimizer.matrix_filling import Shares, fill_rows, fixed_rows
from optimizer.sharing import Equal, Proportional, Rounds, SharingKey, Static

MAX_WHOLE = 2**31
"""Shares whose common denominator is longer are left to the exact engine."""


@dataclass(frozen=True, slots=True)
class Pots:
    """What there is to share in some quarters.

    Attributes:
        supply: What the neighbourhood has to give, ``(Q,)`` [Wh].
        imports: Demand of each connection, ``(Q, N)`` [Wh].
        exports: Supply of each connection, ``(Q, N)`` [Wh].
        caps: The most each connection may receive, ``(Q, N)`` [Wh].
    """

    supply: WhArray
    imports: WhArray
    exports: WhArray
    caps: WhArray


class ArrayKey(Protocol):
    """A sharing key for many quarters at once."""

    @property
    def whole(self) -> int:
        """What its parts are parts of; 1 without parts."""

    def share(self, pots: Pots) -> Shares:
        """Return what each connection gets."""


def array_key(key: SharingKey, names: Sequence[str]) -> ArrayKey | None:
    """Return a key for some connections in arrays; None where the exact engine has to do it."""
    if isinstance(key, Proportional):
        return _ByImport()
    if isinstance(key, Equal):
        alike = dict.fromkeys(key.participants, Fraction(1, len(key.participants)))
        return _of_parts(alike, key.rounds, names)
    if isinstance(key, Static):
        return _of_parts(key.shares, key.rounds, names)
    return None


@dataclass(frozen=True, slots=True)
class _ByImport:
    """Filling by import."""

    whole: int = 1

    def share(self, pots: Pots) -> Shares:
        """Fill each quarter by its imports."""
        return fill_rows(pots.supply, pots.imports, pots.caps, np.ones_like(pots.supply))


@dataclass(frozen=True, slots=True)
class _ByParts:
    """Filling by fixed weights."""

    parts: WhArray
    whole: int

    def share(self, pots: Pots) -> Shares:
        """Fill each quarter by the same weights."""
        weights = np.broadcast_to(self.parts, pots.caps.shape)
        return fill_rows(pots.supply, weights, pots.caps, np.ones_like(pots.supply))


@dataclass(frozen=True, slots=True)
class _FixedParts:
    """Fixed parts of the supply."""

    parts: WhArray
    whole: int

    def share(self, pots: Pots) -> Shares:
        """Give each connection its part, up to its cap."""
        return fixed_rows(self.parts, self.whole, pots.supply, pots.caps)


def _of_parts(
    shares: Mapping[str, Fraction], rounds: Rounds, names: Collection[str]
) -> ArrayKey | None:
    whole = math.lcm(*(share.denominator for share in shares.values()))
    if whole >= MAX_WHOLE:
        return None
    parts = np.array([int(shares.get(name, 0) * whole) for name in names], np.int64)
    return _FixedParts(parts, whole) if rounds is Rounds.SINGLE else _ByParts(parts, whole)
