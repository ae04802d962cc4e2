"""The claims' way through a month, in arrays of whole numbers, as ``next_claims`` takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from optimizer.settling.battery_claims import COOPERATIVE
from optimizer.settling.battery_models import (
    BatteryQuarter,
    MilliWh,
    delivery_weights,
    divide,
    used_of_all,
)
from optimizer.settling.matrix import WhArray


class ClaimsWalk:
    """All owners' claims, and what came out for them in each busy quarter.

    Attributes:
        owners: Every owner there can be, in ascending order.
        held_milliwh: The claims as they stand, ``(owners,)`` [thousandths of a Wh].
        used_milliwh: What discharges used so far, ``(owners,)`` [thousandths of a Wh].
        charged_wh: What was charged so far, ``(owners,)`` [Wh].
        to_members_wh: What came out for each and went to members, ``(busy, owners)`` [Wh].
        to_grid_wh: What came out for each and left, ``(busy, owners)`` [Wh].
        unclaimed_wh: What came out beyond all claims so far [Wh].
    """

    def __init__(
        self,
        owners: Sequence[str],
        claims_milliwh: Mapping[str, MilliWh],
        efficiency: Fraction,
        busy: int,
    ) -> None:
        """Begin with the claims at the start of a month with so many busy quarters."""
        count = len(owners)
        self.owners = tuple(owners)
        self._places = {owner: place for place, owner in enumerate(self.owners)}
        self._efficiency = efficiency
        self.held_milliwh = np.zeros(count, np.int64)
        for owner, claim in claims_milliwh.items():
            self.held_milliwh[self._places[owner]] = claim
        self.used_milliwh = np.zeros(count, np.int64)
        self.charged_wh = np.zeros(count, np.int64)
        self.to_members_wh = np.zeros((busy, count), np.int64)
        self.to_grid_wh = np.zeros((busy, count), np.int64)
        self.unclaimed_wh = 0

    def go(self, row: int, quarter: BatteryQuarter) -> None:
        """Let the claims pass one quarter: first the discharge, then the charge."""
        if quarter.to_members_wh or quarter.to_grid_wh:
            self._discharge(row, quarter)
        for owner, energy_wh in (*quarter.charged_wh.items(), (COOPERATIVE, quarter.bought_wh)):
            place = self._places[owner]
            self.held_milliwh[place] += 1000 * energy_wh
            self.charged_wh[place] += energy_wh

    def _discharge(self, row: int, quarter: BatteryQuarter) -> None:
        claiming = np.flatnonzero(self.held_milliwh)
        held = self.held_milliwh[claiming]
        total, given_wh = int(held.sum()), quarter.to_members_wh + quarter.to_grid_wh
        used = divide_whole(used_of_all(total, given_wh, self._efficiency), held, quarter.turn)
        # The last place stands for what is beyond all claims.
        beyond = delivery_weights([total], given_wh, self._efficiency)[-1]
        if beyond:
            weights = delivery_weights(held.tolist(), given_wh, self._efficiency)
            delivered = np.array(divide(given_wh, weights, quarter.turn), np.int64)
        else:
            delivered = divide_whole(given_wh, np.append(held, 0), quarter.turn)
        to_members = divide_whole(quarter.to_members_wh, delivered, quarter.turn)
        self.held_milliwh[claiming] -= used
        self.used_milliwh[claiming] += used
        self.to_members_wh[row, claiming] = to_members[:-1]
        self.to_grid_wh[row, claiming] = (delivered - to_members)[:-1]
        self.unclaimed_wh += int(delivered[-1])


def divide_whole(total: int, weights: WhArray, turn: int) -> WhArray:
    """Return what ``divide`` returns, in an array."""
    if not total:
        return np.zeros(len(weights), np.int64)
    if total * int(weights.max()) >= 2**63:
        return np.array(divide(total, weights.tolist(), turn), np.int64)
    parts, remainders = np.divmod(total * weights, int(weights.sum()))
    spare = total - int(parts.sum())
    if spare:
        order = np.roll(np.arange(len(weights)), -(turn % len(weights)))
        order = order[np.argsort(-remainders[order], kind="stable")]
        parts[order[:spare]] += 1
    whole: WhArray = parts
    return whole
