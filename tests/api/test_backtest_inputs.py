"""What a backtest reads beside meters: batteries, prices of another year and weather."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from api.backtest.inputs import batteries_in
from api.backtest.prices import laid_beside
from api.backtest.weather import read_weather
from collectors.prices.file import read_prices
from kwartier.errors import InputError
from kwartier.interval import Quarter


def test_batteries_are_read_as_those_of_a_plan(tmp_path: Path) -> None:
    file = tmp_path / "batteries.json"
    battery = {
        "id": "school", "soc_min_kwh": 5, "soc_max_kwh": 95, "soc_start_kwh": 50,
        "charge_max_kw": 40, "discharge_max_kw": 30, "charge_efficiency": 0.95,
        "discharge_efficiency": 0.94, "wear_eur_per_kwh": 0.01,
    }  # fmt: skip
    file.write_text(json.dumps([battery]))

    (read,) = batteries_in(file)

    assert (read.id, read.soc_max_kwh, read.discharge_max_kw) == ("school", 95.0, 30.0)
    file.write_text(json.dumps([{**battery, "soc_min_kwh": 99}]))
    with pytest.raises(InputError, match=r"school\.soc_min_kwh is 99, above soc_max_kwh 95"):
        batteries_in(file)


def test_a_list_of_batteries_without_end_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "batteries.json"
    file.write_text("[" * 200_000)

    with pytest.raises(InputError, match="is no JSON that can be read"):
        batteries_in(file)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b'[{"id": "school", "id": "hall"}]', "key 'id' stands twice"),
        (b"[\n{]", "line 2, column 2: is no JSON"),
        (b"[\xff]", "is no UTF-8 text"),
        (b"[]", "names no battery"),
    ],
)
def test_batteries_that_cannot_be_read_are_refused_by_place(
    tmp_path: Path, content: bytes, wrong: str
) -> None:
    file = tmp_path / "batteries.json"
    file.write_bytes(content)

    with pytest.raises(InputError, match=rf"batteries\.json: {wrong}"):
        batteries_in(file)


def test_batteries_that_are_not_there_are_told_without_a_number(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"batteries\.json: cannot be read: No such file"):
        batteries_in(tmp_path / "batteries.json")


def test_prices_of_another_year_keep_weekday_and_time_of_day(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    begun = Quarter.parse("2024-12-31T23:00:00Z").start_s
    rows = [
        f"{datetime.fromtimestamp(begun + 900 * place, UTC).isoformat()},{place // 96}"
        for place in range(365 * 96)
    ]
    file.write_text("utc,eur_per_mwh\n" + "\n".join(rows) + "\n")
    prices = read_prices(file)
    # Monday 4 January 2016 meets Monday 6 January 2025, the sixth day of prices.
    monday_s = Quarter.parse("2016-01-03T23:00:00Z").start_s

    laid = laid_beside(prices, monday_s, 8 * 96)

    assert laid.weeks == 470
    assert laid.eur_per_kwh * 1000 == pytest.approx(np.repeat(np.arange(5.0, 13.0), 96))


def test_weather_of_whole_hours_holds_for_four_quarters(tmp_path: Path) -> None:
    file = tmp_path / "weather.csv"
    file.write_text(
        "utc,sun_w_per_m2,outside_c\n2026-07-01T09:00:00Z,400,\n2026-07-01T10:00:00Z,500,21\n"
    )

    told = read_weather(file, Quarter.parse("2026-07-01T09:30:00Z").start_s, 8)

    assert told.sun_w_per_m2[:6].tolist() == [400, 400, 500, 500, 500, 500]
    assert np.isnan(told.sun_w_per_m2[6:]).all()
    assert np.isnan(told.outside_c[:2]).all()
    assert told.outside_c[2:6].tolist() == [21] * 4


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("utc,ghi\n", "needs utc and sun_w_per_m2"),
        ("utc,sun_w_per_m2\n2026-07-01T09:00:00Z,9999\n", "give 0 to 1500"),
        ("utc,sun_w_per_m2\nnoon,9\n", "no instant"),
        ("sun_w_per_m2,utc\n9\n", "line 2: utc is '', which is no instant"),
        ("utc,sun_w_per_m2\n2020-07-01T09:00:00Z,9\n", "tells no sunlight on the days"),
    ],
)
def test_weather_that_cannot_be_used_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "weather.csv"
    file.write_text(text)

    with pytest.raises(InputError, match=wrong):
        read_weather(file, Quarter.parse("2026-07-01T09:30:00Z").start_s, 8)
