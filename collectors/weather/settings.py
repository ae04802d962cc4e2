"""Where weather comes from: the ``[weather]`` of a TOML file; docs/settings.md lists every key."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.weather.fetching import WeatherSource
from collectors.weather.forecast_solar import ForecastSolar
from collectors.weather.knmi import Knmi
from collectors.weather.open_meteo import OpenMeteo
from kwartier.settings import Table


@dataclass(frozen=True, slots=True)
class Roof:
    """Panels whose yield is asked for.

    Attributes:
        slope: 0 flat to 90 upright [degrees].
        azimuth: -90 east, 0 south, 90 west [degrees].
        peak_kw: What they are rated [kW].
    """

    slope: int
    azimuth: int
    peak_kw: float


@dataclass(frozen=True, slots=True)
class WeatherSettings:
    """Where weather comes from.

    Attributes:
        latitude: Of the neighbourhood, north [degrees].
        longitude: Of the neighbourhood, east [degrees].
        every_s: How often a forecast is fetched [s].
        knmi_station: Whose measured hours are kept too; None for none.
        roof: Panels of which Forecast.Solar is asked; None for none.
    """

    latitude: float
    longitude: float
    every_s: float
    knmi_station: int | None = None
    roof: Roof | None = None


def read_weather_settings(table: Table) -> WeatherSettings:
    """Return the settings of ``[weather]``.

    Raises:
        SettingsError: A key is wrong; it is named.
    """
    settings = WeatherSettings(
        table.number("latitude", high=90.0),
        table.number("longitude", high=180.0),
        table.whole("every_hours", 3, low=1, high=24) * 3600.0,
        table.whole("knmi_station", low=200, high=400) if "knmi_station" in table.values else None,
        _roof(table.table("roof")) if "roof" in table.values else None,
    )
    table.refuse_the_rest()
    return settings


def weather_sources(settings: WeatherSettings) -> list[WeatherSource]:
    """Return the sources, not asked yet; they must be closed."""
    place = settings.latitude, settings.longitude
    sources: list[WeatherSource] = [OpenMeteo(*place)]
    if settings.roof is not None:
        roof = settings.roof
        sources.append(ForecastSolar(*place, roof.slope, roof.azimuth, roof.peak_kw))
    if settings.knmi_station is not None:
        sources.append(Knmi(settings.knmi_station))
    return sources


def _roof(table: Table) -> Roof:
    roof = Roof(
        table.whole("slope", 30, low=0, high=90),
        table.whole("azimuth", 0, low=-180, high=180),
        table.number("peak_kw", high=10_000.0),
    )
    table.refuse_the_rest()
    return roof
