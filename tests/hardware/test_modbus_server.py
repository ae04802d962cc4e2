"""The server of virtual devices: spare ports, taken ports, and an end."""

from __future__ import annotations

import socket

import pytest

from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import ModbusServer
from kwartier.errors import LinkDownError


def test_two_servers_get_a_port_each() -> None:
    with ModbusServer([InverterTwin(1)]) as first, ModbusServer([InverterTwin(1)]) as second:
        assert first.port != second.port


def test_a_port_that_is_taken_is_reported() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(LinkDownError, match=f"port {port}"):
            ModbusServer([InverterTwin(1)], port).start()


def test_a_stopped_server_takes_no_more_connections() -> None:
    server = ModbusServer([InverterTwin(1)]).start()
    port = server.port
    server.stop()

    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port)) != 0
