"""Who owns what part of the shared supply, under the key that holds now."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.law import KeyRecord, key_versions
from api.cooperative.registry import windows
from kwartier.interval import QUARTER_S, day_of
from optimizer.sharing import Equal, Hybrid, SharingKey, Solidarity, Static


@dataclass(frozen=True, slots=True)
class Share:
    """A connection's part, and whose it is now.

    Attributes:
        connection: Which.
        party: Who owns it now; empty when nobody does.
        part: Of the whole, exactly.
    """

    connection: str
    party: str
    part: Fraction


@dataclass(frozen=True, slots=True)
class Shares:
    """All parts under the key that holds now.

    Attributes:
        key: The version's name; empty when none holds.
        kind: The key's type, such as ``static``; of a solidarity key the one under it.
        apart: What is set apart for some homes before; 0 without a solidarity key.
        shares: Every part, by connection; none where the key has no fixed ones.
    """

    key: str
    kind: str
    apart: Fraction
    shares: list[Share]

    @property
    def total(self) -> Fraction:
        """What all parts come to; what is left of 1 goes to nobody by a fixed part."""
        return sum((each.part for each in self.shares), Fraction())


@dataclass(frozen=True, slots=True)
class ShareAnswer:
    """A part for programs, as an exact fraction."""

    connection: str
    party: str
    part: str


@dataclass(frozen=True, slots=True)
class SharesAnswer:
    """All parts for programs."""

    key: str
    kind: str
    set_apart: str
    total: str
    shares: list[ShareAnswer]


def shares_now(desk: Desk) -> Shares:
    """Return who owns what part now."""
    now_s = desk.at_s - desk.at_s % QUARTER_S
    try:
        key: KeyRecord = key_versions(desk, now_s, now_s + QUARTER_S)[0]
    except BooksError:
        return Shares("", "", Fraction(), [])
    base, apart = key.key, Fraction()
    while isinstance(base, Solidarity):
        apart += (1 - apart) * base.part
        base = base.base
    owners = {
        each.connection: each.party
        for each in windows(desk)
        if each.from_day <= day_of(desk.at_s)
        and (each.to_day is None or day_of(desk.at_s) < each.to_day)
    }
    parts = _parts(base)
    shares = [Share(name, owners.get(name, ""), parts[name]) for name in sorted(parts)]
    return Shares(key.id, type(base).__name__.lower(), apart, shares)


def shares_answer(found: Shares) -> SharesAnswer:
    """Return all parts for programs."""
    return SharesAnswer(
        found.key,
        found.kind,
        str(found.apart),
        str(found.total),
        [ShareAnswer(each.connection, each.party, str(each.part)) for each in found.shares],
    )


def _parts(key: SharingKey) -> dict[str, Fraction]:
    if isinstance(key, Static | Hybrid):
        return dict(key.shares)
    if isinstance(key, Equal):
        return dict.fromkeys(key.participants, Fraction(1, len(key.participants)))
    return {}
