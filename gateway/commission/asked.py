"""What a device says when it is asked who it is; nothing is written to it."""

from __future__ import annotations

from gateway.commission.found import Found, Kind
from gateway.modbus.link import ModbusUnit
from gateway.steer.profile_steering import find_profile_steering
from gateway.steer.steering import Ratings, Steering, find_steering
from hardware.profile import Profile
from hardware.profile_reader import ProfileReader
from hardware.sunspec import Chain, read_model
from kwartier.errors import KwartierError

_STORES = (713, 802, 803, 124)
_INVERTERS = (101, 102, 103, 111, 112, 113, 701)
_METERS = (201, 202, 203, 204, 211, 212, 213, 214)


def by_sunspec(unit: ModbusUnit, chain: Chain) -> Found:
    """Return a device that shows SunSpec models; who asked fills in where it is.

    Raises:
        TemporaryError: It cannot be reached any more.
    """
    common = chain.first(1)
    points = {} if common is None else read_model(unit, common).points
    ratings = Ratings(None, None)
    if chain.first(704, 124) is not None and chain.first(*_STORES) is not None:
        kind, series = Kind.BATTERY, "battery_w"
        ratings = _ratings(find_steering(unit, chain))
    elif chain.first(*_INVERTERS) is not None:
        kind, series = Kind.SOLAR, "solar_w"
    elif chain.first(*_METERS) is not None:
        kind, series = Kind.METER, ""
    else:
        kind, series = Kind.OTHER, ""
    return Found(
        "",
        kind,
        "",
        0,
        0,
        _text(points.get("Mn")),
        _text(points.get("Md")),
        _text(points.get("SN"))[-4:],
        series=series,
        charge_max_w=ratings.charge_max_w or 0,
        discharge_max_w=ratings.discharge_max_w or 0,
    )


def by_profile(unit: ModbusUnit, profile: Profile) -> Found:
    """Return a device that a profile describes; who asked fills in where it is.

    One whose profile says how it is steered is a battery, also where it has panels too.

    Raises:
        TemporaryError: It cannot be reached any more.
    """
    values = ProfileReader(profile, unit).read()
    stored = {rule.series for rule in profile.series}
    control = profile.control
    charge_max_w = discharge_max_w = 0
    if control is not None and control.steerable and "battery_w" in stored:
        kind, series = Kind.BATTERY, "battery_w"
        ratings = _ratings(find_profile_steering(unit, profile))
        charge_max_w = _most(ratings.charge_max_w, control.power_max_w)
        discharge_max_w = _most(ratings.discharge_max_w, control.power_max_w)
    elif "solar_w" in stored:
        kind, series = Kind.SOLAR, "solar_w"
    elif "battery_w" in stored:
        kind, series = Kind.BATTERY, "battery_w"
    else:
        kind, series = Kind.OTHER, ""
    return Found(
        "",
        kind,
        "",
        0,
        0,
        profile.title,
        _text(values.get("model")),
        _text(values.get("serial"))[-4:],
        profile.name,
        profile.status.value,
        profile.requires,
        series,
        charge_max_w,
        discharge_max_w,
    )


def _ratings(steering: Steering | None) -> Ratings:
    try:
        return Ratings(None, None) if steering is None else steering.ratings()
    except KwartierError:
        return Ratings(None, None)


def _most(said_w: int | None, power_max_w: int) -> int:
    """Return what a battery can do: what it says, within what its registers take [W]."""
    return power_max_w if said_w is None else min(said_w, power_max_w)


def _text(value: object) -> str:
    return value.strip()[:60] if isinstance(value, str) else ""
