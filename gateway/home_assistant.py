"""This home's own values in the resident's own Home Assistant, over the resident's own broker.

Off until a broker is named. Each device announces itself once, retained, in Home Assistant's MQTT
discovery, one message a device; its values follow at most every ten seconds, one topic a value, so
that what a device did not say is not sent. Nothing is subscribed to: that broker gives no orders.

Source:
    Home Assistant, MQTT integration: device discovery payload, sensor (device and state classes).
"""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from kwartier.broker import Broker, Tls, broker_at
from kwartier.clock import Clock
from kwartier.errors import LinkDownError, SettingsError
from kwartier.identity import DeviceId, GatewayId, checked_name
from kwartier.mqtt import MqttBus, Session, Will
from kwartier.reading import Reading
from kwartier.series import SERIES, Kind
from kwartier.settings import Table, read_secret

_log = logging.getLogger(__name__)

_EVERY_S = 10.0
_EXPIRE_S = 300
"""After so long without a value Home Assistant shows it as unavailable [s]."""
_HERE, _GONE = b"online", b"offline"


@dataclass(frozen=True, slots=True)
class HomeAssistantSettings:
    """Where the resident's Home Assistant listens.

    Attributes:
        broker: The resident's own broker.
        prefix: The first word of the topics on which devices announce themselves.
    """

    broker: Broker
    prefix: str = "homeassistant"


@dataclass(frozen=True, slots=True)
class _Quantity:
    """How a unit of ours is shown: its class, its unit there, and what one of ours is of that."""

    device_class: str
    unit: str
    per_one: Decimal = Decimal(1)


_QUANTITIES = {
    "wh": _Quantity("energy", "Wh"),
    "w": _Quantity("power", "W"),
    "dv": _Quantity("voltage", "V", Decimal("0.1")),
    "ma": _Quantity("current", "A", Decimal("0.001")),
    "permille": _Quantity("battery", "%", Decimal("0.1")),
    "kj": _Quantity("energy", "GJ", Decimal("0.000001")),
}
_VOLUMES = {
    "gas_dm3": _Quantity("gas", "m³", Decimal("0.001")),
    "water_dm3": _Quantity("water", "m³", Decimal("0.001")),
}
_NAMES = {
    "import_wh": "Grid import",
    "export_wh": "Grid export",
    "import_t1_wh": "Grid import tariff 1",
    "import_t2_wh": "Grid import tariff 2",
    "export_t1_wh": "Grid export tariff 1",
    "export_t2_wh": "Grid export tariff 2",
    "produced_wh": "Solar production",
    "charged_wh": "Battery charged",
    "discharged_wh": "Battery discharged",
    "gas_dm3": "Gas",
    "water_dm3": "Water",
    "heat_kj": "Heat",
    "cold_kj": "Cold",
    "import_w": "Grid import power",
    "export_w": "Grid export power",
    "solar_w": "Solar power",
    "battery_w": "Battery power",
    "soc_permille": "Battery level",
    "setpoint_w": "Battery set-point",
    **{
        f"{way}_l{phase}_w": f"Grid {way} power phase {phase}"
        for way in ("import", "export")
        for phase in (1, 2, 3)
    },
    **{f"voltage_l{phase}_dv": f"Voltage phase {phase}" for phase in (1, 2, 3)},
    **{f"current_l{phase}_ma": f"Current phase {phase}" for phase in (1, 2, 3)},
}


def read_home_assistant(table: Table, folder: Path) -> HomeAssistantSettings | None:
    """Return the settings of ``[home_assistant]``; None where no broker is named.

    Raises:
        SettingsError: A key is wrong or a file is away.
    """
    url = table.text("broker", "")
    username = table.text("username", "")
    password = read_secret(table, "password_file", folder) if username else ""
    ca_file = table.text_or_none("ca_file")
    prefix = checked_name(table.text("prefix", "homeassistant"), f"{table.place}prefix")
    table.refuse_the_rest()
    if not url:
        return None
    try:
        tls = None if ca_file is None else Tls(folder / ca_file)
        broker = broker_at(url, tls, username, password)
        if broker.tls is not None:
            broker.tls.context()
    except SettingsError as error:
        raise SettingsError(f"{table.place}broker: {error}") from error
    return HomeAssistantSettings(broker, prefix)


def discovery_topic(prefix: str, gateway: GatewayId, device: DeviceId) -> str:
    """Return the topic on which a device announces itself."""
    return f"{prefix}/device/{_id(gateway, device)}/config"


