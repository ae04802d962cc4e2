"""Puts the forecasts of a server together, from its settings."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from importlib.util import find_spec

from api.forecasts.aside import Aside
from api.forecasts.asked import DAYS_BACK
from api.forecasts.book import ForecastBook
from api.forecasts.home_book import HomeBook
from api.forecasts.homes import HomeForecasts
from api.forecasts.keeper import Forecasts
from api.forecasts.night import NightWork
from api.forecasts.told import ToldWeather
from api.history import History
from api.house import House
from api.settings import ServeSettings
from collectors.weather.book import SqliteWeather
from optimizer.forecasting.clear_sky import ClearSky
from optimizer.forecasting.days import Sky

_log = logging.getLogger(__name__)

FORECASTS = "forecasts.db"
"""The book of forecasts, beside the plans."""
HOMES = "home_forecasts.db"
"""The book of homes' own forecasts, beside it."""


def open_forecasts(
    settings: ServeSettings,
    house: House,
    parts: ExitStack,
    weather: SqliteWeather | None,
    *,
    learn: bool,
) -> Forecasts:
    """Return who forecasts for a house, and begin to forecast its homes; all ends with ``parts``.

    Raises:
        StoreBusyError: The book cannot be opened now.
    """
    book = ForecastBook(settings.state / FORECASTS)
    parts.callback(book.close)
    homes_book = HomeBook(settings.state / HOMES)
    parts.callback(homes_book.close)
    place = settings.weather
    sky: Sky | None = ClearSky() if place is None else ClearSky(place.latitude, place.longitude)
    if find_spec("pvlib") is None:
        _log.warning("roofs are forecast without a clear sky: pip install 'kwartier[serve]'")
        sky = None
    homes = HomeForecasts(
        house.records,
        house.community,
        homes_book,
        house.forecasts,
        sky=sky,
        weather=None if weather is None else ToldWeather(weather),
        people=house.people,
    )
    night = NightWork(homes, house.clock)
    night.start()
    parts.callback(night.stop)
    aside = Aside() if learn else None
    if aside is not None:
        parts.callback(aside.stop)
    return Forecasts(
        History(house.records, DAYS_BACK),
        book,
        house.forecasts,
        sky=sky,
        weather=None if weather is None else ToldWeather(weather),
        learn=aside,
        homes=homes,
    )
