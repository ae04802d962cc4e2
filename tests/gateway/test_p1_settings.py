"""A meter's settings are read strictly, and its key never stands among them."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest

from gateway.p1.line import MeterLine
from gateway.p1.sealed import SealKeys
from gateway.p1.settings import P1Line, read_p1
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.clock import VirtualClock
from kwartier.errors import SettingsError
from kwartier.reading import Reading
from kwartier.settings import Table
from tests.gateway.p1_sealing import KEY, SECOND_KEY, sealed

NOON_S = 1_781_431_200
"""2026-06-14T10:00Z."""


def read(folder: Path, **values: object) -> P1Line:
    return read_p1(Table({"address": "/dev/ttyUSB0", **values}, "p1[0]."), folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, key in (("p1.key", KEY), ("second.key", SECOND_KEY)):
        (tmp_path / name).write_text(key.hex())
        (tmp_path / name).chmod(0o400)
    return tmp_path


def test_a_line_has_the_usual_fuse_and_no_key(folder: Path) -> None:
    line = read(folder)

    assert (line.device, line.fuse_a, line.keys) == ("p1", 80, None)


def test_a_homewizard_meter_is_an_address(folder: Path) -> None:
    assert read(folder, address="homewizard://192.0.2.7").address == "homewizard://192.0.2.7"


def test_keys_are_read_from_their_files_and_not_shown(folder: Path) -> None:
    line = read(folder, key_file="p1.key", authentication_key_file="second.key", fuse_a=25)

    assert (line.keys, line.fuse_a) == (SealKeys(KEY, SECOND_KEY), 25)
    assert KEY.hex() not in repr(line)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"address": "http://192.0.2.7"}, r"p1\[0\]\.address"),
        ({"address": "homewizard://"}, r"p1\[0\]\.address"),
        ({"fuse_a": 5}, r"p1\[0\]\.fuse_a"),
        ({"fuse_a": "80"}, r"p1\[0\]\.fuse_a"),
        ({"key_file": "away.key"}, r"p1\[0\]\.key_file.*cannot be read"),
        ({"key_file": "wide.key"}, r"p1\[0\]\.key_file.*0644"),
        ({"authentication_key_file": "second.key"}, "add key_file"),
        ({"key": KEY.hex()}, r"p1\[0\]\.key is not known"),
    ],
    ids=["scheme", "no host", "fuse", "text", "away", "wide", "alone", "key itself"],
)
def test_a_wrong_key_is_named_and_no_secret_told(
    folder: Path, values: dict[str, object], message: str
) -> None:
    (folder / "wide.key").write_text(KEY.hex())
    (folder / "wide.key").chmod(0o644)

    with pytest.raises(SettingsError, match=message) as refused:
        read(folder, **values)

    assert KEY.hex() not in str(refused.value)


def test_a_sealed_meter_behind_a_real_line_is_read(folder: Path) -> None:
    port, inbox = P1TcpPort(), queue.Queue[Reading]()
    settings = read(folder, address=port.address, key_file="p1.key")
    line = MeterLine(settings, VirtualClock(NOON_S), folder, lambda _: None)
    line.start(inbox.put)
    assert port.wait_for_client(30)

    for second in range(3):
        telegram = P1Meter("E0001", import_t2_wh=second).telegram(NOON_S + second)
        port.push(sealed(telegram, second))
    told = [inbox.get(timeout=30).values["import_wh"] for _ in range(3)]
    line.stop()
    port.close()

    assert told == [0, 1, 2]
    assert line.counters.telegrams == 3
