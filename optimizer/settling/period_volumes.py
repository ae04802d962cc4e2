"""A period of listed quarters settled in blocks: volumes by member, as the exact engine has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kwartier.units import Wh
from optimizer.settlement import Status
from optimizer.settling.block_shares import share_block
from optimizer.settling.filling import Exact
from optimizer.settling.listed_block import ListedBlock, listed_blocks
from optimizer.settling.listing import ESTIMATED, MISSING, Listing, Mark
from optimizer.settling.long_sums import ExactSum, FractionSums, WholeSums
from optimizer.settling.owner_windows import OwnerWindows
from optimizer.settling.period import Agreement, MemberVolume, Rounding
from optimizer.settling.quarter_block import settle_block
from optimizer.settling.rounding import tie_order
from optimizer.settling.rounding_once import rounded_once


@dataclass(frozen=True, slots=True)
class PeriodVolumes:
    """Some quarters, settled.

    Attributes:
        quarters: How many.
        missing: How many registers were not read, and owned connections not listed.
        estimated: How many registers took part with an estimate.
        members: Volumes by member.
        orphan_wh: Import and export of connections that nobody owned, by connection [Wh].
    """

    quarters: int
    missing: int
    estimated: int
    members: Mapping[str, MemberVolume]
    orphan_wh: Mapping[str, Wh]

    @property
    def status(self) -> Status:
        """Provisional when anything is missing or estimated."""
        return Status.PROVISIONAL if self.missing or self.estimated else Status.FINAL


def settle_listing(listing: Listing, agreement: Agreement) -> PeriodVolumes:
    """Settle a listing and add it up by member, as ``settle_period`` does.

    Raises:
        ContractError: No key is in force in a quarter.

    Source:
        Convention C9, and sections 6.1, 6.10 and 6.12, of docs/settlement.md.
    """
    windows = OwnerWindows(agreement, listing.names)
    volumes: _Volumes = (
        _RoundedByQuarter(len(windows.pairs))
        if agreement.rounding is Rounding.QUARTER
        else _RoundedOnce(listing, agreement, windows)
    )
    flags = _Flags(len(listing.names))
    took_part = np.zeros(len(windows.pairs), np.bool_)
    for each in listed_blocks(listing, agreement, windows):
        volumes.add(each)
        flags.add(each, windows)
        took_part[each.owners[each.owners >= 0]] = True
    pairs = {windows.pairs[place]: place for place in np.flatnonzero(took_part).tolist()}
    first = listing.quarters[0].quarter.number if listing.quarters else 0
    bought_wh, sold_wh = volumes.whole(
        [pairs[pair] for pair in tie_order(pairs, agreement.rules.tie, first)]
    )
    members = {member: [0, 0] for member in sorted({member for _, member in pairs})}
    for (_, member), place in pairs.items():
        members[member][0] += bought_wh[place]
        members[member][1] += sold_wh[place]
    return PeriodVolumes(
        len(listing.quarters),
        flags.missing,
        flags.estimated,
        {member: MemberVolume(*both) for member, both in members.items()},
        flags.orphan_wh(listing.names),
    )


class _Flags:
    """What was missing, estimated or nobody's."""

    def __init__(self, connections: int) -> None:
        self.missing = 0
        self.estimated = 0
        self._orphan_wh = WholeSums(connections)
        self._is_orphan = np.zeros(connections, np.bool_)

    def add(self, each: ListedBlock, windows: OwnerWindows) -> None:
        """Count the flags of a block."""
        for mark in Mark:
            count = int(np.count_nonzero(each.marks & mark))
            self.missing += count if mark in MISSING else 0
            self.estimated += count if mark in ESTIMATED else 0
        for listed in each.quarters:
            battery = listed.battery
            self.missing += (battery.import_wh, battery.export_wh).count(None)
            self.estimated += battery.import_estimated + battery.export_estimated
        self.missing += windows.absent(each.block.numbers, each.block.takes_part)
        for energy_wh in (each.taken, each.given):
            self._orphan_wh.add(each.places[each.orphans], energy_wh[each.orphans])
        self._is_orphan[each.places[each.orphans]] = True

    def orphan_wh(self, names: tuple[str, ...]) -> dict[str, Wh]:
        """Return import and export of the connections that nobody owned, by name."""
        totals = self._orphan_wh.totals()
        return {names[place]: totals[place] for place in np.flatnonzero(self._is_orphan).tolist()}


