"""The settlement: one quarter exactly, and a day of them with its journal entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from kwartier.errors import ContractError
from kwartier.ledger import Entry
from kwartier.model import Tariff
from kwartier.units import Wh
from optimizer.balance import Balance, QuarterReadings, Rate, SelfRule, balance_of
from optimizer.bill import Volume, bill
from optimizer.settling.battery_claims import ClaimsMove, move_claims
from optimizer.settling.filling import Amounts, Exact, fill
from optimizer.settling.rounding import Tie, tie_order, whole_amounts
from optimizer.sharing import Pot, Proportional, SharingKey
from optimizer.tariff import Terms


class Source(StrEnum):
    """In what order the members' export is drawn on."""

    PROPORTIONAL = "proportional"
    """Everybody's alike, in proportion to export."""
    SEQUENTIAL = "sequential"
    """One after the other as listed; only to compare with engines that do so."""


class Status(StrEnum):
    """Whether a settlement can still change when readings come in."""

    FINAL = "final"
    PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the members decided about sharing.

    Attributes:
        key: How the supply is divided.
        self_rule: Whether one's own export may come back.
        tie: Who gets the watt-hour that cannot be halved.
        source: In what order the export is drawn on.
    """

    key: SharingKey = field(default_factory=Proportional)
    self_rule: SelfRule = SelfRule.NO_SELF
    tie: Tie = Tie.ID
    source: Source = Source.PROPORTIONAL


@dataclass(frozen=True, slots=True)
class QuarterSettlement:
    """One quarter, settled; every mapping is by connection.

    Attributes:
        missing: Registers that were not read and counted 0, such as ``A:export``.
        estimated: Registers that took part with an estimate.
        balance: Supply, demand and caps.
        exact: What the key gives before rounding [Wh].
        allocated_wh: What each one receives [Wh].
        shared_out_wh: How much of each one's export was shared [Wh].
    """

    missing: tuple[str, ...]
    estimated: tuple[str, ...]
    balance: Balance
    exact: Mapping[str, Exact]
    allocated_wh: Mapping[str, Wh]
    shared_out_wh: Mapping[str, Wh]

    @property
    def status(self) -> Status:
        """Provisional when anything is missing or estimated."""
        return Status.PROVISIONAL if self.missing or self.estimated else Status.FINAL

    @property
    def shared_total_wh(self) -> Wh:
        """What was shared, all together [Wh]."""
        return sum(self.allocated_wh.values())

    @property
    def supplier_import_wh(self) -> dict[str, Wh]:
        """What each one still bought from the supplier [Wh]."""
        return {
            name: wanted - self.allocated_wh[name]
            for name, wanted in self.balance.imports_wh.items()
        }

    @property
    def supplier_export_wh(self) -> dict[str, Wh]:
        """What each one exported that no neighbour shared [Wh]."""
        return {
            name: given - self.shared_out_wh[name]
            for name, given in self.balance.exports_wh.items()
        }

    @property
    def battery_to_members_wh(self) -> Wh:
        """How much of the battery's discharge was shared, after all export was [Wh]."""
        return self.shared_total_wh - sum(self.shared_out_wh.values())

    @property
    def battery_to_grid_wh(self) -> Wh:
        """How much of the battery's discharge left the neighbourhood [Wh]."""
        return self.balance.discharge_wh - self.battery_to_members_wh

    @property
    def self_consumption(self) -> Rate:
        """What was shared over the supply."""
        return Rate(self.shared_total_wh, self.balance.supply_wh)

    @property
    def self_sufficiency(self) -> Rate:
        """What was shared over all import."""
        return Rate(self.shared_total_wh, sum(self.balance.imports_wh.values()))

    def claims_move(self, claims: Mapping[str, Exact], efficiency: Fraction | None) -> ClaimsMove:
        """Return what this quarter did to the claims on the battery."""
        battery_wh = self.balance.charge_wh, self.balance.discharge_wh
        return move_claims(claims, battery_wh, self.supplier_export_wh, efficiency)


def settle_quarter(readings: QuarterReadings, rules: Rules) -> QuarterSettlement:
    """Settle one quarter, exact to the watt-hour.

    Source:
        Conventions C3 to C11 of docs/settlement.md.
    """
    balance = balance_of(readings, rules.self_rule)
    order = tie_order(readings.connections, rules.tie, readings.quarter.number)
    exact = rules.key.share(Pot(balance.supply_wh, balance.imports_wh, balance.caps_wh))
    allocated_wh = whole_amounts(exact, order)
    return QuarterSettlement(
        readings.missing(),
        readings.estimated(),
        balance,
        exact,
        allocated_wh,
        whole_amounts(shared_out(balance, allocated_wh, rules), order),
    )


def shared_out(balance: Balance, received: Amounts, rules: Rules) -> dict[str, Exact]:
    """Return whose export serves what was received, exactly [Wh]; the battery does the rest.

    Source:
        Convention C10 of docs/settlement.md.
    """
    total = sum(received.values())
    caps: dict[str, Exact] = dict(balance.exports_wh)
    if rules.self_rule is not SelfRule.POOL:
        # Nobody may have to be served by itself: the others receive total minus own share.
        caps = {name: min(given, total - received[name]) for name, given in caps.items()}
    if rules.source is Source.PROPORTIONAL:
        return fill(total, balance.exports_wh, caps)
    given_out: dict[str, Exact] = {}
    for name, cap in caps.items():
        given_out[name] = min(cap, total)
        total -= given_out[name]
    return given_out


