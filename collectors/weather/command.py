"""``kwartier weather``: try a source of weather out, or read an answer that was kept."""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from kwartier.cli import Command, print_json
from kwartier.errors import InputError, TemporaryError, UsageError

if TYPE_CHECKING:
    from collectors.weather.fetching import WeatherSource
    from collectors.weather.model import Weather

SOURCES = ("open-meteo", "forecast-solar", "knmi", "pvgis")


def _arguments(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    fetch = words.add_parser("fetch", help="ask one source")
    fetch.add_argument("--source", required=True, choices=SOURCES)
    fetch.add_argument("--latitude", type=float, default=52.1, help="(default %(default)s)")
    fetch.add_argument("--longitude", type=float, default=5.18, help="(default %(default)s)")
    fetch.add_argument("--station", type=int, default=260, help="of knmi (default De Bilt, 260)")
    fetch.add_argument("--slope", type=int, default=30, help="of panels (default %(default)s)")
    fetch.add_argument("--azimuth", type=int, default=0, help="-90 east, 0 south, 90 west")
    fetch.add_argument("--peak-kw", type=float, default=1.0, help="of panels (default %(default)s)")
    fetch.add_argument("--year", type=int, help="of pvgis, such as 2020")
    decode = words.add_parser("decode", help="read an answer that was kept in a file")
    decode.add_argument("file", type=Path, help="JSON, CSV or text as a source gave it")
    decode.add_argument("--source", required=True, choices=SOURCES)


def _run(chosen: argparse.Namespace) -> int:
    if chosen.word == "decode":
        told = _kept(chosen.source, chosen.file)
    else:
        with closing(_source(chosen)) as source:
            told = source.fetch(time.time())
    print_json(_answer(told))
    return 0


def _source(chosen: argparse.Namespace) -> WeatherSource:
    from collectors.weather.forecast_solar import ForecastSolar
    from collectors.weather.knmi import Knmi
    from collectors.weather.open_meteo import OpenMeteo
    from collectors.weather.pvgis import Pvgis

    place = (
        _degrees("--latitude", chosen.latitude, 90),
        _degrees("--longitude", chosen.longitude, 180),
    )
    if chosen.source == "open-meteo":
        return OpenMeteo(*place)
    if chosen.source == "forecast-solar":
        return ForecastSolar(*place, chosen.slope, chosen.azimuth, chosen.peak_kw)
    if chosen.source == "knmi":
        return Knmi(chosen.station)
    if chosen.year is None:
        raise UsageError("--source pvgis: say which past year with --year")
    return Pvgis(*place, chosen.year, chosen.slope, chosen.azimuth)


def _degrees(option: str, value: float, most: int) -> float:
    if not -most <= value <= most:
        raise UsageError(f"{option} {value:g}: give degrees between -{most} and {most}")
    return value


def _kept(source: str, path: Path) -> Weather:
    from collectors.outside import MAX_ANSWER_BYTES
    from collectors.weather.forecast_solar import parse_forecast_solar
    from collectors.weather.knmi import parse_knmi
    from collectors.weather.open_meteo import parse_open_meteo
    from collectors.weather.pvgis import parse_pvgis

    try:
        with path.open("rb") as file:
            body = file.read(MAX_ANSWER_BYTES + 1)
        kept_s = int(path.stat().st_mtime)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if len(body) > MAX_ANSWER_BYTES:
        raise InputError(f"{path}: is longer than {MAX_ANSWER_BYTES} bytes: cut it by year")
    parse = {
        "open-meteo": parse_open_meteo,
        "forecast-solar": parse_forecast_solar,
        "knmi": parse_knmi,
        "pvgis": parse_pvgis,
    }[source]
    try:
        return parse(body, kept_s)
    except (InputError, TemporaryError) as error:
        raise InputError(f"{path}: {error}") from error


def _answer(told: Weather) -> dict[str, object]:
    from kwartier.interval import instant_text

    return {
        "source": told.source,
        "issued": instant_text(told.issued_s),
        "measures": {
            measure.value: [
                {
                    "from": instant_text(span.start_s),
                    "to": instant_text(span.end_s),
                    "value": round(span.value, 3),
                }
                for span in spans
            ]
            for measure, spans in told.spans.items()
        },
    }


WEATHER = Command(
    summary="try a source of weather out, or read an answer that was kept",
    example="kwartier weather fetch --source open-meteo --latitude 52.09 --longitude 5.12",
    extra="collect",
    configure=_arguments,
    run=_run,
)
