"""How homes' forecasts have held, as a spread over the homes: nobody can be told from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from api.forecasts.home_book import HomeSubject
from api.forecasts.states import SUN, USE, HeldByHomes, Span, Spread
from collectors.disclosure import MIN_HOMES
from optimizer.forecasting.score import Tally


def spread_over(held: Mapping[tuple[HomeSubject, Span], Tally]) -> tuple[HeldByHomes, ...]:
    """Return the spreads of error, lean and coverage over the homes, use first.

    Where fewer than five homes were judged only their number is told.
    """
    return tuple(
        _over(
            name,
            span,
            [one for (of, far), one in held.items() if of.subject == name and far is span],
        )
        for name in (USE, SUN)
        for span in Span
    )


def _over(name: str, span: Span, tallies: Sequence[Tally]) -> HeldByHomes:
    scores = [one.score() for one in tallies if one.came > 0]
    return HeldByHomes(
        name,
        span,
        len(scores),
        _spread([one.error for one in scores]),
        _spread([one.bias for one in scores]),
        _spread([one.coverage for one in scores]),
    )


def _spread(parts: Sequence[float | None]) -> Spread | None:
    known = [one for one in parts if one is not None]
    if len(known) < MIN_HOMES:
        return None
    return Spread(*(float(one) for one in np.quantile(known, [0.25, 0.5, 0.75])))
