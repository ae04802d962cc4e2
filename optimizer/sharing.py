"""The sharing keys: who gets how much of the neighbourhood's own supply in one quarter."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

from kwartier.errors import ContractError
from optimizer.settling.filling import Amounts, Exact, fill


@dataclass(frozen=True, slots=True)
class Pot:
    """What there is to share in one quarter.

    Attributes:
        supply: What the neighbourhood has to give [Wh].
        imports: What each connection used from the grid [Wh].
        caps: The most each connection may receive [Wh]; the same names as ``imports``.
    """

    supply: Exact
    imports: Amounts
    caps: Amounts


class SharingKey(Protocol):
    """A rule that divides a pot: ``0 <= share <= cap``, together at most the supply."""

    def share(self, pot: Pot) -> dict[str, Exact]:
        """Return the exact share of every connection of the pot [Wh]."""


class SharingKeyError(ContractError):
    """A key that cannot be applied: the message names its part, the value and the remedy."""


class Rounds(StrEnum):
    """What happens to a portion that its owner cannot use."""

    SINGLE = "single"
    """It leaves as export; nobody else receives it."""
    FILL = "fill"
    """It goes to those who can still use it."""


class SecondStage(StrEnum):
    """By what the second stage of a hybrid key divides."""

    RESIDUAL = "residual"
    """What each one could still use after the first stage."""
    IMPORT = "import"
    """What each one used at the beginning."""


class Within(StrEnum):
    """How a tier of a cascade divides."""

    PROPORTIONAL = "proportional"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class Proportional:
    """Everybody in proportion to use."""

    def share(self, pot: Pot) -> dict[str, Exact]:
        """Fill by import."""
        return fill(pot.supply, pot.imports, pot.caps)


@dataclass(frozen=True, slots=True)
class Equal:
    """Everybody named the same; whoever is absent still counts.

    Attributes:
        participants: The connections among whom the supply is divided.
        rounds: What happens to what one of them cannot use.
    """

    participants: tuple[str, ...]
    rounds: Rounds = Rounds.SINGLE

    def __post_init__(self) -> None:
        if not self.participants:
            raise SharingKeyError("participants: an equal key needs at least one connection")
        _refuse_twice("participants", self.participants)

    def share(self, pot: Pot) -> dict[str, Exact]:
        """Give each participant the same portion, up to the cap."""
        if self.rounds is Rounds.FILL:
            alike = {name: int(name in self.participants) for name in pot.caps}
            return fill(pot.supply, alike, pot.caps)
        portion = Fraction(pot.supply, len(self.participants))
        return {
            name: min(cap, portion) if name in self.participants else 0
            for name, cap in pot.caps.items()
        }


@dataclass(frozen=True, slots=True)
class Static:
    """Fixed parts of the supply, never scaled up because somebody is absent.

    Attributes:
        shares: Each connection's part of the whole; together at most 1.
        rounds: What happens to what one of them cannot use.
    """

    shares: Mapping[str, Fraction]
    rounds: Rounds = Rounds.SINGLE

    def __post_init__(self) -> None:
        _refuse_shares(self.shares)

    def share(self, pot: Pot) -> dict[str, Exact]:
        """Give each connection its part, up to the cap."""
        if self.rounds is Rounds.FILL:
            return fill(pot.supply, _shares_of(self.shares, pot), pot.caps)
        return _fixed_parts(self.shares, pot)


@dataclass(frozen=True, slots=True)
class Hybrid:
    """Fixed parts first; then what is left, to whoever can still use it.

    Attributes:
        shares: Each connection's part in the first stage; together at most 1.
        second: By what the second stage divides, among all connections.
    """

    shares: Mapping[str, Fraction]
    second: SecondStage = SecondStage.RESIDUAL

    def __post_init__(self) -> None:
        _refuse_shares(self.shares)

    def share(self, pot: Pot) -> dict[str, Exact]:
        """Give the fixed parts, then fill with the rest."""
        first = _fixed_parts(self.shares, pot)
        rest = _after(pot, first)
        weights = rest.caps if self.second is SecondStage.RESIDUAL else pot.imports
        return _together(first, fill(rest.supply, weights, rest.caps))


@dataclass(frozen=True, slots=True)
class Cascade:
    """Tier after tier, each as full as it can be before the next one begins.

    Attributes:
        tiers: The connections of each tier; whoever is in none receives nothing.
        within: How a tier divides.
    """

    tiers: tuple[tuple[str, ...], ...]
    within: Within = Within.PROPORTIONAL

    def __post_init__(self) -> None:
        if not self.tiers:
            raise SharingKeyError("tiers: a cascade needs at least one tier")
        _refuse_twice("tiers", [name for tier in self.tiers for name in tier])

    def share(self, pot: Pot) -> dict[str, Exact]:
        """Fill the tiers in order."""
        given: dict[str, Exact] = dict.fromkeys(pot.caps, 0)
        rest = pot.supply
        for tier in self.tiers:
            weights = {
                name: pot.imports[name] if self.within is Within.PROPORTIONAL else 1
                for name in tier
                if name in pot.caps
            }
            filled = fill(rest, weights, pot.caps)
            given.update(filled)
            rest -= sum(filled.values())
        return given


@dataclass(frozen=True, slots=True)
class Solidarity:
    """A part for some households first; what they cannot use returns to everybody.

    Attributes:
        part: How much of the supply is set apart, 0 to 1.
        beneficiaries: Who may draw on it.
        base: The key that divides the rest over what is still wanted.
    """

    part: Fraction
    beneficiaries: tuple[str, ...]
    base: SharingKey

    def __post_init__(self) -> None:
        if not 0 <= self.part <= 1:
            raise SharingKeyError(f"share: {self.part} of the supply: use 0 to 1")
        _refuse_twice("beneficiaries", self.beneficiaries)

    def share(self, pot: Pot) -> dict[str, Exact]:
        """Fill the beneficiaries from the part set apart, then apply the base key."""
        wanted = {name: pot.imports[name] for name in self.beneficiaries if name in pot.caps}
        first = fill(self.part * pot.supply, wanted, pot.caps)
        return _together(self.base.share(_after(pot, first)), first)


def _fixed_parts(shares: Mapping[str, Fraction], pot: Pot) -> dict[str, Exact]:
    return {
        name: min(pot.caps[name], part * pot.supply)
        for name, part in _shares_of(shares, pot).items()
    }


def _shares_of(shares: Mapping[str, Fraction], pot: Pot) -> dict[str, Exact]:
    return {name: shares.get(name, 0) for name in pot.caps}


def _after(pot: Pot, given: Amounts) -> Pot:
    """Return what is left of a pot once some of it is given away."""
    return Pot(
        pot.supply - sum(given.values()),
        {name: used - given.get(name, 0) for name, used in pot.imports.items()},
        {name: cap - given.get(name, 0) for name, cap in pot.caps.items()},
    )


def _together(first: Amounts, second: Amounts) -> dict[str, Exact]:
    return {name: amount + second.get(name, 0) for name, amount in first.items()}


def _refuse_shares(shares: Mapping[str, Fraction]) -> None:
    for name, part in shares.items():
        if part < 0:
            raise SharingKeyError(f"shares.{name}: {part} is below zero: use 0 to 1")
    total = sum(shares.values())
    if total > 1:
        raise SharingKeyError(f"shares: together {total}, more than 1: lower them")


def _refuse_twice(place: str, names: Collection[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SharingKeyError(f"{place}: {name!r} stands there twice: name it once")
        seen.add(name)
