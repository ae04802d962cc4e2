"""A small battery and a readable problem that tests bend to their purpose."""

from __future__ import annotations

import copy
from dataclasses import replace

from kwartier.wire import Json
from optimizer.problem import Battery

PLAIN = Battery(
    id="b1",
    soc_min_kwh=0.0,
    soc_max_kwh=10.0,
    soc_start_kwh=0.0,
    charge_max_kw=4.0,
    discharge_max_kw=4.0,
    charge_efficiency=1.0,
    discharge_efficiency=1.0,
)
"""Ten kWh, four kW, no losses, empty."""

OUTSIDE_BAND = replace(PLAIN, soc_min_kwh=8.0, soc_start_kwh=1.0)
"""Seven kWh under its band: two steps of an hour to get back."""


def document() -> dict[str, Json]:
    """Return a problem of four quarters with one home and one battery, as JSON."""
    return copy.deepcopy(_DOCUMENT)


_DOCUMENT: dict[str, Json] = {
    "interval_hours": 0.25,
    "buy_eur_per_kwh": [0.30, 0.20, 0.20, 0.40],
    "sell_eur_per_kwh": [0.10, 0.10, 0.10, 0.10],
    "homes": [
        {
            "id": "h1",
            "load_kw": [4, 4, 4, 40],
            "pv_kw": [0, 24, 0, 0],
            "pv_curtailable": True,
        }
    ],
    "batteries": [
        {
            "id": "b1",
            "soc_min_kwh": 2,
            "soc_max_kwh": 38,
            "soc_start_kwh": 12,
            "soc_end_kwh": 12,
            "charge_max_kw": 15,
            "discharge_max_kw": 15,
            "charge_efficiency": 0.96,
            "discharge_efficiency": 0.955,
            "wear_eur_per_kwh": 0,
        }
    ],
    "grid": {"import_limit_kw": 40.5, "export_limit_kw": 8, "peak_price_eur_per_kw": 0.35},
    "exclusive": False,
}
