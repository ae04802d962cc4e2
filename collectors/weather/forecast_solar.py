"""The forecast of Forecast.Solar: what some panels will make, by the hour, without an account.

Its stamps are wall times of the panels' place, without offset; the answer names the zone. The
energy of a period stands at the period's end; the first stamp of an answer has no period.

Source:
    doc.forecast.solar (interface ``estimate``); asked without an account at most 12 times an hour.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collectors.answers import (
    AnswerError,
    NothingToldError,
    RefusedError,
    SourceDownError,
    Told,
    json_object,
    shown,
)
from collectors.outside import FarSide, Patience
from collectors.weather.model import MAX_SPANS, Measure, Span, Weather, weather
from collectors.weather.values import number_of, table_of, wall_time
from kwartier.interval import Zone, epoch_s
from kwartier.units import EpochS

WHO = "Forecast.Solar"
BASE_URL = "https://api.forecast.solar"
_STAMP = "%Y-%m-%d %H:%M:%S"


class ForecastSolar:
    """A source of forecasts for one roof."""

    name = "forecast-solar"

    def __init__(
        self,
        latitude: float,
        longitude: float,
        slope: int,
        azimuth: int,
        peak_kw: float,
        base_url: str = BASE_URL,
        patience: Patience | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            latitude: Of the panels [degrees].
            longitude: Of the panels [degrees].
            slope: 0 flat to 90 upright [degrees].
            azimuth: -90 east, 0 south, 90 west [degrees].
            peak_kw: What the panels are rated [kW].
            base_url: Where the service is.
            patience: How long it is waited for.
            pause: Waits some seconds.
        """
        self._path = f"/estimate/{latitude:.2f}/{longitude:.2f}/{slope}/{azimuth}/{peak_kw:g}"
        self._far = FarSide(WHO, base_url, patience, pause)

    def close(self) -> None:
        """Close the connections."""
        self._far.close()

    def fetch(self, now_s: float) -> Weather:
        """Return the newest forecast; raises as every source of weather does."""
        body = self._far.whole(self._far.get(self._path, {}), "a forecast")
        return parse_forecast_solar(body, int(now_s))


def parse_forecast_solar(body: bytes, issued_s: EpochS) -> Weather:
    """Return the forecast of an answer that came at ``issued_s`` [s].

    Raises:
        NothingToldError: The answer is well formed and holds no period.
        SourceDownError: The service says that it was asked too often.
        RefusedError: The service refused the question.
        AnswerError: The answer has no shape that is known here.
    """
    told = json_object(body, WHO)
    message = table_of(told, "message", WHO)
    if message.get("code") == "429":
        raise SourceDownError(f"{WHO} was asked too often: {shown(message.get('text'))}")
    if message.get("type") != "success":
        raise RefusedError(f"{WHO} refused the question: {shown(message.get('text'))}")
    zone = _zone(table_of(message, "info", WHO).get("timezone"))
    energies = table_of(table_of(told, "result", WHO), "watt_hours_period", WHO)
    if len(energies) > MAX_SPANS:
        raise AnswerError(f"{WHO}'s answer has {len(energies)} periods: ask for less")
    spans = _spans(energies, zone)
    if not spans:
        raise NothingToldError(f"{WHO} has no forecast for this place: ask again later")
    return weather(WHO, issued_s, {Measure.SOLAR_W: spans})


def _spans(energies: Mapping[str, Told], zone: Zone) -> list[Span]:
    """Return the mean power of each period [W], which ends at its stamp."""
    spans = []
    before_s: EpochS | None = None
    for text, told in energies.items():
        end_s = _at_s(text, zone, before_s)
        energy_wh = number_of(told, WHO)
        if before_s is not None and energy_wh is not None:
            spans.append(Span(before_s, end_s, energy_wh * 3600 / (end_s - before_s)))
        before_s = end_s
    return spans


def _at_s(text: str, zone: Zone, before_s: EpochS | None) -> EpochS:
    """Return the instant of a wall time; one that comes twice is the one after the stamp before."""
    wall = wall_time(text, _STAMP, WHO)
    at_s = epoch_s(wall.replace(tzinfo=zone))
    if before_s is not None and at_s <= before_s:
        at_s = epoch_s(wall.replace(tzinfo=zone, fold=1))
    if before_s is not None and at_s <= before_s:
        raise AnswerError(f"{WHO}'s answer: {shown(text)} stands after a later stamp")
    return at_s


def _zone(told: Told) -> Zone:
    try:
        return ZoneInfo(told if isinstance(told, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise AnswerError(
            f"{WHO}'s answer: the zone of its stamps is {shown(told)}, which is not known"
        ) from error
