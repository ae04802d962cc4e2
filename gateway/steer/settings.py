"""One ``[[battery]]`` of the gateway's settings: where it is, how it is steered, what it may do."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.modbus.line import LinkSettings
from gateway.modbus.settings import profile_named, read_link
from gateway.steer.limits import PHASES, Limits
from gateway.steer.wish import FULL_POWER_S
from hardware.profile import Profile
from kwartier.errors import SettingsError
from kwartier.identity import DeviceId
from kwartier.settings import Table


@dataclass(frozen=True, slots=True)
class SteeredDevice:
    """A battery that takes schedules, and what it and its connection can bear.

    Attributes:
        device: Its name on this gateway.
        link: Where it is.
        unit: Its unit id.
        limits: What no message can lift.
        profile: How it is read and steered; None for SunSpec.
        meter: The ``[[p1]]`` of its connection; None for the first one.
        stop_without_meter: Whether that meter's silence ends a plan that no limit needs it for.
        turned: Whether it tells charging as discharging: then it is read and never steered, as
            nobody knows which way it would take a set-point.
    """

    device: DeviceId
    link: LinkSettings
    unit: int
    limits: Limits
    profile: Profile | None = None
    meter: DeviceId | None = None
    stop_without_meter: bool = True
    turned: bool = False


def read_battery(row: Table) -> SteeredDevice:
    """Return one battery; every key of its table is taken.

    Raises:
        InputError: A name cannot be one.
        SettingsError: A key is wrong, or the profile tells no way to steer; the key is named.
    """
    profile = _profile(row)
    device = SteeredDevice(
        row.name("device", "battery"),
        read_link(row, profile),
        row.whole("unit", 1, low=0, high=255),
        _limits(row),
        profile,
        row.name_or_none("meter"),
        row.flag("stop_without_meter", default=True),
        row.flag("turned", default=False),
    )
    row.refuse_the_rest()
    return device


def _limits(row: Table) -> Limits:
    limits = Limits(
        row.whole("charge_max_w", low=0),
        row.whole("discharge_max_w", low=0),
        row.whole("soc_min_permille", 50, low=0, high=1000),
        row.whole("soc_max_permille", 950, low=0, high=1000),
        row.whole("import_max_w", low=0) if "import_max_w" in row.values else None,
        row.whole("export_max_w", low=0) if "export_max_w" in row.values else None,
        row.whole("ramp_w_per_s", low=1) if "ramp_w_per_s" in row.values else None,
        row.whole("fuse_a", low=1, high=1000) if "fuse_a" in row.values else None,
        row.whole("phases", 3, low=1, high=3),
        row.text("phase", "l1"),
        full_power_s=row.whole("full_power_s", FULL_POWER_S, low=0, high=3600),
    )
    if limits.soc_min_permille >= limits.soc_max_permille:
        raise SettingsError(f"{row.place}soc_min_permille is not below soc_max_permille")
    if limits.phases not in {1, 3}:
        raise SettingsError(f"{row.place}phases is {limits.phases}: a battery is on 1 or 3")
    if limits.phase not in PHASES:
        raise SettingsError(f"{row.place}phase is {limits.phase!r}: use {' or '.join(PHASES)}")
    return limits


def _profile(row: Table) -> Profile | None:
    profile = profile_named(row.text_or_none("profile"), row.place)
    if profile is None:
        return None
    if profile.control is None:
        raise SettingsError(f"{row.place}profile: {profile.name} tells no way to steer it")
    if not profile.control.steerable:
        why = profile.control.why_not
        raise SettingsError(
            f"{row.place}profile: {profile.name} is not steered: {why}; read it instead"
        )
    return profile
