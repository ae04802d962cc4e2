"""A period of quarters: keys and owners as they were in force, volumes by member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from kwartier.errors import ContractError
from kwartier.interval import Quarter, instant_text
from kwartier.units import EpochS, Wh
from optimizer.balance import QuarterReadings, Registers
from optimizer.settlement import Rules, Status, settle_quarter, shared_out
from optimizer.settling.filling import Amounts, Exact, exact_sum
from optimizer.settling.rounding import Tie, tie_order, whole_amounts
from optimizer.sharing import SharingKey


class Rounding(StrEnum):
    """When exact amounts become whole watt-hours."""

    QUARTER = "quarter"
    """In every quarter."""
    PERIOD = "period"
    """Once, after the fractions of all quarters were added up."""


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """A key and the first instant at which it is in force [s]."""

    start_s: EpochS
    key: SharingKey


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who settles a connection in ``[start_s, end_s)``; None has no end."""

    connection: str
    member: str
    start_s: EpochS
    end_s: EpochS | None = None

    def holds(self, at_s: EpochS) -> bool:
        """Return whether it is in force at an instant [s]."""
        return self.start_s <= at_s and (self.end_s is None or at_s < self.end_s)


@dataclass(frozen=True, slots=True)
class MemberVolume:
    """What one member bought and sold within the neighbourhood [Wh]."""

    bought_wh: Wh
    sold_wh: Wh


