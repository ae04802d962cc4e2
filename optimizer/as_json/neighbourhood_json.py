"""Reads cars, heat pumps, machines, groups, calls and sharing from JSON, strictly."""

from __future__ import annotations

from kwartier.errors import InputError
from optimizer.as_json.plan_keys import (
    JsonObject,
    kind_of,
    read_entries,
    read_limit,
    read_name,
    read_names,
    read_number,
    read_object,
    read_series,
    read_step,
)
from optimizer.model.neighbourhood import Call, Group, HeatPump, Run, Session, Sharing
from optimizer.model.runs import MAX_RUNS

MAX_PARTS = 10_000
"""The most cars, heat pumps, groups or calls."""
_SESSION = (
    "id", "home", "arrival", "departure", "energy_kwh", "minimum_kwh", "charge_max_kw",
    "charge_min_kw", "charge_efficiency", "discharge_max_kw", "discharge_efficiency",
    "capacity_kwh", "start_kwh",
)  # fmt: skip
_HEAT_PUMP = (
    "id", "home", "power_max_kw", "power_min_kw", "cop", "capacity_kwh_per_k", "loss_kw_per_k",
    "outside_c", "demand_kw", "start_c", "min_c", "max_c",
)  # fmt: skip
_RUN = ("id", "home", "power_kw", "earliest", "latest_end")
_GROUP = ("id", "homes", "batteries", "import_limit_kw", "export_limit_kw", "shares_kw")
_CALL = (
    "id", "from", "to", "import_limit_kw", "export_limit_kw", "group", "reward_eur_per_kwh",
)  # fmt: skip
_SHARING = ("levy_eur_per_kwh", "price_eur_per_kwh")
_INFINITE = float("inf")


def sessions_in(top: JsonObject) -> list[Session]:
    """Return the cars of a problem."""
    found = []
    for name, body in read_entries(top, "sessions", _SESSION, MAX_PARTS):
        place = f"sessions.{name}."
        capacity = body.get("capacity_kwh")
        found.append(
            Session(
                id=name,
                arrival=read_step(place, body, "arrival"),
                departure=read_step(place, body, "departure"),
                energy_kwh=read_number(place, body, "energy_kwh"),
                charge_max_kw=read_limit(place, body, "charge_max_kw"),
                home=read_name(place, body, "home"),
                minimum_kwh=read_number(place, body, "minimum_kwh", 0.0),
                charge_min_kw=read_number(place, body, "charge_min_kw", 0.0),
                charge_efficiency=read_number(place, body, "charge_efficiency", 1.0),
                discharge_max_kw=read_limit(place, body, "discharge_max_kw", 0.0),
                discharge_efficiency=read_number(place, body, "discharge_efficiency", 1.0),
                capacity_kwh=None if capacity is None else read_number(place, body, "capacity_kwh"),
                start_kwh=read_number(place, body, "start_kwh", 0.0),
            )
        )
    return found


def heat_pumps_in(top: JsonObject) -> list[HeatPump]:
    """Return the heat pumps of a problem."""
    found = []
    for name, body in read_entries(top, "heat_pumps", _HEAT_PUMP, MAX_PARTS):
        place = f"heat_pumps.{name}."
        found.append(
            HeatPump(
                id=name,
                power_max_kw=read_limit(place, body, "power_max_kw"),
                cop=read_limit(place, body, "cop"),
                capacity_kwh_per_k=read_number(place, body, "capacity_kwh_per_k"),
                loss_kw_per_k=read_number(place, body, "loss_kw_per_k"),
                outside_c=read_limit(place, body, "outside_c"),
                start_c=read_number(place, body, "start_c"),
                min_c=read_limit(place, body, "min_c"),
                max_c=read_limit(place, body, "max_c"),
                home=read_name(place, body, "home"),
                power_min_kw=read_number(place, body, "power_min_kw", 0.0),
                demand_kw=read_limit(place, body, "demand_kw", 0.0),
            )
        )
    return found


def runs_in(top: JsonObject) -> list[Run]:
    """Return the machines of a problem."""
    return [
        Run(
            id=name,
            power_kw=read_series(f"runs.{name}.", body, "power_kw"),
            earliest=read_step(f"runs.{name}.", body, "earliest"),
            latest_end=read_step(f"runs.{name}.", body, "latest_end"),
            home=read_name(f"runs.{name}.", body, "home"),
        )
        for name, body in read_entries(top, "runs", _RUN, MAX_RUNS)
    ]


def groups_in(top: JsonObject) -> list[Group]:
    """Return the groups of a problem."""
    found = []
    for name, body in read_entries(top, "groups", _GROUP, MAX_PARTS):
        place = f"groups.{name}."
        homes = read_names(place, body, "homes")
        if not homes:
            raise InputError(f"{place}homes is empty: give the ids of the members")
        found.append(
            Group(
                id=name,
                homes=homes,
                batteries=read_names(place, body, "batteries"),
                import_limit_kw=read_limit(place, body, "import_limit_kw", _INFINITE),
                export_limit_kw=read_limit(place, body, "export_limit_kw", _INFINITE),
                shares_kw=_shares(place, body),
            )
        )
    return found


def calls_in(top: JsonObject) -> list[Call]:
    """Return the calls of a problem."""
    found = []
    for name, body in read_entries(top, "calls", _CALL, MAX_PARTS):
        place = f"calls.{name}."
        found.append(
            Call(
                id=name,
                first=read_step(place, body, "from"),
                last=read_step(place, body, "to"),
                import_limit_kw=read_number(place, body, "import_limit_kw", _INFINITE),
                export_limit_kw=read_number(place, body, "export_limit_kw", _INFINITE),
                group=read_name(place, body, "group"),
                reward_eur_per_kwh=read_number(place, body, "reward_eur_per_kwh", 0.0),
            )
        )
    return found


def sharing_in(top: JsonObject) -> Sharing | None:
    """Return how the homes of a problem share; None where nothing is said of it."""
    body = top.get("sharing")
    if body is None:
        return None
    known = read_object("sharing", body, _SHARING)
    return Sharing(
        read_number("sharing.", known, "levy_eur_per_kwh"),
        read_number("sharing.", known, "price_eur_per_kwh", 0.0),
    )


def _shares(place: str, body: JsonObject) -> dict[str, float]:
    shares = body.get("shares_kw")
    if shares is None:
        return {}
    if not isinstance(shares, dict):
        raise InputError(f"{place}shares_kw is {kind_of(shares)}: give kW by home")
    for home in shares:
        if not home.isprintable():  # and so the id of no home
            raise InputError(
                f"{place}shares_kw has {home[:60]!r}: give shares to the homes of the group"
            )
    return {home: read_number(f"{place}shares_kw.", shares, home) for home in shares}
