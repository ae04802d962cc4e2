"""The battery's month: every quarter's claims in turn, and what is due to its owners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kwartier.errors import ContractError
from kwartier.units import Wh
from optimizer.settling.battery_claims import COOPERATIVE
from optimizer.settling.battery_models import (
    BatteryAgreement,
    BatteryModel,
    BatteryQuarter,
    MilliWh,
    TrueUp,
    true_up,
)
from optimizer.settling.claims_walk import ClaimsWalk
from optimizer.settling.matrix import AllocationMatrix, ReadingMatrix, WhArray
from optimizer.settling.month_spans import OwnedSpan
from optimizer.settling.rounding import Tie

MOST_WH = 10**12
"""The most that a battery may take, give or owe in a month [Wh]; a thousand gigawatt-hours."""


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


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What the battery gave for each owner in each busy quarter; yields those of members.

    Attributes:
        columns: The busy quarters among the month's, in order, ``(busy,)``.
        owners: The owners, in ascending order, ``(owners,)``.
        to_members_wh: To members, ``(busy, owners)`` [Wh].
        to_grid_wh: Out of the neighbourhood, ``(busy, owners)`` [Wh].
    """

    columns: tuple[int, ...] = ()
    owners: tuple[str, ...] = ()
    to_members_wh: WhArray = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    to_grid_wh: WhArray = field(default_factory=lambda: np.zeros((0, 0), np.int64))

    def __iter__(self) -> Iterator[Delivery]:
        given = self.to_members_wh | self.to_grid_wh
        for row, place in zip(*(axis.tolist() for axis in np.nonzero(given)), strict=True):
            if self.owners[place] != COOPERATIVE:
                yield Delivery(
                    self.columns[row],
                    self.owners[place],
                    int(self.to_members_wh[row, place]),
                    int(self.to_grid_wh[row, place]),
                )


def settle_battery(
    agreement: BatteryAgreement,
    readings: ReadingMatrix,
    allocation: AllocationMatrix,
    spans: Sequence[OwnedSpan],
    tie: Tie,
) -> tuple[MonthBattery, Deliveries]:
    """Return what a month did to the claims, and what each member's claim delivered when.

    Args:
        agreement: The model, and the claims at the start.
        readings: What the battery took and gave.
        allocation: What of it came from members and went to them.
        spans: Whose export charged it.
        tie: Who comes first among equal remainders.

    Raises:
        ContractError: The battery moved more than any neighbourhood's can.
    """
    _refuse_too_much(agreement, readings)
    busy = list(_quarters(agreement, readings, allocation, spans, tie))
    owners = {COOPERATIVE, *agreement.claims_milliwh}
    owners |= {owner for _, quarter in busy for owner in quarter.charged_wh}
    walk = ClaimsWalk(sorted(owners), agreement.claims_milliwh, agreement.efficiency, len(busy))
    for row, (_, quarter) in enumerate(busy):
        walk.go(row, quarter)
    columns = tuple(column for column, _ in busy)
    deliveries = Deliveries(columns, walk.owners, walk.to_members_wh, walk.to_grid_wh)
    return _month_of(agreement, walk), deliveries


def _month_of(agreement: BatteryAgreement, walk: ClaimsWalk) -> MonthBattery:
    """Return the month of every owner, and the claims put level with the content."""
    before = agreement.claims_milliwh
    after = {
        owner: int(claim)
        for owner, claim in zip(walk.owners, walk.held_milliwh.tolist(), strict=True)
        if claim
    }
    trued = None
    if agreement.content_wh is not None:
        trued = true_up(after, agreement.content_wh, agreement.efficiency)
    columns = (
        walk.charged_wh,
        walk.used_milliwh,
        walk.to_members_wh.sum(axis=0),
        walk.to_grid_wh.sum(axis=0),
    )
    accounts = {
        owner: OwnerAccount(
            before.get(owner, 0), charged, used, to_members, to_grid, after.get(owner, 0)
        )
        for owner, charged, used, to_members, to_grid in zip(
            walk.owners, *(column.tolist() for column in columns), strict=True
        )
        if charged or owner in before
    }
    return MonthBattery(
        accounts, walk.unclaimed_wh, trued, after if trued is None else trued.claims_milliwh
    )


def _refuse_too_much(agreement: BatteryAgreement, readings: ReadingMatrix) -> None:
    """Refuse what would not fit into the arrays' numbers a thousand times over."""
    claims_wh = sum(agreement.claims_milliwh.values()) // 1000
    for what, energy_wh in (
        ("claims at the start", claims_wh),
        ("charge of the month", sum(readings.charge.energy_wh[0].tolist())),
        ("discharge of the month", sum(readings.discharge.energy_wh[0].tolist())),
    ):
        if energy_wh > MOST_WH:
            raise ContractError(
                f"battery: {what} {energy_wh} Wh is more than {MOST_WH} Wh: check its meter"
            )


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
