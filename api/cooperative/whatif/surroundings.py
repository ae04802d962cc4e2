"""What a street's what-if needs beside the books: its batteries, the market, its roofs, the sun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kwartier.units import EpochS
from optimizer.problem import Battery, FloatArray
from optimizer.settling.matrix import WhArray


def _no_prices(_: EpochS, count: int) -> FloatArray:
    return np.full(count, np.nan)


def _no_roofs(_: EpochS, count: int) -> WhArray:
    return np.zeros(count, np.int64)


def _no_sky(_: EpochS, count: int) -> WhArray:
    return np.zeros(count, np.int64)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known outside the books; each question names a first quarter [s] and how many.

    Attributes:
        batteries: What the street has, as the planner knows it.
        import_limit_kw: The most it may take.
        export_limit_kw: The most it may give.
        buy_extra_eur_per_kwh: Tax and mark-up on the market's price.
        sell_less_eur_per_kwh: What the supplier keeps of it.
        prices: The market's prices [EUR/kWh]; NaN where none is known.
        roofs: What the street's measured roofs made together [Wh]; 0 where none was read.
        sky: A measure of the sun without clouds, in whole numbers.
    """

    batteries: tuple[Battery, ...] = ()
    import_limit_kw: float = float("inf")
    export_limit_kw: float = float("inf")
    buy_extra_eur_per_kwh: float = 0.0
    sell_less_eur_per_kwh: float = 0.0
    prices: Callable[[EpochS, int], FloatArray] = _no_prices
    roofs: Callable[[EpochS, int], WhArray] = _no_roofs
    sky: Callable[[EpochS, int], WhArray] = _no_sky
