"""How far a register rose: it only counts up, and begins again at 0 only by its digits."""

from __future__ import annotations

from kwartier.units import Wh


def rise(before_wh: Wh, after_wh: Wh, digits: int | None) -> Wh | None:
    """Return how far a register rose [Wh]; None when it went back.

    Args:
        before_wh: What it stood at first.
        after_wh: What it stood at later.
        digits: Whole kWh digits after which it begins again at 0; None when that is not declared.
            More than half of all it can show is no rise.

    Source:
        Rule 9 for imperfect data of docs/settlement.md.
    """
    if after_wh >= before_wh:
        return after_wh - before_wh
    if digits is None:
        return None
    whole_wh = 10**digits * 1000
    risen_wh = after_wh + whole_wh - before_wh
    return risen_wh if 0 <= risen_wh <= whole_wh // 2 else None
