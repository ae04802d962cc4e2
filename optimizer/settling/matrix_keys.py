"""The sharing keys that are reckoned in arrays of whole numbers, many quarters at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np

from optimizer.settling.matrix import WhArray
from optimizer.settling.matrix_filling import Shares, fill_rows, fixed_rows
from optimizer.sharing import (
    Cascade,
    Equal,
    Hybrid,
    Proportional,
    Rounds,
    SecondStage,
    SharingKey,
    Static,
    Within,
)

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
    def reach(self) -> int:
        """By how much its products exceed those of two registers' energies, at most."""

    def share(self, pots: Pots) -> Shares:
        """Return what each connection gets."""


def array_key(key: SharingKey, names: Sequence[str]) -> ArrayKey | None:
    """Return a key for some connections in arrays; None where the exact engine has to do it."""
    if isinstance(key, Proportional):
        return _ByImport()
    if isinstance(key, Cascade):
        tiers = tuple(_among(tier, names) for tier in key.tiers)
        return _ByTiers(tiers, by_import=key.within is Within.PROPORTIONAL)
    parts = _parts_of(key)
    if parts is None:
        return None
    whole = math.lcm(*(part.denominator for part in parts.values()))
    if whole >= MAX_WHOLE:
        return None
    array = np.array([int(parts.get(name, 0) * whole) for name in names], np.int64)
    if isinstance(key, Hybrid):
        return _FixedPartsFirst(array, whole, by_import=key.second is SecondStage.IMPORT)
    if isinstance(key, Equal | Static) and key.rounds is Rounds.FILL:
        return _ByParts(array, whole)
    return _FixedParts(array, whole)


@dataclass(frozen=True, slots=True)
class _ByImport:
    """Filling by import."""

    reach: int = 1

    def share(self, pots: Pots) -> Shares:
        return fill_rows(pots.supply, pots.imports, pots.caps, np.ones_like(pots.supply))


@dataclass(frozen=True, slots=True)
class _FixedParts:
    """Fixed parts of the supply."""

    parts: WhArray
    whole: int

    @property
    def reach(self) -> int:
        return self.whole

    def share(self, pots: Pots) -> Shares:
        return fixed_rows(self.parts, self.whole, pots.supply, pots.caps)


@dataclass(frozen=True, slots=True)
class _ByParts:
    """Filling by fixed weights."""

    parts: WhArray
    whole: int

    @property
    def reach(self) -> int:
        return self.whole

    def share(self, pots: Pots) -> Shares:
        weights = np.broadcast_to(self.parts, pots.caps.shape)
        return fill_rows(pots.supply, weights, pots.caps, np.ones_like(pots.supply))


@dataclass(frozen=True, slots=True)
class _FixedPartsFirst:
    """Fixed parts, then filling with the rest by what is still wanted or by import."""

    parts: WhArray
    whole: int
    by_import: bool

    @property
    def reach(self) -> int:
        return self.whole**2

    def share(self, pots: Pots) -> Shares:
        first = fixed_rows(self.parts, self.whole, pots.supply, pots.caps)
        wanted = pots.caps * self.whole - first.numerator
        rest = fill_rows(
            pots.supply * self.whole - first.total,
            pots.imports if self.by_import else wanted,
            wanted,
            first.unit,
        )
        finer = rest.denominator // first.denominator
        numerator = first.numerator * finer[:, None] + rest.numerator
        return Shares(numerator, rest.denominator, first.total + rest.total, first.unit)


@dataclass(frozen=True, slots=True)
class _ByTiers:
    """Tier after tier, by import or equally."""

    tiers: tuple[WhArray, ...]
    by_import: bool
    reach: int = 1

    def share(self, pots: Pots) -> Shares:
        rest, one = pots.supply, np.ones_like(pots.supply)
        numerator, denominator = np.zeros_like(pots.caps), one
        for tier in self.tiers:
            weights = tier * (pots.imports if self.by_import else 1)
            filled = fill_rows(rest, np.broadcast_to(weights, pots.caps.shape), pots.caps, one)
            # At most one tier of a quarter is neither full nor empty, so only one divides.
            divisor = np.where(rest > 0, filled.denominator, 1)
            numerator = numerator * divisor[:, None] + filled.numerator * denominator[:, None]
            denominator = denominator * divisor
            rest = rest - filled.total
        return Shares(numerator, denominator, pots.supply - rest, one)


def _parts_of(key: SharingKey) -> Mapping[str, Fraction] | None:
    """Return each connection's part under a key that has fixed ones."""
    if isinstance(key, Equal):
        return dict.fromkeys(key.participants, Fraction(1, len(key.participants)))
    return key.shares if isinstance(key, Static | Hybrid) else None


def _among(tier: Collection[str], names: Sequence[str]) -> WhArray:
    """Return 1 for each connection that is in a tier, and 0 for the others."""
    inside = set(tier)
    return np.array([name in inside for name in names], np.int64)
