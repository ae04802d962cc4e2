"""The shared battery's claims from quarter to quarter, in two models, without a watt-hour lost.

Between quarters a claim is a whole number of thousandths of a watt-hour, so that a month of
discharges never makes fractions without end. What a quarter uses of all claims is rounded to the
nearest thousandth, a half up, and divided over the owners by largest remainder; what it gives is
divided in whole watt-hours, so that the owners' watt-hours add up to the battery's meter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

from kwartier.errors import ContractError
from kwartier.units import Wh
from optimizer.settling.battery_claims import COOPERATIVE
from optimizer.settling.rounding import half_away_from_zero

MilliWh: TypeAlias = int
"""Energy in whole thousandths of a watt-hour."""


class BatteryModel(StrEnum):
    """Who carries the battery's loss and the price of what it gives; by decision.

    Source:
        Section 6.14 of the settlement design.
    """

    COOP_BUYS = "coop_buys"
    """A member is paid when its export charges the battery; the claim is the cooperative's."""
    OWNER_CARRY = "owner_carry"
    """A member keeps a claim on what it charged, and is paid when the battery gives it."""


@dataclass(frozen=True, slots=True)
class BatteryAgreement:
    """What was decided about the battery, and how it stood when the month began.

    Members' claims from before a decision for ``coop_buys`` are still paid when they come out.

    Attributes:
        model: Who carries loss and price.
        efficiency: Energy given back over energy taken in, more than 0, at most 1.
        claims_milliwh: Each owner's claim at the start, as it was charged [thousandths of a
            Wh]; owners are members and ``coop``.
        content_wh: What the battery could still give at the end of the month, as measured at
            its AC side [Wh]; None when nobody measured, and nothing is trued up.

    Raises:
        ContractError: A claim or the content is no whole number of 0 or more, or the efficiency
            is out of range.
    """

    model: BatteryModel
    efficiency: Fraction
    claims_milliwh: Mapping[str, MilliWh] = field(default_factory=dict)
    content_wh: Wh | None = None

    def __post_init__(self) -> None:
        _refuse_efficiency(self.efficiency)
        for owner, claim in self.claims_milliwh.items():
            _refuse_amount(f"claims of {owner!r}", claim)
        if self.content_wh is not None:
            _refuse_amount("content of the battery", self.content_wh)


@dataclass(frozen=True, slots=True)
class BatteryQuarter:
    """What the battery did in one quarter.

    Attributes:
        charged_wh: Members' left-over export that charged it, by member [Wh].
        bought_wh: What else charged it: a purchase of the cooperative [Wh].
        to_members_wh: What it gave to members [Wh].
        to_grid_wh: What it gave that left the neighbourhood [Wh].
        turn: Who comes first among equal remainders: the place in the order of the owners'
            names, modulo their number.
    """

    charged_wh: Mapping[str, Wh]
    bought_wh: Wh
    to_members_wh: Wh
    to_grid_wh: Wh
    turn: int = 0


@dataclass(frozen=True, slots=True)
class OwnerMove:
    """What a discharge did for one owner.

    Attributes:
        used_milliwh: How much of the claim it used [thousandths of a Wh].
        to_members_wh: What it delivered for the owner to members [Wh].
        to_grid_wh: What it delivered for the owner to the grid [Wh].
    """

    used_milliwh: MilliWh
    to_members_wh: Wh
    to_grid_wh: Wh


@dataclass(frozen=True, slots=True)
class QuarterMove:
    """What one quarter did to the claims.

    Attributes:
        owners: What the discharge did, by owner with a claim.
        unclaimed: What came out beyond all claims; the cooperative's.
        after_milliwh: The claims after it, none of 0 [thousandths of a Wh].
    """

    owners: Mapping[str, OwnerMove]
    unclaimed: OwnerMove
    after_milliwh: Mapping[str, MilliWh]


def next_claims(
    claims_milliwh: Mapping[str, MilliWh], quarter: BatteryQuarter, efficiency: Fraction
) -> QuarterMove:
    """Return what a quarter does to the claims: first the discharge, then the charge.

    Args:
        claims_milliwh: Each owner's claim [thousandths of a Wh].
        quarter: What the battery did.
        efficiency: Energy given back over energy taken in.

    Source:
        Convention C16 of docs/settlement.md, in whole numbers as this module says.
    """
    owners = sorted(owner for owner, claim in claims_milliwh.items() if claim)
    held = [claims_milliwh[owner] for owner in owners]
    given_wh = quarter.to_members_wh + quarter.to_grid_wh
    used = divide(used_of_all(sum(held), given_wh, efficiency), held, quarter.turn)
    delivered = divide(given_wh, delivery_weights(held, given_wh, efficiency), quarter.turn)
    to_members = divide(quarter.to_members_wh, delivered, quarter.turn)
    after = {owner: claim - part for owner, claim, part in zip(owners, held, used, strict=True)}
    for owner, charged_wh in (*quarter.charged_wh.items(), (COOPERATIVE, quarter.bought_wh)):
        after[owner] = after.get(owner, 0) + 1000 * charged_wh
    moves = [
        OwnerMove(part, inside, whole - inside)
        for part, inside, whole in zip([*used, 0], to_members, delivered, strict=True)
    ]
    return QuarterMove(
        dict(zip(owners, moves, strict=False)),
        moves[-1],
        {owner: claim for owner, claim in sorted(after.items()) if claim},
    )


