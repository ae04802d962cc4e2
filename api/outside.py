"""The outside world of a server: prices and weather, fetched beside the pages and kept in books."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from api.price_book import PriceBook
from collectors.prices.book import SqlitePrices
from collectors.prices.fetching import PriceFetching
from collectors.prices.settings import PriceSettings, source_of
from collectors.watch import Watch
from collectors.weather.book import SqliteWeather
from collectors.weather.fetching import WeatherFetching
from collectors.weather.settings import WeatherSettings, weather_sources
from kwartier.clock import Clock

PRICES = "prices.db"
"""The book of prices, in the server's folder."""
WEATHER = "weather.db"
"""The book of weather, beside it."""
_FRESH_S = 60.0


def fetched_prices(
    settings: PriceSettings, state: Path, clock: Clock, parts: ExitStack
) -> tuple[PriceBook, Sequence[Watch]]:
    """Return the prices that plans reckon with, and what is known of their sources.

    They are fetched on a thread of their own, so that no plan ever waits for a service far away.

    Raises:
        PriceFileError: A file of prices cannot be read.
        StoreBusyError: The book cannot be written now.
    """
    book = SqlitePrices(state / PRICES)
    parts.callback(book.close)
    fetching = PriceFetching(
        [source_of(source) for source in settings.sources], book, clock, settings.limits
    )
    fetching.start()
    parts.callback(fetching.stop)
    return PriceBook(book, ask_again_s=_FRESH_S, fresh_s=_FRESH_S), fetching.watches


def fetched_weather(
    settings: WeatherSettings, state: Path, clock: Clock, parts: ExitStack
) -> tuple[SqliteWeather, Sequence[Watch]]:
    """Return the book of weather, which is kept up to date, and what is known of its sources.

    Raises:
        StoreBusyError: The book cannot be written now.
    """
    book = SqliteWeather(state / WEATHER)
    parts.callback(book.close)
    fetching = WeatherFetching(weather_sources(settings), book, clock, settings.every_s)
    fetching.start()
    parts.callback(fetching.stop)
    return book, fetching.watches