class _Volumes(Protocol):
    """What each pair of connection and member bought and sold."""

    def add(self, each: ListedBlock) -> None:
        """Settle a block and add it."""

    def whole(self, order: list[int]) -> tuple[Mapping[int, Wh], Mapping[int, Wh]]:
        """Return both by place of those in ``order``, the first among equals first [Wh]."""


class _RoundedByQuarter:
    """Whole watt-hours of every quarter, added up."""

    def __init__(self, pairs: int) -> None:
        self._bought = WholeSums(pairs)
        self._sold = WholeSums(pairs)

    def add(self, each: ListedBlock) -> None:
        settled = settle_block(each.block, each.rules)
        takes_part = each.block.takes_part
        self._bought.add(each.owners[takes_part], settled.bought[takes_part])
        self._sold.add(each.owners[takes_part], settled.sold[takes_part])

    def whole(self, order: list[int]) -> tuple[Mapping[int, Wh], Mapping[int, Wh]]:
        bought, sold = self._bought.totals(), self._sold.totals()
        return {place: bought[place] for place in order}, {place: sold[place] for place in order}


class _RoundedOnce:
    """Exact shares of every quarter, added up and then rounded."""

    def __init__(self, listing: Listing, agreement: Agreement, windows: OwnerWindows) -> None:
        self._listing, self._agreement, self._windows = listing, agreement, windows
        self._bought = FractionSums(len(windows.pairs))
        self._sold = FractionSums(len(windows.pairs))

    def add(self, each: ListedBlock) -> None:
        shared = share_block(each.block, each.rules)
        self._bought.add(each.owners[shared.rows], shared.bought)
        self._sold.add(each.owners[shared.rows], shared.sold)
        columns = {name: column for column, name in enumerate(each.block.names)}
        for row, (bought, sold) in shared.exact.items():
            for name in bought:
                place = int(each.owners[row, columns[name]])
                self._bought.add_exact(place, bought[name])
                self._sold.add_exact(place, sold[name])

    def whole(self, order: list[int]) -> tuple[Mapping[int, Wh], Mapping[int, Wh]]:
        return (
            rounded_once(self._bought, order, lambda places: self._exactly(places, sold=False)),
            rounded_once(self._sold, order, lambda places: self._exactly(places, sold=True)),
        )

    def _exactly(self, places: Collection[int], *, sold: bool) -> dict[int, Exact]:
        """Return the exact sums at some places, reckoned anew as fractions."""
        rows: dict[int, list[tuple[bytes, bytes]]] = {place: [] for place in places}
        for each in listed_blocks(self._listing, self._agreement, self._windows):
            shared = share_block(each.block, each.rules)
            shares = shared.sold if sold else shared.bought
            owners = each.owners[shared.rows]
            columns = {name: column for column, name in enumerate(each.block.names)}
            for place in places:
                column = columns.get(self._windows.pairs[place][0])
                if column is not None:
                    mine = owners[:, column] == place
                    top, below = shares.numerator[mine, column], shares.denominator[mine]
                    rows[place].append((top.tobytes(), below.tobytes()))
        sums = self._sold if sold else self._bought
        # Twins have the same fractions, and need to be added up only once.
        alike = {key: _added_up(key) for key in {tuple(parts) for parts in rows.values()}}
        return {
            place: alike[tuple(parts)] + sums.added_exactly(place) for place, parts in rows.items()
        }


def _added_up(parts: tuple[tuple[bytes, bytes], ...]) -> Exact:
    total = ExactSum()
    for top, below in parts:
        fractions = zip(np.frombuffer(top, np.int64), np.frombuffer(below, np.int64), strict=True)
        for numerator, denominator in fractions:
            total.add(int(numerator), int(denominator))
    return total.value()