@dataclass(frozen=True, slots=True)
class TrueUp:
    """The claims put level with what the battery holds; only the cooperative's moves.

    Attributes:
        claims_milliwh: The claims after it [thousandths of a Wh].
        excess_loss_milliwh: Measured minus nominal loss, in energy as charged; below zero when
            the battery lost less than agreed [thousandths of a Wh].
        uncovered_milliwh: How much of it the cooperative's claim could not bear: members keep
            their claims, and the next true-up meets it again [thousandths of a Wh].
    """

    claims_milliwh: Mapping[str, MilliWh]
    excess_loss_milliwh: MilliWh
    uncovered_milliwh: MilliWh


def true_up(claims_milliwh: Mapping[str, MilliWh], content_wh: Wh, efficiency: Fraction) -> TrueUp:
    """Return the claims after measured minus nominal loss went to the cooperative.

    Claims of ``T`` stand for ``efficiency * T`` that can still come out. Whatever was measured
    to be more or less than that, standby among it, is the cooperative's, down to a claim of
    nothing.

    Args:
        claims_milliwh: Each owner's claim, as it was charged [thousandths of a Wh].
        content_wh: What the battery can still give at its AC side, as measured [Wh].
        efficiency: Energy given back over energy taken in.

    Raises:
        ContractError: An amount is below zero or no whole number, or the efficiency is out of
            range.

    Source:
        Convention C16 and section 6.14 of the settlement design.
    """
    _refuse_efficiency(efficiency)
    _refuse_amount("content of the battery", content_wh)
    worth = half_away_from_zero(Fraction(1000 * content_wh) / efficiency)
    excess = sum(claims_milliwh.values()) - worth
    own = claims_milliwh.get(COOPERATIVE, 0)
    claims = {**claims_milliwh, COOPERATIVE: max(own - excess, 0)}
    return TrueUp(
        {owner: claim for owner, claim in sorted(claims.items()) if claim},
        excess,
        max(excess - own, 0),
    )


def divide(total: int, weights: Sequence[int], turn: int = 0) -> list[int]:
    """Return whole parts of a total in proportion to weights, by largest remainder.

    Args:
        total: What is divided, 0 or more.
        weights: Of 0 or more; all 0 only when there is nothing to divide.
        turn: The place, modulo their number, that comes first among equal remainders.
    """
    whole = sum(weights)
    if not total:
        return [0] * len(weights)
    assert whole > 0, (total, weights)
    pairs = [divmod(total * weight, whole) for weight in weights]
    parts = [part for part, _ in pairs]
    spare = total - sum(parts)
    if spare:
        count = len(weights)
        order = [(place + turn) % count for place in range(count)]
        order.sort(key=lambda place: pairs[place][1], reverse=True)
        for place in order[:spare]:
            parts[place] += 1
    return parts


def used_of_all(total_milliwh: MilliWh, given_wh: Wh, efficiency: Fraction) -> MilliWh:
    """Return how much of all claims a discharge uses: at most all [thousandths of a Wh]."""
    return min(half_away_from_zero(Fraction(1000 * given_wh) / efficiency), total_milliwh)


def delivery_weights(held: Sequence[MilliWh], given_wh: Wh, efficiency: Fraction) -> list[int]:
    """Return by what a discharge is divided: the claims, and last what is beyond them."""
    each, whole = efficiency.numerator, 1000 * efficiency.denominator
    beyond = whole * given_wh - each * sum(held)
    return [*(each * claim for claim in held), max(beyond, 0)]


def _refuse_efficiency(efficiency: Fraction) -> None:
    if not 0 < efficiency <= 1:
        raise ContractError(f"eta: {efficiency} is no efficiency: use more than 0, at most 1")


def _refuse_amount(what: str, amount: int) -> None:
    if type(amount) is not int or amount < 0:
        raise ContractError(f"{what}: {amount!r} is no whole number of 0 or more")
