"""A server's outside world: books in its folder, and a measure for each source."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from api.outside import PRICES, fetched_prices
from api.source_counts import SourceCounts
from collectors.prices.settings import PriceSettings, SourceSettings
from collectors.watch import Watch
from kwartier.clock import VirtualClock
from kwartier.interval import HOME_ZONE, Quarter

NOON_S = datetime(2026, 7, 8, 12, 0, tzinfo=HOME_ZONE).timestamp()


def test_plans_reckon_with_what_was_fetched_into_the_book(tmp_path: Path) -> None:
    rows = [f"{Quarter.containing(NOON_S).next(place)},-12.5" for place in range(8)]
    (tmp_path / "prices.csv").write_text("\n".join(["utc,eur_per_mwh", *rows]))
    settings = PriceSettings((SourceSettings("file", file=tmp_path / "prices.csv"),))
    with ExitStack() as parts:
        prices, watches = fetched_prices(settings, tmp_path, VirtualClock(NOON_S), parts)
        ends = time.monotonic() + 60
        now_s = NOON_S
        while not (told := prices.over(Quarter.containing(NOON_S), 8, now_s)).known.all():
            assert time.monotonic() < ends
            now_s += 60

    assert told.eur_per_kwh.tolist() == [-0.0125] * 8
    assert [watch.name for watch in watches] == ["prices from file"]
    assert (tmp_path / PRICES).exists()


def test_prometheus_is_told_who_is_away_and_how_often() -> None:
    away, there = Watch("prices from a"), Watch("weather from b")
    away.failed(NOON_S, "no route")
    away.failed(NOON_S + 300, "no route")
    counts = SourceCounts()
    counts.learn([away, there])
    registry = CollectorRegistry()
    registry.register(counts)

    text = generate_latest(registry).decode()

    assert 'kwartier_source_failures_total{source="prices from a"} 2.0' in text
    assert 'kwartier_source_up{source="prices from a"} 0.0' in text
    assert 'kwartier_source_up{source="weather from b"} 1.0' in text
