"""The battery's month: every quarter's claims in turn, and what is due to its owners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kwartier.units import Wh
from optimizer.battery_claims import COOPERATIVE
from optimizer.battery_models import (
    BatteryAgreement,
    BatteryModel,
    BatteryQuarter,
    MilliWh,
    QuarterMove,
    TrueUp,
    next_claims,
    true_up,
)
from optimizer.matrix import AllocationMatrix, ReadingMatrix
from optimizer.month_spans import OwnedSpan
from optimizer.rounding import Tie


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

    before_milliwh: MilliWh = 0
    charged_wh: Wh = 0
    used_milliwh: MilliWh = 0
    to_members_wh: Wh = 0
    to_grid_wh: Wh = 0
    after_milliwh: MilliWh = 0

    @property
    def delivered_wh(self) -> Wh:
        """What came out for this owner [Wh]."""
        return self.to_members_wh + self.to_grid_wh

    @property
    def loss_milliwh(self) -> MilliWh:
        """What its claim lost on the way [thousandths of a Wh]; of whole watt-hours delivered."""
        return self.used_milliwh - 1000 * self.delivered_wh


@dataclass(frozen=True, slots=True)
class MonthBattery:
    """What the month did to the claims on the battery.

    Attributes:
        owners: Each owner's account; ``coop`` is the cooperative.
        unclaimed_wh: What the battery gave beyond all claims; the cooperative's [Wh].
        true_up: What putting the claims level with the measured content did; None without one.
        claims_after_milliwh: The claims with which the next month begins [thousandths of a Wh].
    """

    owners: Mapping[str, OwnerAccount]
    unclaimed_wh: Wh
    true_up: TrueUp | None
    claims_after_milliwh: Mapping[str, MilliWh]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the battery gave in one quarter for one member.

    Attributes:
        column: Which quarter of the month.
        member: For whom.
        to_members_wh: To members [Wh].
        to_grid_wh: Out of the neighbourhood [Wh].
    """

    column: int
    member: str
    to_members_wh: Wh
    to_grid_wh: Wh


@dataclass(slots=True)
class _Sums:
    """What has come together so far for one owner."""

    charged_wh: Wh = 0
    used_milliwh: MilliWh = 0
    to_members_wh: Wh = 0
    to_grid_wh: Wh = 0


@dataclass(slots=True)
class _Walk:
    """The claims on their way through the month."""

    agreement: BatteryAgreement
    claims_milliwh: Mapping[str, MilliWh]
    sums: dict[str, _Sums] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    unclaimed_wh: Wh = 0

    def go(self, column: int, quarter: BatteryQuarter) -> None:
        """Let the claims pass one quarter."""
        moved = next_claims(self.claims_milliwh, quarter, self.agreement.efficiency)
        self.claims_milliwh = moved.after_milliwh
        for owner, charged_wh in (*quarter.charged_wh.items(), (COOPERATIVE, quarter.bought_wh)):
            if charged_wh:
                self._of(owner).charged_wh += charged_wh
        self._deliver(column, moved)

    def _deliver(self, column: int, moved: QuarterMove) -> None:
        self.unclaimed_wh += moved.unclaimed.to_members_wh + moved.unclaimed.to_grid_wh
        for owner, move in moved.owners.items():
            sums = self._of(owner)
            sums.used_milliwh += move.used_milliwh
            sums.to_members_wh += move.to_members_wh
            sums.to_grid_wh += move.to_grid_wh
            if owner != COOPERATIVE and (move.to_members_wh or move.to_grid_wh):
                self.deliveries.append(Delivery(column, owner, move.to_members_wh, move.to_grid_wh))

    def _of(self, owner: str) -> _Sums:
        return self.sums.setdefault(owner, _Sums())

    def result(self) -> MonthBattery:
        """Return the month of every owner, and the claims put level with the content."""
        before, after = self.agreement.claims_milliwh, self.claims_milliwh
        content_wh = self.agreement.content_wh
        trued = None
        if content_wh is not None:
            trued = true_up(after, content_wh, self.agreement.efficiency)
        accounts = {}
        for owner in sorted({*before, *self.sums}):
            sums = self.sums.get(owner, _Sums())
            accounts[owner] = OwnerAccount(
                before.get(owner, 0),
                sums.charged_wh,
                sums.used_milliwh,
                sums.to_members_wh,
                sums.to_grid_wh,
                after.get(owner, 0),
            )
        return MonthBattery(
            accounts,
            self.unclaimed_wh,
            trued,
            dict(after) if trued is None else trued.claims_milliwh,
        )


def settle_battery(
    agreement: BatteryAgreement,
    readings: ReadingMatrix,
    allocation: AllocationMatrix,
    spans: Sequence[OwnedSpan],
    tie: Tie,
) -> tuple[MonthBattery, tuple[Delivery, ...]]:
    """Return what a month did to the claims, and what each member's claim delivered when.

    Args:
        agreement: The model, and the claims at the start.
        readings: What the battery took and gave.
        allocation: What of it came from members and went to them.
        spans: Whose export charged it.
        tie: Who comes first among equal remainders.
    """
    walk = _Walk(agreement, agreement.claims_milliwh)
    for column, quarter in _quarters(agreement, readings, allocation, spans, tie):
        walk.go(column, quarter)
    return walk.result(), tuple(walk.deliveries)


def _quarters(
    agreement: BatteryAgreement,
    readings: ReadingMatrix,
    allocation: AllocationMatrix,
    spans: Sequence[OwnedSpan],
    tie: Tie,
) -> Iterator[tuple[int, BatteryQuarter]]:
    """Yield the quarters in which the battery moved."""
    charge, discharge = readings.charge.energy_wh[0], readings.discharge.energy_wh[0]
    from_members: Mapping[int, Mapping[str, Wh]] = {}
    if agreement.model is BatteryModel.OWNER_CARRY:
        from_members = _charged(readings, allocation, spans)
    for column in np.flatnonzero(charge | discharge).tolist():
        charged_wh = from_members.get(column, {})
        to_members_wh = int(allocation.from_battery_wh[column])
        yield (
            column,
            BatteryQuarter(
                charged_wh,
                int(charge[column]) - sum(charged_wh.values()),
                to_members_wh,
                int(discharge[column]) - to_members_wh,
                readings.quarter(column).number if tie is Tie.ROTATE else 0,
            ),
        )


def _charged(
    readings: ReadingMatrix, allocation: AllocationMatrix, spans: Sequence[OwnedSpan]
) -> dict[int, dict[str, Wh]]:
    """Return whose left-over charged the battery, by quarter and member."""
    charged: dict[int, dict[str, Wh]] = {}
    rows = {name: row for row, name in enumerate(readings.connections)}
    for span in spans:
        if span.connection not in rows:
            continue
        first = span.columns.start
        energy_wh = allocation.to_battery_wh[rows[span.connection], first : span.columns.stop]
        for place in np.flatnonzero(energy_wh).tolist():
            of_quarter = charged.setdefault(first + place, {})
            of_quarter[span.member] = of_quarter.get(span.member, 0) + int(energy_wh[place])
    return charged
