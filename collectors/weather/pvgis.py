"""Sunlight of past years from PVGIS, for a slope that was asked for: hourly, JSON or CSV.

Its stamps are in UTC and name the minute of the satellite's picture; sunlight and power are those
of that instant, as is the temperature. Where sunlight comes in three parts they are added up.

Source:
    PVGIS of the Joint Research Centre, interface ``seriescalc``. © European Union, reuse allowed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from collectors.answers import (
    AnswerError,
    NothingToldError,
    RefusedError,
    Told,
    json_object,
    json_rows,
    shown,
)
from collectors.outside import FarSide, Patience
from collectors.weather.model import MAX_SPANS, Measure, Span, Weather, weather
from collectors.weather.values import number_of, table_of, utc_s, wall_time
from kwartier.units import EpochS

WHO = "PVGIS"
BASE_URL = "https://re.jrc.ec.europa.eu"
PATH = "/api/v5_2/seriescalc"
_STAMP = "%Y%m%d:%H%M"
_PARTS = ("Gb(i)", "Gd(i)", "Gr(i)")
_OTHERS = {
    "G(i)": Measure.PLANE_W_M2,
    "T2m": Measure.TEMPERATURE_C,
    "WS10m": Measure.WIND_M_S,
    "P": Measure.SOLAR_W,
}


class Pvgis:
    """A source of one past year on one slope."""

    name = "pvgis"

    def __init__(
        self,
        latitude: float,
        longitude: float,
        year: int,
        slope: int = 0,
        azimuth: int = 0,
        base_url: str = BASE_URL,
        patience: Patience | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to ask for a place, a slope and an azimuth (0 is south) [degrees]."""
        self._question = {
            "lat": f"{latitude:.3f}",
            "lon": f"{longitude:.3f}",
            "startyear": str(year),
            "endyear": str(year),
            "angle": str(slope),
            "aspect": str(azimuth),
            "outputformat": "json",
        }
        self._far = FarSide(WHO, base_url, patience, pause)

    def close(self) -> None:
        """Close the connections."""
        self._far.close()

    def fetch(self, now_s: float) -> Weather:
        """Return the year; raises as every source of weather does."""
        body = self._far.whole(self._far.get(PATH, self._question), "a year of sunlight")
        return parse_pvgis(body, int(now_s))


def parse_pvgis(body: bytes, issued_s: EpochS) -> Weather:
    """Return what an answer holds, JSON or CSV; it came at ``issued_s`` [s].

    Raises:
        NothingToldError: It is well formed and holds no row.
        RefusedError: The service refused the question.
        AnswerError: It has no shape that is known here.
    """
    rows = _json_rows(body) if body.lstrip()[:1] == b"{" else list(_csv_rows(body))
    found: dict[Measure, list[Span]] = {}
    for row in rows:
        at_s = utc_s(wall_time(row.get("time"), _STAMP, WHO))
        for measure, value in _values(row):
            found.setdefault(measure, []).append(Span(at_s, at_s, value))
    if not found:
        raise NothingToldError(f"{WHO}'s answer holds no row")
    return weather(WHO, issued_s, found)


def _values(row: Mapping[str, Told]) -> Iterator[tuple[Measure, float]]:
    for name, measure in _OTHERS.items():
        value = number_of(row.get(name), WHO)
        if value is not None:
            yield measure, value
    parts = [number_of(row.get(name), WHO) for name in _PARTS]
    told = [part for part in parts if part is not None]
    if "G(i)" not in row and len(told) == len(_PARTS):
        yield Measure.PLANE_W_M2, sum(told)


def _json_rows(body: bytes) -> list[dict[str, Told]]:
    told = json_object(body, WHO)
    if "outputs" not in told and "message" in told:
        raise RefusedError(f"{WHO} refused the question: {shown(told['message'])}")
    outputs = table_of(told, "outputs", WHO)
    return json_rows(outputs.get("hourly"), "hourly", WHO, MAX_SPANS)


def _csv_rows(body: bytes) -> Iterator[dict[str, Told]]:
    """Yield the rows between the line of names and the empty line after them."""
    names: list[str] = []
    for count, line in enumerate(body.decode("utf-8", "replace").splitlines()):
        cells = [cell.strip() for cell in line.split(",")]
        if not names:
            names = cells if cells[0] == "time" else names
            continue
        if not line.strip():
            return
        if len(cells) != len(names) or count > MAX_SPANS:
            raise AnswerError(f"{WHO}'s answer: line {count + 1} has {len(cells)} values")
        yield dict(zip(names, cells, strict=True))
    if not names:
        raise AnswerError(f"{WHO}'s answer has no line of names that begins with 'time'")
