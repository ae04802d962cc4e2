"""Whose energy lies in the battery: claims in watt-hours charged, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from kwartier.errors import ContractError
from kwartier.units import Wh
from optimizer.settling.filling import Exact, fill

COOPERATIVE = "coop"
"""Who claims what was charged beyond the members' left-over."""


@dataclass(frozen=True, slots=True)
class ClaimsMove:
    """What one quarter did to the claims; every amount is exact [Wh], by owner.

    Attributes:
        delivered: What came out of the battery for each owner.
        loss: What each owner's claim lost on the way.
        after: What each owner still has in the battery, in Wh as they were charged.
    """

    delivered: Mapping[str, Exact]
    loss: Mapping[str, Exact]
    after: Mapping[str, Exact]


def move_claims(
    claims: Mapping[str, Exact],
    battery_wh: tuple[Wh, Wh],
    left_over_wh: Mapping[str, Wh],
    efficiency: Fraction | None,
) -> ClaimsMove:
    """Return the claims after one quarter: first the discharge, then the charge.

    A discharge of ``g`` uses ``g / efficiency`` of the claims pro rata, at most all of them;
    what it delivers beyond them has no claim and is the cooperative's. A charge comes from
    the members' left-over export pro rata; what is more is a purchase of the cooperative.

    Args:
        claims: What each owner has in the battery, in Wh as they were charged.
        battery_wh: What it took and what it gave in this quarter, AC side [Wh].
        left_over_wh: Each connection's export that nobody shared [Wh].
        efficiency: Energy given back over energy taken in; may be None without a discharge.

    Raises:
        ContractError: A claim is below zero, or the efficiency is missing or out of (0, 1].

    Source:
        Convention C16 of docs/settlement.md.
    """
    charge_wh, discharge_wh = battery_wh
    for owner, claim in claims.items():
        if claim < 0:
            raise ContractError(f"claims.{owner}: {claim} Wh is below zero: use 0 or more")
    used = _used(claims, discharge_wh, efficiency)
    delivered = {owner: part * (efficiency or 0) for owner, part in used.items()}
    after = {owner: claim - used[owner] for owner, claim in claims.items()}
    for owner, part in fill(charge_wh, left_over_wh, left_over_wh).items():
        if part:
            after[owner] = after.get(owner, 0) + part
    bought = charge_wh - min(charge_wh, sum(left_over_wh.values()))
    if bought:
        after[COOPERATIVE] = after.get(COOPERATIVE, 0) + bought
    loss = {owner: part - delivered[owner] for owner, part in used.items()}
    return ClaimsMove(delivered, loss, dict(sorted(after.items())))


def _used(
    claims: Mapping[str, Exact], discharge_wh: Wh, efficiency: Fraction | None
) -> dict[str, Exact]:
    """Return how much of each claim a discharge uses up."""
    total = sum(claims.values())
    if not total or not discharge_wh:
        return dict.fromkeys(claims, 0)
    if efficiency is None:
        raise ContractError("eta: a discharge of claims needs the efficiency, such as '0.9'")
    if not 0 < efficiency <= 1:
        raise ContractError(f"eta: {efficiency} is no efficiency: use more than 0, at most 1")
    used = min(Fraction(discharge_wh) / efficiency, Fraction(total))
    return {owner: Fraction(claim * used) / total for owner, claim in claims.items()}
