"""Every service's weather becomes the same model: UTC, W/m², °C, and over which time."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.answers import AnswerError, NothingToldError, RefusedError, SourceDownError
from collectors.outside import Patience
from collectors.weather.fetching import WeatherSource
from collectors.weather.forecast_solar import ForecastSolar, parse_forecast_solar
from collectors.weather.knmi import Knmi, parse_knmi
from collectors.weather.model import Measure, Span, Weather
from collectors.weather.open_meteo import OpenMeteo, parse_open_meteo
from collectors.weather.pvgis import Pvgis, parse_pvgis
from kwartier.errors import KwartierError
from tests.collectors.loopback import Reply, far_side
from tests.collectors.weather.answers import (
    KNMI,
    PVGIS_CSV,
    PVGIS_JSON,
    forecast_solar,
    open_meteo,
)

QUICK = Patience(connect_s=2, silence_s=2, answer_s=20, tries=2, jitter=0)
NOW_S = 1_782_900_000


def ignore(_: float) -> None:
    """Wait for nothing."""


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_open_meteo_tells_means_of_the_interval_before_and_instants() -> None:
    body = open_meteo(
        ["2026-07-01T12:00", "2026-07-01T12:15"],
        {
            "shortwave_radiation": [500, 520.5],
            "direct_normal_irradiance_instant": [600, None],
            "temperature_2m": [-1.5, 21],
            "wind_speed_10m": [18, 36],
        },
    )
    told = parse_open_meteo(body, NOW_S)

    noon = at("2026-07-01T12:00")
    assert told.spans == {
        Measure.GHI_W_M2: (Span(noon - 900, noon, 500), Span(noon, noon + 900, 520.5)),
        Measure.DNI_W_M2: (Span(noon, noon, 600),),
        Measure.TEMPERATURE_C: (Span(noon, noon, -1.5), Span(noon + 900, noon + 900, 21)),
        Measure.WIND_M_S: (Span(noon, noon, 5), Span(noon + 900, noon + 900, 10)),
    }
    assert told.issued_s == NOW_S


def test_open_meteo_may_tell_hours_on_a_clock_that_is_ahead() -> None:
    body = open_meteo(["2026-07-01T14:00"], {"shortwave_radiation": [400]}, "hourly", 7200)

    (span,) = parse_open_meteo(body, NOW_S).spans[Measure.GHI_W_M2]

    assert span == Span(at("2026-07-01T11:00"), at("2026-07-01T12:00"), 400)


def test_forecast_solar_tells_the_energy_of_a_period_at_its_end() -> None:
    body = forecast_solar(
        {"2026-07-01 05:30:00": 0, "2026-07-01 06:00:00": 50, "2026-07-01 07:00:00": 300}
    )
    told = parse_forecast_solar(body, NOW_S)

    assert told.spans[Measure.SOLAR_W] == (
        Span(at("2026-07-01T03:30"), at("2026-07-01T04:00"), 100),
        Span(at("2026-07-01T04:00"), at("2026-07-01T05:00"), 300),
    )


def test_a_wall_time_that_comes_twice_is_the_one_after_the_stamp_before() -> None:
    # On 25 October 2026 the clock goes from 03.00 back to 02.00, at 01.00 UTC.
    body = forecast_solar(
        {"2026-10-25 01:30:00": 0, "2026-10-25 02:30:00": 1, "2026-10-25 03:30:00": 2}
    )
    spans = parse_forecast_solar(body, NOW_S).spans[Measure.SOLAR_W]

    assert [span.end_s - span.start_s for span in spans] == [3600, 7200]
    twice = forecast_solar({"2026-10-25 02:45:00": 0, "2026-10-25 02:30:00": 9})
    (span,) = parse_forecast_solar(twice, NOW_S).spans[Measure.SOLAR_W]
    assert (span.end_s - span.start_s, span.value) == (2700, 12)


def test_knmi_stamps_the_end_of_the_hour_and_hour_24_is_midnight() -> None:
    told = parse_knmi(KNMI, NOW_S)

    noon, midnight = at("2026-07-01T12:00"), at("2026-07-02T00:00")
    # 252 J/cm² an hour are 2,520,000 J/m² in 3600 s: 700 W/m².
    assert told.spans == {
        Measure.TEMPERATURE_C: (Span(noon, noon, 21.5), Span(midnight, midnight, 15)),
        Measure.GHI_W_M2: (Span(noon - 3600, noon, 700), Span(midnight - 3600, midnight, 0)),
        Measure.WIND_M_S: (Span(noon - 3600, noon, 3),),
    }


def test_pvgis_tells_instants_in_utc_as_json_and_as_csv() -> None:
    told, text = parse_pvgis(PVGIS_JSON, NOW_S), parse_pvgis(PVGIS_CSV, NOW_S)

    first = at("2023-07-01T10:10")
    assert told.spans[Measure.PLANE_W_M2][0] == Span(first, first, 129.59)
    assert told.spans[Measure.SOLAR_W][0].value == 1187.2
    (plane,) = text.spans[Measure.PLANE_W_M2]
    assert (plane.start_s, round(plane.value, 9)) == (first, 35.2)
    assert text.spans[Measure.TEMPERATURE_C] == (Span(first, first, 3.87),)


Parse = Callable[[bytes, int], Weather]
NOTHING = open_meteo(["2026-07-01T12:00"], {"rain": [1]})


@pytest.mark.parametrize(
    ("parse", "body", "error", "named"),
    [
        (parse_open_meteo, b'{"error": true, "reason": "no data"}', RefusedError, "no data"),
        (parse_open_meteo, b"{}", NothingToldError, "no measure"),
        (parse_open_meteo, NOTHING, NothingToldError, "no measure"),
        (
            parse_open_meteo,
            open_meteo(["2026-07-01T12:00"], {"temperature_2m": [1]}).replace(b"C", b"F"),
            AnswerError,
            "is in '",
        ),
        (
            parse_open_meteo,
            open_meteo(["2026-07-01T12:00"], {"temperature_2m": [1, 2]}),
            AnswerError,
            "2 values for 1 stamps",
        ),
        (
            parse_open_meteo,
            open_meteo(["2026-07-01T12:00"], {"temperature_2m": [99]}),
            AnswerError,
            "outside -60 to 60",
        ),
        (parse_open_meteo, open_meteo(["noon"], {"cloud_cover": [9]}), AnswerError, "no stamp"),
        (parse_forecast_solar, forecast_solar({}), NothingToldError, "no forecast"),
        (
            parse_forecast_solar,
            forecast_solar({}, type="error", text="bad place"),
            RefusedError,
            "bad place",
        ),
        (parse_forecast_solar, forecast_solar({}, code=429), SourceDownError, "too often"),
        (parse_forecast_solar, forecast_solar({}, "Mars/Base"), AnswerError, "Mars/Base"),
        (
            parse_forecast_solar,
            forecast_solar({"2026-07-01 06:00:00": 1, "2026-07-01 05:00:00": 1}),
            AnswerError,
            "after a later stamp",
        ),
        (parse_knmi, b"# nothing", NothingToldError, "measured nothing"),
        (parse_knmi, b"260,20260701,1,2", AnswerError, "under 0 names"),
        (parse_knmi, KNMI.replace(b"  24,", b"  25,"), AnswerError, "one of 1 to 24"),
        (parse_knmi, KNMI.replace(b"  24,", "  \u00b2,".encode()), AnswerError, "one of 1 to 24"),
        (parse_knmi, KNMI.replace(b"  260,20260701,   24", b"  261,20260701,   24"), AnswerError,
         "several stations"),
        (parse_pvgis, b'{"message": "over the sea"}', RefusedError, "over the sea"),
        (parse_pvgis, b'{"outputs": {"hourly": []}}', NothingToldError, "no row"),
        (parse_pvgis, b"maintenance", AnswerError, "no line of names"),
        (parse_pvgis, PVGIS_CSV.replace(b",1.0", b""), AnswerError, "has 7 values"),
    ],
)  # fmt: skip
def test_what_is_no_weather_is_named(
    parse: Parse, body: bytes, error: type[KwartierError], named: str
) -> None:
    with pytest.raises(error, match=named):
        parse(body, NOW_S)


@pytest.mark.parametrize(
    ("source", "body", "asked"),
    [
        (
            lambda url: OpenMeteo(52.091, 5.122, url, QUICK, ignore),
            open_meteo(["2026-07-01T12:00"], {"temperature_2m": [20]}),
            "/v1/forecast?latitude=52.09&longitude=5.12&minutely_15=shortwave_radiation",
        ),
        (
            lambda url: ForecastSolar(52.091, 5.122, 30, -10, 4.5, url, QUICK, ignore),
            forecast_solar({"2026-07-01 05:30:00": 0, "2026-07-01 06:00:00": 50}),
            "/estimate/52.09/5.12/30/-10/4.5",
        ),
        (lambda url: Knmi(260, url, QUICK, ignore), KNMI, "/klimatologie/uurgegevens"),
        (
            lambda url: Pvgis(52.091, 5.122, 2023, 30, 0, url, QUICK, ignore),
            PVGIS_JSON,
            "/api/v5_2/seriescalc?lat=52.091&lon=5.122&startyear=2023&endyear=2023&angle=30",
        ),
    ],
)
def test_every_service_is_asked_over_the_wire(
    source: Callable[[str], WeatherSource], body: bytes, asked: str
) -> None:
    with far_side(Reply(503), Reply(body=body)) as service:
        place = source(service.url)
        told = place.fetch(NOW_S)
        place.close()

    assert told.spans
    assert service.asked[0].path.startswith(asked)
    if b"BRON" in body:
        fields = service.asked[0].body
        assert fields == b"stns=260&vars=T%3AQ%3AFH&start=2026062801&end=2026070124"


@given(st.binary(max_size=120) | st.text('{}[]":,timeouprsl0159', max_size=60).map(str.encode))
@pytest.mark.parametrize("parse", [parse_open_meteo, parse_forecast_solar, parse_knmi, parse_pvgis])
def test_no_answer_whatever_does_more_than_be_refused(parse: Parse, body: bytes) -> None:
    with pytest.raises(KwartierError):
        parse(body, NOW_S)


FOLDER = os.environ.get("KWARTIER_SAMPLES", "")


@pytest.mark.skipif(not FOLDER, reason="set KWARTIER_SAMPLES to a folder with recorded answers")
@pytest.mark.parametrize(
    ("name", "parse", "measure", "count", "first"),
    [
        ("open-meteo_forecast_15min_2025-02-24.json", parse_open_meteo, Measure.GHI_W_M2, 288,
         "2025-02-23T23:00"),
        ("forecast-solar_estimate_2022-10-24.json", parse_forecast_solar, Measure.SOLAR_W, 23,
         "2022-10-24T06:04"),
        ("knmi_uurgegevens_260_sample.txt", parse_knmi, Measure.TEMPERATURE_C, 4,
         "1951-08-01T01:00"),
        ("pvgis_hourly_sample.csv", parse_pvgis, Measure.PLANE_W_M2, 14, "2016-01-01T00:10"),
        ("pvgis_hourly_sample.json", parse_pvgis, Measure.PLANE_W_M2, 10, "2013-01-01T00:10"),
    ],
)  # fmt: skip
def test_a_recorded_answer_becomes_weather(
    name: str, parse: Parse, measure: Measure, count: int, first: str
) -> None:
    spans = parse((Path(FOLDER) / "weather" / name).read_bytes(), NOW_S).spans[measure]

    assert (len(spans), spans[0].start_s) == (count, at(first))
