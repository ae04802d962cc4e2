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
from kwartier.clock import Clock

PRICES = "prices.db"
"""The book of prices, in the server's folder."""
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
