"""``kwartier gateway check`` says link by link what works, and its exit code says it too."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import ModbusServer
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.cli import main
from kwartier.clock import SystemClock

TOML = """coop = "zonnehof"
gateway = "gw-014"
[broker]
url = "mqtt://127.0.0.1:{broker}"
[[p1]]
address = "{p1}"
[[modbus]]
device = "inverter"
host = "127.0.0.1"
port = {modbus}
"""


def test_each_link_is_told_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inverter = InverterTwin(5000)
    inverter.show(2000, 1_000_000)
    port, stop = P1TcpPort(), threading.Event()
    meter, clock = P1Meter("E0001", import_t1_wh=5), SystemClock()
    pushing = threading.Thread(
        target=port.run,
        args=(lambda: meter.telegram(int(clock.now_s())), stop),
        kwargs={"period_s": 0.01},
    )
    with ModbusServer([inverter]) as devices:
        text = TOML.format(broker=1, p1=port.address, modbus=devices.port)
        (tmp_path / "gateway.toml").write_text(text)
        pushing.start()
        try:
            code = main(["gateway", "check", "--config", str(tmp_path / "gateway.toml"), "--json"])
        finally:
            stop.set()
            pushing.join()
            port.close()

    told = json.loads(capsys.readouterr().out)
    links = {one["link"]: one["good"] for one in told["links"]}
    assert links == {
        "cable p1": True,
        "bytes p1": True,
        "polarity p1": True,
        "speed p1": True,
        "checksums p1": True,
        "clock p1": True,
        "device inverter": True,
        "broker": False,
        "acknowledged": False,
    }
    assert (code, told["good"]) == (1, False)


def test_a_cable_that_is_away_is_named_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TOML.format(broker=1, p1="/dev/not-there", modbus=1)
    (tmp_path / "gateway.toml").write_text(text)

    code = main(["gateway", "check", "--config", str(tmp_path / "gateway.toml")])

    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert lines[0].startswith("FAIL cable p1: Put the USB plug")
    assert lines[1].startswith("FAIL device inverter")


def test_wrong_settings_and_wrong_usage_have_their_own_exit_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gateway", "check", "--config", str(tmp_path / "none.toml")]) == 78
    assert main(["gateway", "check", "--seconds", "0"]) == 2
    assert main(["gateway"]) == 2
    assert "kwartier gateway" in capsys.readouterr().err
