"""Quarters of a listing side by side, with who owns what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.settlement import Rules
from optimizer.settling.listing import ListedQuarter, Listing, Marks
from optimizer.settling.matrix import Flags, WhArray
from optimizer.settling.owner_windows import Indices, OwnerWindows
from optimizer.settling.period import Agreement
from optimizer.settling.quarter_block import BLOCK_CELLS, Block


@dataclass(frozen=True, slots=True)
class ListedBlock:
    """Some quarters in which one key is in force; arrays are ``(Q, N)`` as in the block.

    Attributes:
        rules: What holds in them.
        block: What was read of those who take part.
        places: The place of each connection in the names of the listing.
        owners: The place of each one's owner in the pairs of the windows; -1 for who takes no part.
        orphans: Who is listed and takes no part for want of an owner.
        taken: Import of everybody listed [Wh].
        given: Export of everybody listed [Wh].
        marks: How the registers of those who take part are known.
        quarters: The quarters as listed.
    """

    rules: Rules
    block: Block
    places: Indices
    owners: Indices
    orphans: Flags
    taken: WhArray
    given: WhArray
    marks: Marks
    quarters: Sequence[ListedQuarter]


def listed_blocks(
    listing: Listing, agreement: Agreement, windows: OwnerWindows
) -> Iterator[ListedBlock]:
    """Yield the quarters in order of time, as many at once as fit.

    Raises:
        ContractError: No key is in force in a quarter.
    """
    for quarters in _runs(listing, agreement):
        yield _block(listing, quarters, agreement.rules_at(quarters[0].quarter), windows)


def _runs(listing: Listing, agreement: Agreement) -> Iterator[Sequence[ListedQuarter]]:
    """Yield runs of quarters under one key whose table of connections is small enough."""
    starts_s = np.sort(np.array([version.start_s for version in agreement.keys], np.int64))
    at_s = np.array([listed.quarter.start_s for listed in listing.quarters], np.int64)
    versions = np.searchsorted(starts_s, at_s, side="right").tolist()
    run: list[ListedQuarter] = []
    columns = np.zeros(0, np.int32)
    version = 0
    for listed, its_version in zip(listing.quarters, versions, strict=True):
        together = columns
        if not run or listed.connections is not run[-1].connections:
            together = np.union1d(columns, listed.connections)
        if run and (its_version != version or len(together) * (len(run) + 1) > BLOCK_CELLS):
            yield run
            run, together = [], np.unique(listed.connections)
        run.append(listed)
        columns, version = together, its_version
    if run:
        yield run


def _block(
    listing: Listing, quarters: Sequence[ListedQuarter], rules: Rules, windows: OwnerWindows
) -> ListedBlock:
    different = {id(listed.connections): listed.connections for listed in quarters}
    places = np.unique(np.concatenate(list(different.values())))
    order = [np.searchsorted(places, listed.connections) for listed in quarters]
    names = tuple(listing.names[place] for place in places.tolist())
    shape = len(quarters), len(names)
    listed_here = np.zeros(shape, np.bool_)
    taken, given = np.zeros((2, *shape), np.int64)
    marks = np.zeros(shape, np.uint8)
    for row, (listed, columns) in enumerate(zip(quarters, order, strict=True)):
        listed_here[row, columns] = True
        taken[row, columns] = listed.taken
        given[row, columns] = listed.given
        if listed.marks is not None:
            marks[row, columns] = listed.marks
    numbers = np.array([listed.quarter.number for listed in quarters], np.int64)
    owners = np.where(listed_here, windows.of(numbers, names), -1)
    takes_part = owners >= 0
    block = Block(
        numbers,
        names,
        takes_part,
        taken * takes_part,
        given * takes_part,
        np.array([listed.battery.import_wh or 0 for listed in quarters], np.int64),
        np.array([listed.battery.export_wh or 0 for listed in quarters], np.int64),
        order,
    )
    orphans = listed_here & ~takes_part
    return ListedBlock(
        rules,
        block,
        np.broadcast_to(places.astype(np.int64), shape),
        owners,
        orphans,
        taken,
        given,
        marks * takes_part,
        quarters,
    )
