"""The shared battery's books over a month: claims from quarter to quarter, in two models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

from kwartier.units import Wh

MilliWh: TypeAlias = int
"""Energy in whole thousandths of a watt-hour."""


class BatteryModel(StrEnum):
    """Who carries the battery's loss and the price of what it gives; by decision.

    Source:
        Section 6.14 of the settlement design.
    """

    COOP_BUYS = "coop_buys"
    """A member is paid when its export charges the battery; the rest is the cooperative's."""
    OWNER_CARRY = "owner_carry"
    """A member keeps a claim on what it charged and is paid when the battery gives it."""


@dataclass(frozen=True, slots=True)
class BatteryAgreement:
    """What was decided about the battery, and how it stood when the month began.

    Attributes:
        model: Who carries loss and price.
        efficiency: Energy given back over energy taken in, more than 0, at most 1.
        claims_milliwh: Each owner's claim at the start, as it was charged [thousandths of a Wh];
            owners are members and ``coop``.
        content_wh: What the battery could still give at the end of the month, as measured at
            its AC side [Wh]; None when nobody measured, and nothing is trued up.
    """

    model: BatteryModel
    efficiency: Fraction
    claims_milliwh: Mapping[str, MilliWh] = field(default_factory=dict)
    content_wh: Wh | None = None


@dataclass(frozen=True, slots=True)
class OwnerAccount:
    """One owner's claim on the battery over a month.

    ``before + charged = used + after`` and ``used = delivered + loss``, exactly.

    Attributes:
        before_milliwh: The claim at the start [thousandths of a Wh].
        charged_wh: What was charged for it [Wh].
        used_milliwh: How much of the claim the discharges used [thousandths of a Wh].
        to_members_wh: What came out for it and went to members [Wh].
        to_grid_wh: What came out for it and left the neighbourhood [Wh].
        after_milliwh: The claim at the end, before the true-up [thousandths of a Wh].
    """

    before_milliwh: MilliWh
    charged_wh: Wh
    used_milliwh: MilliWh
    to_members_wh: Wh
    to_grid_wh: Wh
    after_milliwh: MilliWh

    @property
    def delivered_wh(self) -> Wh:
        """What came out for this owner [Wh]."""
        return self.to_members_wh + self.to_grid_wh

    @property
    def loss_milliwh(self) -> MilliWh:
        """What its claim lost on the way [thousandths of a Wh]."""
        return self.used_milliwh - 1000 * self.delivered_wh


@dataclass(frozen=True, slots=True)
class TrueUp:
    """The claims put level with what the battery holds; only the cooperative's moves.

    Attributes:
        claims_milliwh: The claims after it [thousandths of a Wh].
        excess_loss_milliwh: Measured minus nominal loss, in energy as charged; below zero when the
            battery lost less than agreed [thousandths of a Wh].
        uncovered_milliwh: How much of it the cooperative's claim could not bear: members keep
            their claims, and the next true-up meets it again [thousandths of a Wh].
    """

    claims_milliwh: Mapping[str, MilliWh]
    excess_loss_milliwh: MilliWh
    uncovered_milliwh: MilliWh


def true_up(claims_milliwh: Mapping[str, MilliWh], content_wh: Wh, efficiency: Fraction) -> TrueUp:
    """Return the claims after measured minus nominal loss went to the cooperative.

    Claims of ``T`` stand for ``efficiency * T`` that can still come out. What was measured to
    be more or less than that is the cooperative's, down to a claim of nothing.

    Source:
        Convention C16 and section 6.14 of the settlement design.
    """
    raise NotImplementedError
