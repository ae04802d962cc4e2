"""What the Dutch weather service KNMI measured by the hour, at one of its stations.

Hour 5 of a row runs from 04.00 to 05.00 UTC, so hour 24 ends at midnight. Radiation is a sum over
that hour in J/cm², temperature that at its end in 0.1 °C, wind its mean in 0.1 m/s.

Source:
    The explanation at the head of KNMI's own hourly files; daggegevens.knmi.nl. Open data of KNMI,
    to be named as their source.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from collectors.answers import AnswerError, NothingToldError, is_whole, shown
from collectors.outside import FarSide, Patience
from collectors.weather.model import MAX_SPANS, Measure, Span, Weather, weather
from collectors.weather.values import number_of, utc_s, wall_time
from kwartier.units import EpochS

WHO = "KNMI"
BASE_URL = "https://www.daggegevens.knmi.nl"
PATH = "/klimatologie/uurgegevens"
HOUR_S = 3600
_DAYS = 3


class Knmi:
    """A source of measured weather at one station; about a day late."""

    name = "knmi"

    def __init__(
        self,
        station: int,
        base_url: str = BASE_URL,
        patience: Patience | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to ask for a station, such as 260 for De Bilt; nothing is sent yet."""
        self._station = station
        self._far = FarSide(WHO, base_url, patience, pause)

    def close(self) -> None:
        """Close the connections."""
        self._far.close()

    def fetch(self, now_s: float) -> Weather:
        """Return what was measured in the last days; raises as every source of weather does."""
        today = datetime.fromtimestamp(now_s, UTC)
        fields = {
            "stns": str(self._station),
            "vars": "T:Q:FH",
            "start": f"{today - timedelta(days=_DAYS):%Y%m%d}01",
            "end": f"{today:%Y%m%d}24",
        }
        body = self._far.whole(self._far.post_form(PATH, fields), "measured hours")
        return parse_knmi(body, int(now_s), self._station)


def parse_knmi(body: bytes, issued_s: EpochS, station: int | None = None) -> Weather:
    """Return what a text of KNMI holds; it came at ``issued_s`` [s].

    Args:
        body: The text: remarks after ``#``, one of them the names of the columns.
        issued_s: When it came.
        station: Which station; None where it is of one only.

    Raises:
        NothingToldError: It holds no row of the station.
        AnswerError: It has no shape that is known here, or is of several stations.
    """
    names: list[str] = []
    found: dict[Measure, list[Span]] = {}
    stations: set[str] = set()
    rows = 0
    for line in body.decode("utf-8", "replace").splitlines():
        cells = [cell.strip() for cell in line.lstrip("# ").split(",")]
        if line.startswith("#"):
            names = cells if cells[:2] == ["STN", "YYYYMMDD"] else names
            continue
        if not line.strip():
            continue
        if not names or len(cells) != len(names):
            raise AnswerError(
                f"{WHO}'s text: a row of {len(cells)} values under {len(names)} names: "
                f"{shown(line[:60])}"
            )
        row = dict(zip(names, cells, strict=True))
        if station is not None and row["STN"] != str(station):
            continue
        stations.add(row["STN"])
        rows += 1
        if rows > MAX_SPANS or len(stations) > 1:
            raise AnswerError(f"{WHO}'s text is of several stations, or too long: ask for one")
        _add(found, row)
    if not found:
        raise NothingToldError(f"{WHO} has measured nothing for this time yet")
    return weather(WHO, issued_s, found)


def _add(found: dict[Measure, list[Span]], row: Mapping[str, str]) -> None:
    end_s = _end_s(row)
    start_s = end_s - HOUR_S
    if (tenths_c := number_of(row.get("T"), WHO)) is not None:
        found.setdefault(Measure.TEMPERATURE_C, []).append(Span(end_s, end_s, tenths_c / 10))
    if (j_per_cm2 := number_of(row.get("Q"), WHO)) is not None:
        mean = Span(start_s, end_s, j_per_cm2 * 10_000 / HOUR_S)
        found.setdefault(Measure.GHI_W_M2, []).append(mean)
    if (tenths := number_of(row.get("FH"), WHO)) is not None:
        found.setdefault(Measure.WIND_M_S, []).append(Span(start_s, end_s, tenths / 10))


def _end_s(row: Mapping[str, str]) -> EpochS:
    hour = row.get("HH", row.get("H", ""))
    if not is_whole(hour, 2) or not 1 <= int(hour) <= 24:
        raise AnswerError(f"{WHO}'s text: hour {shown(hour)} is not one of 1 to 24")
    return utc_s(wall_time(row["YYYYMMDD"], "%Y%m%d", WHO)) + int(hour) * HOUR_S
