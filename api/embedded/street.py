"""A street that is not there: homes and a battery that speak real protocols on this machine."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal

from api.embedded.home_battery import HomeBattery
from hardware.twins.battery import BatteryTwin
from hardware.twins.cell import CellLimits
from hardware.twins.household import Household, street_of
from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import ModbusServer
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.clock import Clock
from kwartier.model import Battery, Community, Connection, Tariff
from kwartier.units import EpochS

COOP = "zonnehof"
BATTERY_GATEWAY = "gw-batterij"
BATTERY = Battery(
    "buurtbatterij", BATTERY_GATEWAY, "battery", 120_000, 40_000, 40_000, wear_eur_per_kwh=0.02
)
START_PERMILLE = 350
"""How full every battery is when the street begins [1/1000]."""
HOME_BATTERY = "thuisbatterij"
"""The name of a home's own battery on its gateway."""
_HOME = "huis-"
_START_WH = 2_000_000


@dataclass(frozen=True, slots=True)
class VirtualHome:
    """One home and the devices in its meter cupboard.

    Attributes:
        connection: How the cooperative knows it.
        household: What it uses and makes.
        meter: Its electricity meter.
        port: The meter's P1 port.
        inverter: Its inverter; None without a roof.
        battery: Its own battery; None without one.
    """

    connection: Connection
    household: Household
    meter: P1Meter
    port: P1TcpPort
    inverter: InverterTwin | None
    battery: HomeBattery | None = None

    def advance(self, to_s: EpochS, step_s: int) -> None:
        """Live on to an instant; the devices show what was counted."""
        home = self.household
        before_s, before_ws = home.at_s, home.import_ws - home.export_ws
        home.advance(to_s, step_s)
        import_wh, export_wh, net_w = home.import_wh, home.export_wh, home.net_w
        if self.battery is not None:
            net_ws = home.import_ws - home.export_ws - before_ws
            self.battery.live(net_ws, to_s - before_s)
            import_wh, export_wh = self.battery.import_wh, self.battery.export_wh
            net_w += self.battery.power_w
        self.meter.count(
            _START_WH + import_wh - self.meter.import_wh,
            export_wh - self.meter.export_wh,
        )
        self.meter.power_w = net_w
        if self.inverter is not None:
            self.inverter.show(home.solar_w, home.produced_wh)

    def tell(self) -> None:
        """Send the meter's telegram of this moment."""
        self.port.push(self.meter.telegram(self.household.at_s))


class VirtualStreet:
    """All homes and the battery, on sockets of this machine."""

    def __init__(
        self,
        homes: int,
        start_s: EpochS,
        clock: Clock,
        *,
        sun_of_day: int | None = None,
        with_battery: Collection[int] = (),
    ) -> None:
        """Build the street as it stood at an instant.

        Args:
            homes: How many.
            start_s: When their registers begin [s].
            clock: The battery's own time.
            sun_of_day: The day of the year whose sun always shines; None for the real one.
            with_battery: The numbers of homes with a battery of their own, from 1.
        """
        self._stack = ExitStack()
        self.homes = [
            self._home(number, Household(habits, start_s), clock, own=number in with_battery)
            for number, habits in enumerate(street_of(homes, sun_of_day), start=1)
        ]
        self.battery = BatteryTwin(
            clock,
            CellLimits(BATTERY.capacity_wh, BATTERY.charge_max_w, BATTERY.discharge_max_w),
            soc_permille=START_PERMILLE,
        )
        roofs = [home.inverter for home in self.homes if home.inverter is not None]
        self.roof_server = ModbusServer(roofs).start()
        self._stack.callback(self.roof_server.stop)
        self.battery_server = ModbusServer([self.battery]).start()
        self._stack.callback(self.battery_server.stop)
        own = [home.battery.twin for home in self.homes if home.battery is not None]
        self.home_server = ModbusServer(own).start() if own else None
        if self.home_server is not None:
            self._stack.callback(self.home_server.stop)
        self.community = Community(
            COOP,
            "De Zonnehof",
            {home.connection.id: home.connection for home in self.homes},
            {BATTERY.id: BATTERY},
            Tariff(Decimal("0.18"), Decimal("0.12"), Decimal("0.01"), Decimal("0.27")),
            import_limit_w=homes * 3_000,
            export_limit_w=homes * 2_000,
            home_batteries={
                one.id: one
                for one in (
                    _own_battery(home.connection) for home in self.homes if home.battery is not None
                )
            },
        )

    def advance(self, to_s: EpochS, step_s: int) -> None:
        """Let every home live on to an instant."""
        for home in self.homes:
            home.advance(to_s, step_s)

    def tell(self) -> None:
        """Have every meter send its telegram."""
        for home in self.homes:
            home.tell()

    def close(self) -> None:
        """Hang up everything."""
        for home in self.homes:
            home.port.close()
        self._stack.close()

    def _home(self, number: int, household: Household, clock: Clock, *, own: bool) -> VirtualHome:
        name = f"{number:02d}"
        peak_w = household.habits.solar_peak_w
        connection = Connection(
            f"{_HOME}{name}", f"lid-{name}", f"gw-{name}", solar="inverter" if peak_w else None
        )
        meter = P1Meter(f"TWIN{number:012d}", import_t2_wh=_START_WH)
        inverter = (
            InverterTwin(peak_w, unit=number, serial=f"twin-roof-{number}") if peak_w else None
        )
        battery = None
        if own:
            size = _own_battery(connection)
            limits = CellLimits(size.capacity_wh, size.charge_max_w, size.discharge_max_w)
            serial = f"twin-home-{number}"
            battery = HomeBattery(
                BatteryTwin(clock, limits, soc_permille=START_PERMILLE, unit=number, serial=serial)
            )
        return VirtualHome(connection, household, meter, P1TcpPort(), inverter, battery)


def _own_battery(connection: Connection) -> Battery:
    """Return a home's own battery as the cooperative knows it: a fifth is kept for outages."""
    return Battery(
        f"{HOME_BATTERY}-{connection.id.removeprefix(_HOME)}",
        connection.gateway,
        HOME_BATTERY,
        10_000,
        3_600,
        3_600,
        wear_eur_per_kwh=0.02,
        reserve_permille=200,
        home=connection.id,
        steered=True,
    )
