"""What is known outside the books for a battery or a roof that is tried: market, roofs, sun."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from importlib.util import find_spec

import numpy as np

from api.cooperative.whatif.surroundings import Surroundings
from api.retail import Retail, planned_battery
from collectors.answers import NothingToldError
from collectors.prices.model import PriceSource
from collectors.store import DeviceKey, Store
from kwartier.interval import QUARTER_S, day_of
from kwartier.model import Community
from kwartier.units import EpochS, Watt
from optimizer.forecasting.clear_sky import ClearSky
from optimizer.problem import FloatArray
from optimizer.settling.matrix import WhArray

_PRODUCED = "produced_wh"


@dataclass(slots=True)
class Market:
    """Where prices of past days are known; whoever reads them in puts the source here.

    Attributes:
        source: Knows the prices; None where nobody does.
        retail: What comes on top of them.
        place: Where the street lies, north and east [degrees]; None for the middle of the country.
    """

    source: PriceSource | None = None
    retail: Retail = field(default_factory=Retail)
    place: tuple[float, float] | None = None

    def prices(self, start_s: EpochS, count: int) -> FloatArray:
        """Return the market's prices, shape ``(count,)`` [EUR/kWh]; NaN where none is known."""
        told = np.full(count, np.nan)
        if self.source is None or count < 1:
            return told
        day, end_s = day_of(start_s), start_s + count * QUARTER_S
        while day <= day_of(end_s - 1):
            for at_s, price in self._day(day):
                if 0 <= (place := (at_s - start_s) // QUARTER_S) < count:
                    told[place] = float(price) / 1000
            day += timedelta(days=1)
        return told

    def _day(self, day: date) -> Iterator[tuple[EpochS, Decimal]]:
        """Yield the known quarters of a day and their prices [EUR/MWh]."""
        assert self.source is not None
        try:
            known = self.source.day(day)
        except NothingToldError:
            return
        for quarter, price in zip(known.quarters, known.eur_per_mwh, strict=True):
            if price is not None:
                yield quarter.start_s, price

    def sky(self, start_s: EpochS, count: int) -> WhArray:
        """Return the sun without clouds, shape ``(count,)`` [W/m²]; 0 where nothing reckons it."""
        if find_spec("pvlib") is None:
            return np.zeros(count, np.int64)
        sky = ClearSky() if self.place is None else ClearSky(*self.place)
        light: WhArray = np.rint(sky(start_s, count)).astype(np.int64)
        return light


def surroundings_of(community: Community, store: Store, market: Market) -> Surroundings:
    """Return what a what-if of a street needs beside its books."""
    return Surroundings(
        tuple(
            planned_battery(each, each.capacity_wh * each.soc_min_permille / 1_000_000)
            for each in community.batteries.values()
        ),
        _kw(community.import_limit_w),
        _kw(community.export_limit_w),
        market.retail.buy_extra_eur_per_kwh,
        market.retail.sell_less_eur_per_kwh,
        market.prices,
        _roofs(community, store),
        market.sky,
    )


def _roofs(community: Community, store: Store) -> Callable[[EpochS, int], WhArray]:
    """Return who tells what all inverters that are read made together."""
    keys = [
        DeviceKey(home.gateway, home.solar)
        for home in community.connections.values()
        if home.solar is not None
    ]

    def made(start_s: EpochS, count: int) -> WhArray:
        told = np.zeros(count, np.int64)
        if not keys:
            return told
        for each in store.quarters([_PRODUCED], start_s, start_s + count * QUARTER_S, keys):
            told[(each.start_s - start_s) // QUARTER_S] += each.energy_wh or 0
        return told

    return made


def _kw(limit_w: Watt | None) -> float:
    return float("inf") if limit_w is None else limit_w / 1000