@dataclass(frozen=True, slots=True)
class MemberDay:
    """What a day came to for one connection [Wh].

    Attributes:
        import_wh: From the grid, as its meter counted.
        export_wh: To the grid, as its meter counted.
        bought_wh: How much of its import came from neighbours and the battery.
        sold_wh: How much of its export went to neighbours.
        to_battery_wh: How much of its export the cooperative bought for the battery.
    """

    import_wh: Wh = 0
    export_wh: Wh = 0
    bought_wh: Wh = 0
    sold_wh: Wh = 0
    to_battery_wh: Wh = 0

    def plus(self, other: MemberDay) -> MemberDay:
        """Return both together."""
        return MemberDay(
            self.import_wh + other.import_wh,
            self.export_wh + other.export_wh,
            self.bought_wh + other.bought_wh,
            self.sold_wh + other.sold_wh,
            self.to_battery_wh + other.to_battery_wh,
        )


@dataclass(frozen=True, slots=True)
class DaySettlement:
    """Some quarters, settled, and what they move in the books.

    Attributes:
        members: What they came to for each connection.
        entries: The journal entries; each sums to zero.
        quarters: Each quarter's settlement, in order of time.
        shared_wh: What was shared, all together [Wh].
        battery_charged_wh: What the battery took [Wh].
        battery_discharged_wh: What the battery gave [Wh].
        missing: ``2026-07-01T09:45:00Z A:export`` for each register not read.
        estimated: The same for each register that was estimated.
    """

    members: Mapping[str, MemberDay]
    entries: tuple[Entry, ...]
    quarters: tuple[QuarterSettlement, ...]
    shared_wh: Wh
    battery_charged_wh: Wh
    battery_discharged_wh: Wh
    missing: tuple[str, ...] = field(default=())
    estimated: tuple[str, ...] = field(default=())

    @property
    def status(self) -> Status:
        """Provisional when anything is missing or estimated."""
        return Status.PROVISIONAL if self.missing or self.estimated else Status.FINAL


def settle_day(quarters: Sequence[QuarterReadings], rules: Rules, tariff: Tariff) -> DaySettlement:
    """Settle quarters, and write what they move: who owes, who is owed, and the levy.

    The cooperative owns the battery: it pays members for their left-over export that was
    charged, and sells what the battery gives to whoever it is allocated to.

    Args:
        quarters: Readings, each quarter once; a local day has 92, 96 or 100.
        rules: What the members decided about sharing.
        tariff: What a shared kWh costs and earns.

    Raises:
        ContractError: A quarter stands there twice.
    """
    members: dict[str, MemberDay] = {}
    settled: list[QuarterSettlement] = []
    ordered = sorted(quarters, key=lambda readings: readings.quarter)
    for place, readings in enumerate(ordered):
        if place and readings.quarter == ordered[place - 1].quarter:
            raise ContractError(f"quarter {readings.quarter} stands there twice: settle it once")
        quarter = settle_quarter(readings, rules)
        settled.append(quarter)
        order = tie_order(readings.connections, rules.tie, readings.quarter.number)
        for name, of_quarter in _members_of(readings, quarter, order).items():
            members[name] = members.get(name, MemberDay()).plus(of_quarter)
    members = dict(sorted(members.items()))
    return DaySettlement(
        members,
        bill(_volumes(members), Terms.of(tariff)).entries,
        tuple(settled),
        sum(quarter.shared_total_wh for quarter in settled),
        sum(quarter.balance.charge_wh for quarter in settled),
        sum(quarter.balance.discharge_wh for quarter in settled),
        _flags((readings, readings.missing()) for readings in ordered),
        _flags((readings, readings.estimated()) for readings in ordered),
    )


def _members_of(
    readings: QuarterReadings, quarter: QuarterSettlement, order: Sequence[str]
) -> dict[str, MemberDay]:
    left_over_wh = quarter.supplier_export_wh
    to_battery_wh = whole_amounts(
        fill(quarter.balance.charge_wh, left_over_wh, left_over_wh), order
    )
    return {
        name: MemberDay(
            registers.import_wh or 0,
            registers.export_wh or 0,
            quarter.allocated_wh[name],
            quarter.shared_out_wh[name],
            to_battery_wh[name],
        )
        for name, registers in readings.connections.items()
    }


def _volumes(members: Mapping[str, MemberDay]) -> list[Volume]:
    return [
        Volume(name, day.bought_wh, day.sold_wh + day.to_battery_wh)
        for name, day in members.items()
    ]


def _flags(
    quarters: Iterable[tuple[QuarterReadings, tuple[str, ...]]],
) -> tuple[str, ...]:
    return tuple(f"{readings.quarter} {flag}" for readings, flags in quarters for flag in flags)
