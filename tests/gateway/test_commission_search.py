"""Devices are found where they answer, named by what they are, and only near by."""

from __future__ import annotations

import ipaddress
import socket

from gateway.commission.found import Kind
from gateway.commission.search import addresses_beside, identify, open_places
from hardware.twins.battery import BatteryTwin
from hardware.twins.cell import CellLimits
from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import ModbusServer
from kwartier.clock import VirtualClock


def test_an_inverter_and_a_battery_are_found_by_what_they_say_of_themselves() -> None:
    clock = VirtualClock(1_781_431_980)
    inverter = InverterTwin(5000, serial="INV-2024-0042")
    limits = CellLimits(10_000, 4_000, 3_000)
    battery = BatteryTwin(clock, limits, serial="BAT-7")
    told: list[tuple[int, int]] = []
    with ModbusServer([inverter]) as one, ModbusServer([battery]) as other:
        places = [("127.0.0.1", one.port), ("127.0.0.1", other.port)]

        found = identify(places, lambda done, every: told.append((done, every)))

    assert [(device.name, device.kind) for device in found] == [
        ("inverter", Kind.SOLAR),
        ("battery", Kind.BATTERY),
    ]
    assert [device.serial4 for device in found] == ["0042", "AT-7"]
    assert (found[1].charge_max_w, found[1].discharge_max_w) == (4_000, 3_000)
    assert told[-1] == (2, 2)


def test_only_who_opens_is_asked() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as door,
        socket.create_server(("127.0.0.1", 0)) as closed,
    ):
        port, gone = door.getsockname()[1], closed.getsockname()[1]
        closed.close()

        assert open_places(["127.0.0.1"], [port, gone]) == [("127.0.0.1", port)]


def test_a_door_behind_which_nobody_speaks_modbus_is_no_device() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    assert identify([("127.0.0.1", port)]) == []


def test_a_network_is_looked_through_without_ourselves_and_bounded() -> None:
    own = ipaddress.IPv4Interface("192.168.1.20/24")

    beside = list(addresses_beside([own]))

    assert len(beside) == 253
    assert "192.168.1.20" not in beside
    assert "192.168.1.1" in beside