@dataclass(frozen=True, slots=True)
class PeriodSettlement:
    """Some quarters, settled.

    Attributes:
        quarters: How many.
        missing: Registers that were not read, such as ``2026-07-01T09:45:00Z A:export``.
        estimated: Registers that took part with an estimate, named alike.
        members: Volumes by member.
        orphan_wh: Import and export of connections that nobody owned, by connection [Wh].
    """

    quarters: int
    missing: tuple[str, ...]
    estimated: tuple[str, ...]
    members: Mapping[str, MemberVolume]
    orphan_wh: Mapping[str, Wh]

    @property
    def status(self) -> Status:
        """Provisional when anything is missing or estimated."""
        return Status.PROVISIONAL if self.missing or self.estimated else Status.FINAL


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was in force when.

    Attributes:
        keys: The key's versions.
        rules: The rest of what was decided; its own key is not used.
        ownership: Who settled what; None for every connection its own member.
        rounding: When amounts become whole.

    Raises:
        ContractError: Two versions begin at once, or two members own a connection at once.
    """

    keys: tuple[KeyVersion, ...]
    rules: Rules
    ownership: tuple[Ownership, ...] | None = None
    rounding: Rounding = Rounding.QUARTER

    def __post_init__(self) -> None:
        starts = sorted(version.start_s for version in self.keys)
        for earlier, later in pairwise(starts):
            if earlier == later:
                raise ContractError(
                    f"keys: two are in force from {instant_text(later)}: keep one of them"
                )
        _refuse_two_owners(self.ownership or ())

    def rules_at(self, quarter: Quarter) -> Rules:
        """Return the rules of a quarter, or refuse it when no key is in force."""
        begun = [version for version in self.keys if version.start_s <= quarter.start_s]
        if not begun:
            raise ContractError(f"keys: none is in force at {quarter}: add one from then or before")
        return replace(self.rules, key=max(begun, key=lambda version: version.start_s).key)

    def owners_at(self, quarter: Quarter, connections: Mapping[str, Registers]) -> dict[str, str]:
        """Return who settles each connection in a quarter; one without an owner is left out."""
        if self.ownership is None:
            return {name: name for name in connections}
        return {
            window.connection: window.member
            for window in self.ownership
            if window.holds(quarter.start_s)
        }


def settle_period(quarters: Sequence[QuarterReadings], agreement: Agreement) -> PeriodSettlement:
    """Settle quarters one by one and add them up by member.

    A connection without an owner takes no part. One that has an owner and is not among a
    quarter's readings is missing there.

    Raises:
        ContractError: A quarter stands there twice, or no key is in force in it.

    Source:
        Convention C9, and sections 6.1, 6.10 and 6.12, of docs/settlement.md.
    """
    ordered = sorted(quarters, key=lambda readings: readings.quarter)
    refuse_twice([readings.quarter for readings in ordered])
    sums = _Sums()
    for readings in ordered:
        sums.add(readings, agreement)
    first = ordered[0].quarter.number if ordered else 0
    bought_wh = _by_member(sums.bought, agreement.rules.tie, first)
    sold_wh = _by_member(sums.sold, agreement.rules.tie, first)
    return PeriodSettlement(
        len(ordered),
        tuple(sums.missing),
        tuple(sums.estimated),
        {name: MemberVolume(wh, sold_wh[name]) for name, wh in bought_wh.items()},
        dict(sorted(sums.orphan_wh.items())),
    )


class _Sums:
    """What has come together so far, by connection and member."""

    def __init__(self) -> None:
        self.bought: dict[tuple[str, str], list[Exact]] = {}
        self.sold: dict[tuple[str, str], list[Exact]] = {}
        self.orphan_wh: dict[str, Wh] = {}
        self.missing: list[str] = []
        self.estimated: list[str] = []

    def add(self, readings: QuarterReadings, agreement: Agreement) -> None:
        """Settle one quarter and add it."""
        owners = agreement.owners_at(readings.quarter, readings.connections)
        taking_part = self._without_orphans(readings, owners)
        rules = agreement.rules_at(readings.quarter)
        settled = settle_quarter(replace(readings, connections=taking_part), rules)
        bought: Amounts = settled.allocated_wh
        sold: Amounts = settled.shared_out_wh
        if agreement.rounding is Rounding.PERIOD:
            bought = settled.exact
            sold = shared_out(settled.balance, settled.exact, rules)
        for name in taking_part:
            whose = name, owners[name]
            self.bought.setdefault(whose, []).append(bought[name])
            self.sold.setdefault(whose, []).append(sold[name])
        absent = sorted(set(owners) - set(taking_part))
        self.missing += [f"{readings.quarter} {flag}" for flag in (*settled.missing, *absent)]
        self.estimated += [f"{readings.quarter} {flag}" for flag in settled.estimated]

    def _without_orphans(
        self, readings: QuarterReadings, owners: Mapping[str, str]
    ) -> dict[str, Registers]:
        taking_part = {}
        for name, registers in readings.connections.items():
            if name in owners:
                taking_part[name] = registers
            else:
                volume_wh = (registers.import_wh or 0) + (registers.export_wh or 0)
                self.orphan_wh[name] = self.orphan_wh.get(name, 0) + volume_wh
        return taking_part


def _by_member(
    amounts: Mapping[tuple[str, str], Sequence[Exact]], tie: Tie, first_quarter: int
) -> dict[str, Wh]:
    """Return whole watt-hours by member, rounded by connection and member."""
    exact = {whose: exact_sum(parts) for whose, parts in amounts.items()}
    whole_wh = whole_amounts(exact, tie_order(exact, tie, first_quarter))
    members = dict.fromkeys(sorted({member for _, member in whole_wh}), 0)
    for (_, member), energy_wh in whole_wh.items():
        members[member] += energy_wh
    return members


def refuse_twice(ordered: Sequence[Quarter]) -> None:
    """Refuse quarters in order of time of which one stands there twice."""
    for earlier, later in pairwise(ordered):
        if earlier == later:
            raise ContractError(f"quarter {later} stands there twice: settle it once")


def _refuse_two_owners(windows: Sequence[Ownership]) -> None:
    for window in windows:
        if window.end_s is not None and window.end_s <= window.start_s:
            raise ContractError(
                f"ownership: {window.connection!r} of {window.member!r} ends at "
                f"{instant_text(window.end_s)}, not after it begins: correct one of them"
            )
    ordered = sorted(windows, key=lambda window: (window.connection, window.start_s))
    for earlier, later in pairwise(ordered):
        if earlier.connection == later.connection and (
            earlier.end_s is None or later.start_s < earlier.end_s
        ):
            raise ContractError(
                f"ownership: {earlier.member!r} and {later.member!r} both own "
                f"{later.connection!r} at {instant_text(later.start_s)}: end one before the other"
            )
