"""A street that is not there: homes and a battery that speak real protocols on this machine."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal

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
"""How full the battery is when the street begins [1/1000]."""
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
    """

    connection: Connection
    household: Household
    meter: P1Meter
    port: P1TcpPort
    inverter: InverterTwin | None

    def advance(self, to_s: EpochS, step_s: int) -> None:
        """Live on to an instant; the devices show what was counted."""
        home = self.household
        home.advance(to_s, step_s)
        self.meter.count(
            _START_WH + home.import_wh - self.meter.import_wh,
            home.export_wh - self.meter.export_wh,
        )
        self.meter.power_w = home.net_w
        if self.inverter is not None:
            self.inverter.show(home.solar_w, home.produced_wh)

    def tell(self) -> None:
        """Send the meter's telegram of this moment."""
        self.port.push(self.meter.telegram(self.household.at_s))


class VirtualStreet:
    """All homes and the battery, on sockets of this machine."""

    def __init__(
        self, homes: int, start_s: EpochS, clock: Clock, *, sun_of_day: int | None = None
    ) -> None:
        """Build the street as it stood at an instant.

        Args:
            homes: How many.
            start_s: When their registers begin [s].
            clock: The battery's own time.
            sun_of_day: The day of the year whose sun always shines; None for the real one.
        """
        self._stack = ExitStack()
        self.homes = [
            self._home(number, Household(habits, start_s))
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
        self.community = Community(
            COOP,
            "De Zonnehof",
            {home.connection.id: home.connection for home in self.homes},
            {BATTERY.id: BATTERY},
            Tariff(Decimal("0.18"), Decimal("0.12"), Decimal("0.01"), Decimal("0.27")),
            import_limit_w=homes * 3_000,
            export_limit_w=homes * 2_000,
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

    def _home(self, number: int, household: Household) -> VirtualHome:
        name = f"{number:02d}"
        peak_w = household.habits.solar_peak_w
        connection = Connection(
            f"huis-{name}", f"lid-{name}", f"gw-{name}", solar="inverter" if peak_w else None
        )
        meter = P1Meter(f"TWIN{number:012d}", import_t2_wh=_START_WH)
        inverter = (
            InverterTwin(peak_w, unit=number, serial=f"twin-roof-{number}") if peak_w else None
        )
        return VirtualHome(connection, household, meter, P1TcpPort(), inverter)
