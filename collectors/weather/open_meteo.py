"""The forecast of Open-Meteo, without an account: by the quarter-hour, of many weather services.

Radiation named ``…_instant`` is that of its stamp; any other is the mean of the interval that ends
there. Temperature, wind and clouds are those of the stamp. Asked in GMT; an answer in another zone
says how far its clock is ahead.

Source:
    open-meteo.com/en/docs. Data CC BY 4.0, free for non-commercial use.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from collectors.answers import AnswerError, NothingToldError, RefusedError, Told, json_object, shown
from collectors.outside import FarSide, Patience
from collectors.weather.model import MAX_SPANS, Measure, Span, Weather, weather
from collectors.weather.values import list_of, number_of, table_of, utc_s, wall_time
from kwartier.units import EpochS

WHO = "Open-Meteo"
BASE_URL = "https://api.open-meteo.com"
PATH = "/v1/forecast"
STEPS_S = {"minutely_15": 900, "hourly": 3600}

_MEASURES = {
    "shortwave_radiation": Measure.GHI_W_M2,
    "diffuse_radiation": Measure.DHI_W_M2,
    "direct_normal_irradiance": Measure.DNI_W_M2,
    "temperature_2m": Measure.TEMPERATURE_C,
    "wind_speed_10m": Measure.WIND_M_S,
    "cloud_cover": Measure.CLOUD_PERCENT,
}
_RADIATION = {Measure.GHI_W_M2, Measure.DHI_W_M2, Measure.DNI_W_M2}
_FACTORS = {"W/m²": 1.0, "°C": 1.0, "%": 1.0, "m/s": 1.0, "km/h": 1 / 3.6}
_INSTANT = "_instant"


class OpenMeteo:
    """A source of forecasts for one place."""

    name = "open-meteo"

    def __init__(
        self,
        latitude: float,
        longitude: float,
        base_url: str = BASE_URL,
        patience: Patience | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to ask for a place [degrees]; nothing is sent yet."""
        self._place = {"latitude": f"{latitude:.2f}", "longitude": f"{longitude:.2f}"}
        self._far = FarSide(WHO, base_url, patience, pause)

    def close(self) -> None:
        """Close the connections."""
        self._far.close()

    def fetch(self, now_s: float) -> Weather:
        """Return the newest forecast, three days from today on.

        Raises:
            NothingToldError: It has none.
            SourceDownError: It cannot be asked now.
            RefusedError: It refuses to be asked this.
            AnswerError: It answers in a way that is not known here.
        """
        question = {
            **self._place,
            "minutely_15": ",".join(_MEASURES),
            "wind_speed_unit": "ms",
            "timezone": "GMT",
            "forecast_days": "3",
        }
        body = self._far.whole(self._far.get(PATH, question), "a forecast")
        return parse_open_meteo(body, int(now_s))


def parse_open_meteo(body: bytes, issued_s: EpochS) -> Weather:
    """Return the forecast of an answer that came at ``issued_s`` [s]; raises as ``fetch`` does."""
    told = json_object(body, WHO)
    if told.get("error"):
        raise RefusedError(f"{WHO} refused the question: {shown(told.get('reason'))}")
    offset = number_of(told.get("utc_offset_seconds", "0"), WHO)
    found: dict[Measure, list[Span]] = {}
    for name, step_s in STEPS_S.items():
        if name in told:
            units = table_of(told, f"{name}_units", WHO)
            for measure, spans in _section(
                table_of(told, name, WHO), units, step_s, int(offset or 0)
            ).items():
                found.setdefault(measure, spans)
    if not found:
        raise NothingToldError(f"{WHO}'s answer holds no measure that is used here")
    return weather(WHO, issued_s, found)


def _section(
    rows: Mapping[str, Told], units: Mapping[str, Told], step_s: int, offset_s: int
) -> dict[Measure, list[Span]]:
    stamps = [_at_s(text, units, offset_s) for text in list_of(rows, "time", WHO, MAX_SPANS)]
    found: dict[Measure, list[Span]] = {}
    for name, measure in _MEASURES.items():
        for column in (name, name + _INSTANT):
            if column in rows and measure not in found:
                mean = measure in _RADIATION and not column.endswith(_INSTANT)
                values = list_of(rows, column, WHO, MAX_SPANS)
                factor = _factor(units.get(column), column)
                found[measure] = _spans(stamps, values, factor, step_s if mean else 0)
    return found


def _spans(stamps: list[EpochS], values: list[Told], factor: float, length_s: int) -> list[Span]:
    if len(stamps) != len(values):
        raise AnswerError(f"{WHO}'s answer has {len(values)} values for {len(stamps)} stamps")
    told = [(at_s, number_of(value, WHO)) for at_s, value in zip(stamps, values, strict=True)]
    return [
        Span(at_s - length_s, at_s, value * factor) for at_s, value in told if value is not None
    ]


def _factor(unit: Told, column: str) -> float:
    factor = _FACTORS.get(unit) if isinstance(unit, str) else None
    if factor is None:
        raise AnswerError(f"{WHO}'s answer: {column} is in {shown(unit)}, which is not known here")
    return factor


def _at_s(text: Told, units: Mapping[str, Told], offset_s: int) -> EpochS:
    if units.get("time") == "unixtime":
        at = number_of(text, WHO)
        if at is None:
            raise AnswerError(f"{WHO}'s answer: a stamp is empty")
        return int(at)
    return utc_s(wall_time(text, "%Y-%m-%dT%H:%M", WHO), offset_s)
