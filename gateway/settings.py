"""The gateway's settings, from one TOML file; docs/settings.md lists every key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.care.settings import CareSettings, read_care
from gateway.enrol.settings import IdentitySettings, read_identity
from gateway.home_assistant import HomeAssistantSettings, read_home_assistant
from gateway.modbus.line import LinkSettings
from gateway.modbus.settings import ProxySettings, profile_named, read_link, read_proxy
from gateway.p1.settings import P1Line, read_p1
from gateway.steer.settings import SteeredDevice, read_battery
from gateway.steer.solar_settings import (
    LimitedInverter,
    batteries_within,
    read_solar_limits,
)
from hardware.profile import Profile
from kwartier.broker import Broker, read_broker
from kwartier.errors import SettingsError
from kwartier.identity import CoopId, DeviceId, GatewayId
from kwartier.metrics_door import Listening, listening_at
from kwartier.settings import Table, read_toml


@dataclass(frozen=True, slots=True)
class ModbusDevice:
    """One device over Modbus, by TCP or on a serial line.

    Attributes:
        device: Its name on this gateway.
        link: Where it is.
        unit: Its unit id.
        profile: How it is read; None for SunSpec.
        every_s: How often [s].
        release_after_poll: Whether the connection is closed after each round.
        turned: Whether its power is told the wrong way round.
    """

    device: DeviceId
    link: LinkSettings
    unit: int
    profile: Profile | None
    every_s: float
    release_after_poll: bool = False
    turned: bool = False


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What a gateway needs to know.

    Attributes:
        coop: The cooperative it belongs to.
        gateway: Its own name.
        broker: Where it publishes.
        folder: Where it keeps what must survive a power cut.
        p1: The meters it reads.
        modbus: The devices it reads.
        batteries: The batteries it reads and steers.
        live_every_s: The shortest time between two live values of a device [s]; 0 for none.
        care: What may be changed from afar.
        modbus_proxy: The door for the resident's own programs; None where there is none.
        home_assistant: Where the resident's Home Assistant listens; None for nowhere.
        commissioned_file: Says whether signs and live test passed; before that no battery is
            steered. None where the settings were written by hand: batteries are steered.
        identity: The certificate that is renewed; None where there is none to renew.
        solar_limits: The inverters that are limited when the connection gives too much.
        metrics: Where it answers Prometheus; None for nowhere.
    """

    coop: CoopId
    gateway: GatewayId
    broker: Broker
    folder: Path
    p1: tuple[P1Line, ...]
    modbus: tuple[ModbusDevice, ...]
    batteries: tuple[SteeredDevice, ...]
    live_every_s: float = 1.0
    care: CareSettings = field(default_factory=CareSettings)
    modbus_proxy: ProxySettings | None = None
    home_assistant: HomeAssistantSettings | None = None
    commissioned_file: Path | None = None
    identity: IdentitySettings | None = None
    solar_limits: tuple[LimitedInverter, ...] = ()
    metrics: Listening | None = None


def read_settings(path: Path) -> GatewaySettings:
    """Return the settings of a TOML file; files named in it are sought beside it.

    Raises:
        SettingsError: A file is away or a key is wrong; file and key are named.
    """
    return read_toml(path, lambda top: _settings(top, path.parent))


def settings_of(values: Mapping[str, object], folder: Path) -> GatewaySettings:
    """Return the settings of TOML that was parsed already; files are sought in ``folder``.

    Raises:
        InputError: A name cannot be one.
        SettingsError: A file is away or a key is wrong; the key is named.
    """
    return _settings(Table(values), folder)


def _settings(top: Table, folder: Path) -> GatewaySettings:
    modbus = tuple(_modbus(row) for row in top.tables("modbus", 64))
    batteries = tuple(read_battery(row) for row in top.tables("battery", 16))
    meters = tuple(read_p1(row, folder) for row in top.tables("p1", 16))
    behind = [line.device for line in meters]
    solar_limits = read_solar_limits(top.tables("solar_limit", 16), modbus, behind)
    commissioned = top.text_or_none("commissioned_file")
    settings = GatewaySettings(
        top.name("coop"),
        top.name("gateway"),
        read_broker(top.table("broker"), folder),
        folder / top.text("folder", "."),
        meters,
        modbus,
        batteries_within(batteries, solar_limits, behind),
        live_every_s=top.number("live_every_s", 1.0, high=3600.0),
        care=read_care(top.table("care"), folder),
        home_assistant=read_home_assistant(top.table("home_assistant"), folder),
        modbus_proxy=read_proxy(
            top,
            {one.device: (one.link, one.unit) for one in modbus}
            | {one.device: (one.link, one.unit) for one in batteries},
        ),
        commissioned_file=None if commissioned is None else folder / commissioned,
        identity=read_identity(top.table("identity"), folder),
        solar_limits=solar_limits,
        metrics=listening_at(top.text_or_none("metrics"), "metrics"),
    )
    if not settings.folder.is_dir():
        raise SettingsError(f"folder: there is no folder {settings.folder}: make it first")
    names = [
        *(line.device for line in settings.p1),
        *(device.device for device in settings.modbus),
        *(battery.device for battery in settings.batteries),
    ]
    if not names:
        raise SettingsError("there is no [[p1]], [[modbus]] or [[battery]]: name a device to read")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise SettingsError(f"device {twice[0]!r} stands there twice: give each its own name")
    known = {line.device for line in settings.p1}
    lost = [one for one in batteries if one.meter is not None and one.meter not in known]
    if lost:
        raise SettingsError(f"battery {lost[0].device!r}: there is no [[p1]] {lost[0].meter!r}")
    top.refuse_the_rest()
    return settings


def _modbus(row: Table) -> ModbusDevice:
    profile = profile_named(row.text_or_none("profile"), row.place)
    device = ModbusDevice(
        row.name("device"),
        read_link(row, profile),
        row.whole("unit", 1, low=0, high=255),
        profile,
        row.number("every_s", 10.0, high=3600.0),
        row.flag("release_after_poll", default=False),
        row.flag("turned", default=False),
    )
    row.refuse_the_rest()
    return device
