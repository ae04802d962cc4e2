"""What came of trying: everybody's own bill before and after, and how the effects are spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from api.cooperative.canonical import digest
from api.cooperative.whatif.street_effect import (
    StreetEffect,
    street_effect_of,
    told_of_street,
)
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part
from optimizer.settling.rounding import half_away_from_zero

FORMAT = "kwartier-whatif/1"
_MOST = 10**15
"""No amount is further from nothing [cents]."""


@dataclass(frozen=True, slots=True)
class ReplayedMonth:
    """One month, for everybody together.

    Attributes:
        month: Which, such as ``2026-07``.
        source: The run it comes from, or ``readings``.
        status: ``provisional`` where anything was missing or estimated.
        old_cents: What all members paid together [cents].
        new_cents: What they would have paid [cents].
    """

    month: str
    source: str
    status: str
    old_cents: int
    new_cents: int


NO_READINGS = "the books hold no readings of it"
"""Why a month before the first reading is left out."""


@dataclass(frozen=True, slots=True)
class MissingMonth:
    """A month that could not be reckoned, and why."""

    month: str
    why: str


@dataclass(frozen=True, slots=True)
class MemberEffect:
    """One member's bills, by replayed month; below zero is paid out [cents]."""

    member: str
    old: tuple[int, ...]
    new: tuple[int, ...]

    @property
    def difference(self) -> int:
        """How much more the member would have paid; below zero is less [cents]."""
        return sum(self.new) - sum(self.old)


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the effects are spread over the members [cents]; above zero is paying more.

    Attributes:
        members: How many.
        less: How many would pay less.
        more: How many would pay more.
        same: For how many nothing changes.
        least: The smallest effect.
        quarter: A quarter of the members has at most this effect.
        median: The one in the middle; of an even number the mean of both.
        three_quarters: Three quarters have at most this effect.
        most: The largest effect.
        worst_tenth: The mean of the tenth who would pay most extra; at least one member.
        total: All together: what the cooperative would receive more.
    """

    members: int
    less: int
    more: int
    same: int
    least: int
    quarter: int
    median: int
    three_quarters: int
    most: int
    worst_tenth: int
    total: int

    @classmethod
    def of(cls, differences: Sequence[int]) -> Distribution:
        """Return how some differences are spread [cents]."""
        if not differences:
            return cls(*(0,) * 11)
        ordered = sorted(differences)
        count = len(ordered)
        worst = ordered[-max(1, count // 10) :]
        return cls(
            count,
            sum(1 for each in ordered if each < 0),
            sum(1 for each in ordered if each > 0),
            ordered.count(0),
            ordered[0],
            _ranked(ordered, Fraction(1, 4)),
            half_away_from_zero(Fraction(ordered[(count - 1) // 2] + ordered[count // 2], 2)),
            _ranked(ordered, Fraction(3, 4)),
            ordered[-1],
            half_away_from_zero(Fraction(sum(worst), len(worst))),
            sum(ordered),
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """The last months once more.

    Attributes:
        candidate: What was tried, as JSON.
        months: The months that were reckoned, the oldest first.
        missing: Those that could not be.
        members: Every member's own effect, who would pay most extra first.
        street: What changes for the street; None where a tariff or a key was tried.
    """

    candidate: Mapping[str, Json]
    months: tuple[ReplayedMonth, ...]
    missing: tuple[MissingMonth, ...]
    members: tuple[MemberEffect, ...]
    street: StreetEffect | None = None

    @property
    def distribution(self) -> Distribution:
        """How the effects are spread."""
        return Distribution.of([each.difference for each in self.members])

    def of(self, member: str) -> MemberEffect | None:
        """Return one member's own effect; None for who paid nothing in these months."""
        return next((each for each in self.members if each.member == member), None)


def told_of(found: Replay) -> dict[str, Json]:
    """Return a replay as JSON: what is signed with a proposal."""
    spread = found.distribution
    street: dict[str, Json] = (
        {} if found.street is None else {"street": told_of_street(found.street)}
    )
    return {
        **street,
        "format": FORMAT,
        "candidate": dict(found.candidate),
        "months": [
            {
                "month": each.month,
                "source": each.source,
                "status": each.status,
                "old_cents": each.old_cents,
                "new_cents": each.new_cents,
            }
            for each in found.months
        ],
        "missing": [{"month": each.month, "why": each.why} for each in found.missing],
        "members": {
            each.member: {
                "old_cents": list(each.old),
                "new_cents": list(each.new),
                "difference_cents": each.difference,
            }
            for each in found.members
        },
        "distribution": {name: getattr(spread, name) for name in Distribution.__dataclass_fields__},
    }


def replay_hash(told: Json) -> str:
    """Return the hash of a replay's JSON: what stands in the proposal that it goes with."""
    return digest(told)


def replay_of(told: Json) -> Replay:
    """Return a replay that was kept as JSON.

    Raises:
        ContractError: It is none.
    """
    parts = Part(told, "whatif").names()
    candidate = parts["candidate"].value
    assert isinstance(candidate, dict)
    members = [
        MemberEffect(name, _cents_list(part, "old_cents"), _cents_list(part, "new_cents"))
        for name, part in parts["members"].names().items()
    ]
    return Replay(
        candidate,
        tuple(_month(part) for part in parts["months"].list()),
        tuple(
            MissingMonth(str(part.names()["month"].value), str(part.names()["why"].value))
            for part in parts["missing"].list()
        ),
        ordered_effects(members),
        street_effect_of(parts["street"].value) if "street" in parts else None,
    )


def ordered_effects(members: Sequence[MemberEffect]) -> tuple[MemberEffect, ...]:
    """Return effects with those first who would pay most extra."""
    return tuple(sorted(members, key=lambda each: (-each.difference, each.member)))


def _month(part: Part) -> ReplayedMonth:
    parts = part.names()
    old, new = (parts[name].whole(-_MOST, _MOST) for name in ("old_cents", "new_cents"))
    month, source, status = (str(parts[name].value) for name in ("month", "source", "status"))
    return ReplayedMonth(month, source, status, old, new)


def _cents_list(part: Part, name: str) -> tuple[int, ...]:
    return tuple(each.whole(-_MOST, _MOST) for each in part.names()[name].list())


def _ranked(ordered: Sequence[int], part: Fraction) -> int:
    """Return the first value that at least a part of all reaches (nearest rank)."""
    place = -(-part.numerator * len(ordered) // part.denominator)
    return ordered[max(0, place - 1)]
