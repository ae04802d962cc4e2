"""How far registers rose, over swaps too, counted from quarter boundary to quarter boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS, Wh
from optimizer.settling.register_steps import RegisterStand, advanced_wh


@dataclass(frozen=True, slots=True)
class MeterStands:
    """What one register of one meter stood at.

    Attributes:
        name: A name that no other meter of the connection bears.
        digits: Whole kWh digits before it begins again at 0; None when that is not declared.
        installed_s: From when it hangs [s].
        removed_s: Until when [s]; None when it hangs there still.
        stands: Instants [s] and values [Wh], in order of time.
    """

    name: str
    digits: int | None
    installed_s: EpochS
    removed_s: EpochS | None
    stands: tuple[tuple[EpochS, Wh], ...]

    def stand(self, at_s: EpochS | None) -> Wh | None:
        """Return what it stood at on an instant; None when that was not read."""
        return dict(self.stands).get(at_s) if at_s is not None else None


@dataclass(frozen=True, slots=True)
class Node:
    """A stand on a quarter's boundary.

    Attributes:
        at_s: The boundary [s].
        wh: What the connection's register counted up to it, over swaps too [Wh].
        chain: Only nodes of one chain may be compared: a fall or an open swap begins another.
    """

    at_s: EpochS
    wh: Wh
    chain: int


def rise(before_wh: Wh, after_wh: Wh, digits: int | None) -> Wh | None:
    """Return how far a register rose [Wh]; None when it went back, or shows too many digits.

    Args:
        before_wh: What it stood at first.
        after_wh: What it stood at later.
        digits: Whole kWh digits after which it begins again at 0; None when that is not declared.

    Source:
        Rule 9 for imperfect data of docs/settlement.md.
    """
    try:
        return advanced_wh(
            [RegisterStand("m", 0, before_wh, digits), RegisterStand("m", 1, after_wh, digits)]
        )
    except ContractError:
        return None


def boundary_nodes(meters: Sequence[MeterStands]) -> list[Node]:
    """Return every stand on a quarter's boundary, counted on from meter to meter.

    Args:
        meters: The meters of one connection in the order in which they hung there.
    """
    nodes: list[Node] = []
    count, chain = 0, 0
    last_wh: Wh | None = None
    for place, meter in enumerate(meters):
        if place:
            last_wh = _joined(meters[place - 1], meter)
            chain += last_wh is None
        for at_s, wh in meter.stands:
            if last_wh is not None:
                risen_wh = rise(last_wh, wh, meter.digits)
                count, chain = (count, chain + 1) if risen_wh is None else (count + risen_wh, chain)
            last_wh = wh
            if at_s % QUARTER_S == 0:
                nodes.append(Node(at_s, count, chain))
    return nodes


def _joined(old: MeterStands, new: MeterStands) -> Wh | None:
    """Return the new meter's opening where the old one's closing is of the same instant."""
    if old.removed_s != new.installed_s or old.stand(old.removed_s) is None:
        return None
    return new.stand(new.installed_s)