def discovery_of(gateway: GatewayId, device: DeviceId, names: frozenset[str]) -> bytes:
    """Return how a device announces itself and those of its series that can be shown.

    Args:
        gateway: Whose device it is.
        device: Its name on the gateway.
        names: The series it was heard to speak of.
    """
    program = version("kwartier")
    body = {
        "device": {
            "identifiers": [_id(gateway, device)],
            "name": f"{_what(names)} ({device})",
            "manufacturer": "kwartier",
            "sw_version": program,
        },
        "origin": {"name": "kwartier", "sw_version": program},
        "components": {
            name: _component(gateway, device, name) for name in sorted(names) if name in _NAMES
        },
        "availability_topic": _availability(gateway),
        "qos": 0,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def shown(name: str, value: int) -> bytes:
    """Return a value in the unit that is announced for its series."""
    return format(_quantity(name).per_one * value, "f").encode()


class HomeAssistant:
    """Shows readings at the resident's broker; while that is away they are not shown."""

    def __init__(self, settings: HomeAssistantSettings, gateway: GatewayId, clock: Clock) -> None:
        """Begin to connect; it goes on trying, and nobody waits for it."""
        self._prefix = settings.prefix
        self._gateway = gateway
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[DeviceId, frozenset[str]] = {}
        self._shown_s: dict[DeviceId, float] = {}
        self._bus = MqttBus(
            settings.broker,
            Session(f"kwartier-{gateway}"),
            Will(_availability(gateway), _GONE),
            begin=False,
        )
        self._bus.watch_link(self._linked)
        self._bus.begin()

    def take(self, reading: Reading) -> None:
        """Show one reading, unless its device showed one in the last ten seconds."""
        now_s = self._clock.monotonic_s()
        names = frozenset(name for name in reading.values if name in _NAMES)
        with self._lock:
            shown_s = self._shown_s.get(reading.device)
            if not names or (shown_s is not None and now_s < shown_s + _EVERY_S):
                return
            self._shown_s[reading.device] = now_s
            known = self._known.get(reading.device, frozenset())
            self._known[reading.device] = known | names
        try:
            if not names <= known:
                self._announce(reading.device)
            for name in sorted(names):
                topic = _value_topic(self._gateway, reading.device, name)
                self._bus.publish(topic, shown(name, reading.values[name]), qos=0)
        except LinkDownError:
            return

    def close(self) -> None:
        """Say that the values end, and leave."""
        self._say(_GONE)
        self._bus.close()

    def _linked(self, up: bool) -> None:  # noqa: FBT001 - the bus says it so
        if not up:
            return
        with self._lock:
            devices = list(self._known)
        try:
            for device in devices:
                self._announce(device)
        except LinkDownError:
            return
        self._say(_HERE)

    def _announce(self, device: DeviceId) -> None:
        with self._lock:
            names = self._known[device]
        topic = discovery_topic(self._prefix, self._gateway, device)
        self._bus.publish(topic, discovery_of(self._gateway, device, names), retain=True)

    def _say(self, availability: bytes) -> None:
        try:
            self._bus.publish(_availability(self._gateway), availability, retain=True)
        except LinkDownError:
            _log.debug("the resident's broker is away: it was told nothing")


def _component(gateway: GatewayId, device: DeviceId, name: str) -> dict[str, str | int]:
    quantity = _quantity(name)
    counts = SERIES[name].kind is not Kind.INSTANT
    return {
        "platform": "sensor",
        "unique_id": f"{_id(gateway, device)}_{name}",
        "name": _NAMES[name],
        "device_class": quantity.device_class,
        "state_class": "total_increasing" if counts else "measurement",
        "unit_of_measurement": quantity.unit,
        "state_topic": _value_topic(gateway, device, name),
        "expire_after": _EXPIRE_S,
    }


def _quantity(name: str) -> _Quantity:
    return _VOLUMES.get(name) or _QUANTITIES[name.rpartition("_")[2]]


def _what(names: frozenset[str]) -> str:
    """Return what kind of device speaks of such series."""
    if names & {"battery_w", "soc_permille", "charged_wh"}:
        return "Battery"
    if names & {"solar_w", "produced_wh"}:
        return "Solar panels"
    return "Meter"


def _id(gateway: GatewayId, device: DeviceId) -> str:
    return f"kwartier_{gateway}_{device}"


def _availability(gateway: GatewayId) -> str:
    return f"kwartier/{gateway}/availability"


def _value_topic(gateway: GatewayId, device: DeviceId, name: str) -> str:
    return f"kwartier/{gateway}/{device}/{name}"
