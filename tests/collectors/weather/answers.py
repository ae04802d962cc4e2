"""Weather answers of our own making, in the shapes that services were recorded in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from collectors.answers import Told

_UNITS = {"time": "iso8601", "temperature_2m": "°C", "wind_speed_10m": "km/h", "cloud_cover": "%"}


def open_meteo(
    stamps: Sequence[str],
    columns: Mapping[str, Sequence[float | None]],
    section: str = "minutely_15",
    offset_s: int = 0,
) -> bytes:
    """Open-Meteo: columns beside one list of stamps, with their units."""
    units = {name: _UNITS.get(name, "W/m²") for name in ("time", *columns)}
    rows = {"time": list(stamps), **{name: list(column) for name, column in columns.items()}}
    return json.dumps(
        {"utc_offset_seconds": offset_s, f"{section}_units": units, section: rows}
    ).encode()


def forecast_solar(
    periods: Mapping[str, int], zone: str = "Europe/Amsterdam", **message: Told | int
) -> bytes:
    """Forecast.Solar: wall times, energies of the periods that end there."""
    told = {"code": 0, "type": "success", "text": "", "info": {"timezone": zone}, **message}
    return json.dumps({"result": {"watt_hours_period": periods}, "message": told}).encode()


KNMI = b"""# BRON: KNMI
# STN,YYYYMMDD,   HH,   FH,    T,    Q
#
  260,20260701,   12,   30,  215,  252
  260,20260701,   24,     ,  150,    0
"""

PVGIS_JSON = b"""{"outputs": {"hourly": [
 {"time": "20230701:1010", "P": 1187.2, "G(i)": 129.59, "H_sun": 8.06, "T2m": 0.97, "WS10m": 0.9},
 {"time": "20230701:1110", "P": 3950.1, "G(i)": 423.28, "H_sun": 14.8, "T2m": 1.89, "WS10m": 0.6}
]}}"""

PVGIS_CSV = b"""Latitude (decimal degrees):\t52.000
Slope: 30 deg.
time,Gb(i),Gd(i),Gr(i),H_sun,T2m,WS10m,Int
20230701:1010,26.71,8.28,0.21,8.06,3.87,1.22,1.0

Gb(i): Beam (direct) irradiance
PVGIS (c) European Union, 2001-2021
"""
