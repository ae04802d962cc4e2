"""A HomeWizard meter that is paired is read over real TLS, and no other in its place."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from gateway.p1.homewizard import HomeWizardSource
from gateway.p1.homewizard_ca import VENDOR_CA
from gateway.p1.homewizard_key import (
    HomeWizardKey,
    read_homewizard_key,
    write_homewizard_key,
)
from gateway.p1.homewizard_pair import NotPairedError, paired
from gateway.p1.settings import read_p1
from hardware.twins.p1_meter import P1Meter
from kwartier.cli import main
from kwartier.clock import VirtualClock
from kwartier.errors import LinkDownError, SettingsError
from kwartier.settings import Table
from tests.gateway.sealed_meter import APPLIANCE, TOKEN, SealedMeter, Vendor

NOON_S = 1_781_431_200
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def meter(tmp_path: Path, vendor: Vendor) -> Iterator[SealedMeter]:
    made = SealedMeter(tmp_path, vendor)
    made.answers["/api/telegram"] = P1Meter("E0001", import_t2_wh=5_000).telegram(NOON_S)
    yield made
    made.close()


@pytest.fixture
def key(vendor: Vendor) -> HomeWizardKey:
    return HomeWizardKey(APPLIANCE, TOKEN, vendor.pem)


Source = Callable[[SealedMeter, HomeWizardKey], HomeWizardSource]


@pytest.fixture
def source_at() -> Iterator[Source]:
    with ExitStack() as parts:

        def made(meter: SealedMeter, key: HomeWizardKey) -> HomeWizardSource:
            source = HomeWizardSource(
                meter.address, VirtualClock(NOON_S), key=key, every_s=0.01, timeout_s=PATIENCE_S
            )
            parts.callback(source.stop)
            return source

        yield made


def test_its_telegrams_are_read_one_after_the_other_over_one_connection(
    meter: SealedMeter, key: HomeWizardKey, source_at: Source
) -> None:
    source = source_at(meter, key)
    (first,) = source.ask()

    meter.answers["/api/telegram"] = P1Meter("E0001", import_t2_wh=5_001).telegram(NOON_S + 1)
    (second,) = source.ask()

    assert (first.at_s, second.at_s) == (NOON_S, NOON_S + 1)
    assert second.values["import_wh"] - first.values["import_wh"] == 1
    assert meter.connections == 1


def test_without_telegrams_its_measurement_is_read(
    meter: SealedMeter, key: HomeWizardKey, source_at: Source
) -> None:
    del meter.answers["/api/telegram"]
    meter.answers["/api/measurement"] = (
        b'{"unique_id":"4530","energy_import_kwh":13779.338,"power_w":-123}'
    )
    source = source_at(meter, key)

    (reading,) = source.ask()

    assert reading.values == {"import_wh": 13_779_338, "import_w": 0, "export_w": 123}
    assert meter.asked == ["/api/telegram", "/api/measurement"]


def test_a_meter_that_closes_an_idle_connection_is_read_on(
    meter: SealedMeter, key: HomeWizardKey, source_at: Source
) -> None:
    meter.hangs_up = True
    source = source_at(meter, key)
    source.ask()

    meter.answers["/api/telegram"] = P1Meter("E0001").telegram(NOON_S + 1)
    (second,) = source.ask()

    assert (second.at_s, meter.connections) == (NOON_S + 1, 2)


def test_a_meter_that_says_goodbye_never_hears_its_token_without_tls(
    meter: SealedMeter, key: HomeWizardKey, source_at: Source
) -> None:
    meter.says_goodbye = True
    source = source_at(meter, key)
    source.ask()

    meter.answers["/api/telegram"] = P1Meter("E0001").telegram(NOON_S + 1)
    (second,) = source.ask()

    assert second.at_s == NOON_S + 1
    assert (meter.heard_plain, meter.connections) == (0, 2)


def test_another_meter_at_its_address_is_not_read_and_gets_no_token(
    meter: SealedMeter, key: HomeWizardKey, source_at: Source
) -> None:
    other = replace(key, appliance="appliance/p1dongle/000000000001")

    with pytest.raises(LinkDownError, match="another device"):
        source_at(meter, other).ask()

    assert meter.asked == []


def test_who_is_vouched_for_by_another_authority_is_not_read_and_gets_no_token(
    meter: SealedMeter, key: HomeWizardKey, source_at: Source
) -> None:
    for authority in (Vendor().pem, VENDOR_CA):
        with pytest.raises(LinkDownError, match="not HomeWizard's"):
            source_at(meter, replace(key, authority=authority)).ask()

    assert meter.asked == []


def test_a_token_that_holds_no_longer_says_what_to_do_and_not_what_it_was(
    meter: SealedMeter, key: HomeWizardKey, source_at: Source
) -> None:
    meter.token = "F" * 32

    with pytest.raises(LinkDownError, match="kwartier p1 pair") as refused:
        source_at(meter, key).ask()

    assert TOKEN not in str(refused.value)
    assert TOKEN not in repr(key)


def test_it_stops_in_the_middle_of_a_handshake(key: HomeWizardKey) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"homewizard://127.0.0.1:{silent.getsockname()[1]}"
        source = HomeWizardSource(address, VirtualClock(NOON_S), key=key, timeout_s=PATIENCE_S)
        source.start(lambda _: None)
        line, _ = silent.accept()
        assert line.recv(1)  # the first byte of its greeting
        started_s = time.monotonic()

        source.stop()
        line.close()

    assert time.monotonic() - started_s < PATIENCE_S / 2


def test_stopped_while_it_looked_for_the_meter_it_keeps_no_connection(key: HomeWizardKey) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE_S)
        address = f"homewizard://127.0.0.1:{silent.getsockname()[1]}"
        source = HomeWizardSource(address, VirtualClock(NOON_S), key=key, timeout_s=PATIENCE_S)
        source.stop()

        with pytest.raises(LinkDownError, match="stopped"):
            source.ask()

        line, _ = silent.accept()
        with line:
            line.settimeout(PATIENCE_S / 10)
            assert line.recv(1) == b""


def test_who_presses_the_button_gets_a_key_that_reads_the_meter(
    meter: SealedMeter, vendor: Vendor, source_at: Source
) -> None:
    meter.presses_needed = 2

    key = paired(meter.address, "gw-14", authority=vendor.pem, every_s=0.01)

    assert key == HomeWizardKey(APPLIANCE, TOKEN, vendor.pem)
    assert meter.names == ["local/gw-14"] * 3
    assert len(source_at(meter, key).ask()) == 1


@pytest.mark.parametrize(
    ("appliance", "needed", "token", "why"),
    [
        (APPLIANCE, 10_000, TOKEN, "nobody pressed"),
        (APPLIANCE, 0, "short", "holds no token"),
        ("appliance/energysocket/5c2fafaabbcc", 0, TOKEN, "no P1 meter"),
    ],
)
def test_without_button_token_or_meter_there_is_no_key(
    tmp_path: Path, vendor: Vendor, appliance: str, needed: int, token: str, why: str
) -> None:
    meter = SealedMeter(tmp_path, vendor, appliance)
    meter.presses_needed, meter.token = needed, token

    with pytest.raises(NotPairedError, match=why):
        paired(meter.address, "x", authority=vendor.pem, patience_s=0.5, every_s=0.05)

    meter.close()


def test_a_token_that_is_there_is_not_written_over(tmp_path: Path, meter: SealedMeter) -> None:
    file = tmp_path / "p1.token"
    file.touch()

    code = main(["p1", "pair", meter.address, "--token-file", str(file)])

    assert code == 2
    assert (file.read_bytes(), meter.names) == (b"", [])


def test_a_key_is_kept_where_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "p1.token"

    write_homewizard_key(file, HomeWizardKey(APPLIANCE, TOKEN))

    assert read_homewizard_key(file) == HomeWizardKey(APPLIANCE, TOKEN)
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        ({"appliance": APPLIANCE, "token": TOKEN}, 0o644, "others may read the token"),
        ({"appliance": APPLIANCE, "token": "x"}, 0o600, "kwartier p1 pair"),
        ({"appliance": "appliance/battery/5c2fafaabbcc", "token": TOKEN}, 0o600, "p1 pair"),
        ([], 0o400, "kwartier p1 pair"),
        (None, 0, "cannot be read"),
    ],
)
def test_a_file_that_holds_no_key_is_refused_without_its_content(
    tmp_path: Path, content: object, mode: int, why: str
) -> None:
    file = tmp_path / "p1.token"
    if content is not None:
        file.write_text(json.dumps(content))
        file.chmod(mode)

    with pytest.raises(SettingsError, match=why) as refused:
        read_homewizard_key(file)

    assert TOKEN not in str(refused.value)


def test_the_settings_name_a_token_file_for_a_homewizard_alone(tmp_path: Path) -> None:
    write_homewizard_key(tmp_path / "p1.token", HomeWizardKey(APPLIANCE, TOKEN))
    row = {"address": "homewizard://p1meter-AABBCC.local", "token_file": "p1.token"}

    line = read_p1(Table(row, "[[p1]] "), tmp_path)

    assert line.token == HomeWizardKey(APPLIANCE, TOKEN)
    with pytest.raises(SettingsError, match="leave it out"):
        read_p1(Table({**row, "address": "/dev/ttyUSB0"}, "[[p1]] "), tmp_path)


def test_the_vendors_authority_is_whole_and_signed_by_itself() -> None:
    authority = x509.load_pem_x509_certificate(VENDOR_CA.encode())

    authority.verify_directly_issued_by(authority)
    assert authority.subject.rfc4514_string().startswith("CN=Appliance Access CA")
    assert authority.not_valid_after_utc.year == 2031
