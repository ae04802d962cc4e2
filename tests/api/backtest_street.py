"""Five days of two homes for a backtest: their meters, prices, and what is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from api.backtest.inputs import Asked, Tariff, battery_of, question_of
from api.backtest.question import Question
from optimizer.backtest.walk import Connection

POLICIES = ("none", "self-use", "daily", "bound")
BEGUN = datetime(2026, 6, 29, 22, 0, tzinfo=UTC)
DAYS = 5


def write_street(folder: Path) -> tuple[Path, Path]:
    """Write five days of two homes, one with sun, and cheap nights."""
    meters, prices = folder / "meters.csv", folder / "prices.csv"
    rows, costs = ["utc,household,kwh_import,kwh_export,kwh_pv"], ["utc,eur_per_mwh"]
    for place in range(DAYS * 96):
        stamp = (BEGUN + timedelta(minutes=15 * place)).isoformat()
        hour = place % 96 // 4
        sunny = 10 <= hour < 15
        rows.append(f"{stamp},one,0.25,0,0")
        rows.append(f"{stamp},two,{0 if sunny else 0.25},{0.75 if sunny else 0},{sunny:d}")
        costs.append(f"{stamp},{50 if hour < 6 else 150}")
    meters.write_text("\n".join(rows) + "\n")
    prices.write_text("\n".join(costs) + "\n")
    return meters, prices


def question_in(folder: Path) -> Question:
    """Return what is asked of the street written in a folder: one battery, every day."""
    meters, prices = write_street(folder)
    asked = Asked(
        meters=meters,
        prices=prices,
        first=date(2026, 6, 30),
        last=date(2026, 7, 4),
        households=(),
        limit=None,
        batteries=(battery_of("4:2", 1),),
        connection=Connection(),
        tariff=Tariff(0.1, 0.0, 0.01),
        weeks=None,
    )
    return question_of(asked)
