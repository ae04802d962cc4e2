"""Reads a planning problem from JSON, strictly: what it does not know, it refuses."""

from __future__ import annotations

import numpy as np

from kwartier.errors import InputError
from kwartier.wire import Json
from optimizer.as_json.neighbourhood_json import (
    calls_in,
    groups_in,
    heat_pumps_in,
    runs_in,
    sessions_in,
    sharing_in,
)
from optimizer.as_json.plan_keys import (
    JsonObject,
    read_entries,
    read_flag,
    read_limit,
    read_name,
    read_number,
    read_object,
    read_series,
)
from optimizer.problem import Battery, Grid, Home, Problem, problem_of

MAX_HOMES = 10_000
MAX_BATTERIES = 10_000
_TOP = (
    "interval_hours", "buy_eur_per_kwh", "sell_eur_per_kwh", "homes", "batteries", "grid",
    "exclusive", "end_value_eur_per_kwh", "sessions", "heat_pumps", "runs", "groups", "calls",
    "sharing",
)  # fmt: skip
_HOME = ("id", "load_kw", "pv_kw", "pv_curtailable", "import_limit_kw", "export_limit_kw")
_BATTERY = (
    "id", "soc_min_kwh", "soc_max_kwh", "soc_start_kwh", "soc_end_kwh", "charge_max_kw",
    "discharge_max_kw", "charge_efficiency", "discharge_efficiency", "wear_eur_per_kwh",
    "end_value_eur_per_kwh", "home", "retention_per_hour", "reserve_kwh",
    "reserve_price_eur_per_kwh",
)  # fmt: skip
_PRICE = "reserve_price_eur_per_kwh"
_GRID = ("import_limit_kw", "export_limit_kw", "peak_price_eur_per_kw", "peak_so_far_kw")


def problem_from_json(body: Json) -> Problem:
    """Return the problem of a JSON object, as ``docs/plan.md`` describes it.

    A key that may be left out may also be null. ``end_value_eur_per_kwh`` stands with a battery,
    or at the top for all batteries that do not name their own.

    Raises:
        InputError: A key is missing, unknown, of the wrong kind or length, or its value makes no
            sense; the message names the key and the remedy.
    """
    top = read_object("the problem", body, _TOP)
    buy = read_series("", top, "buy_eur_per_kwh")
    end_value = read_number("", top, "end_value_eur_per_kwh", 0.0)
    homes = read_entries(top, "homes", _HOME, MAX_HOMES)
    batteries = read_entries(top, "batteries", _BATTERY, MAX_BATTERIES)
    grid = top.get("grid")
    return problem_of(
        read_limit("", top, "interval_hours"),
        buy,
        read_series("", top, "sell_eur_per_kwh"),
        [_home(name, home) for name, home in homes],
        [_battery(name, battery, end_value) for name, battery in batteries],
        None if grid is None else _grid(read_object("grid", grid, _GRID)),
        exclusive=read_flag("", top, "exclusive"),
        sessions=sessions_in(top),
        heat_pumps=heat_pumps_in(top),
        runs=runs_in(top),
        groups=groups_in(top),
        calls=calls_in(top),
        sharing=sharing_in(top),
    )


def _home(name: str, home: JsonObject) -> Home:
    place = f"homes.{name}."
    return Home(
        name,
        read_series(place, home, "load_kw"),
        None if home.get("pv_kw") is None else read_series(place, home, "pv_kw"),
        read_flag(place, home, "pv_curtailable"),
        read_limit(place, home, "import_limit_kw", np.inf),
        read_limit(place, home, "export_limit_kw", np.inf),
    )


def _battery(name: str, battery: JsonObject, end_value: float) -> Battery:
    place = f"batteries.{name}."
    _refuse_too_much_kept(place, battery)
    end, price = battery.get("soc_end_kwh"), battery.get(_PRICE)
    return Battery(
        id=name,
        soc_min_kwh=read_limit(place, battery, "soc_min_kwh"),
        soc_max_kwh=read_limit(place, battery, "soc_max_kwh"),
        soc_start_kwh=read_number(place, battery, "soc_start_kwh"),
        charge_max_kw=read_limit(place, battery, "charge_max_kw"),
        discharge_max_kw=read_limit(place, battery, "discharge_max_kw"),
        charge_efficiency=read_number(place, battery, "charge_efficiency"),
        discharge_efficiency=read_number(place, battery, "discharge_efficiency"),
        soc_end_kwh=None if end is None else read_number(place, battery, "soc_end_kwh"),
        end_value_eur_per_kwh=read_number(place, battery, "end_value_eur_per_kwh", end_value),
        wear_eur_per_kwh=read_number(place, battery, "wear_eur_per_kwh", 0.0),
        home=read_name(place, battery, "home"),
        retention_per_hour=read_number(place, battery, "retention_per_hour", 1.0),
        reserve_kwh=read_limit(place, battery, "reserve_kwh", 0.0),
        reserve_price_eur_per_kwh=None if price is None else read_number(place, battery, _PRICE),
    )


def _refuse_too_much_kept(place: str, battery: JsonObject) -> None:
    """Refuse a reserve that the battery never holds: another unit was meant, or another battery."""
    kept = float(np.max(read_limit(place, battery, "reserve_kwh", 0.0)))
    most = float(np.max(read_limit(place, battery, "soc_max_kwh")))
    if kept > max(most, 0.0):
        raise InputError(
            f"{place}reserve_kwh is {kept:g}, above soc_max_kwh {most:g}: lower the one or raise "
            "the other"
        )


def _grid(grid: JsonObject) -> Grid:
    return Grid(
        read_limit("grid.", grid, "import_limit_kw", np.inf),
        read_limit("grid.", grid, "export_limit_kw", np.inf),
        read_number("grid.", grid, "peak_price_eur_per_kw", 0.0),
        read_number("grid.", grid, "peak_so_far_kw", 0.0),
    )
