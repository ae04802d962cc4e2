"""Where somebody listens: both parts, or nothing."""

from __future__ import annotations

import pytest

from kwartier.broker import broker_at
from kwartier.errors import SettingsError
from kwartier.host_port import host_and_port


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("inverter.lan:502", ("inverter.lan", 502)),
        ("192.0.2.10:65535", ("192.0.2.10", 65_535)),
        ("[2001:db8::1]:1883", ("2001:db8::1", 1883)),
    ],
)
def test_host_and_port_are_told_apart(written: str, parts: tuple[str, int]) -> None:
    assert host_and_port(written) == parts


@pytest.mark.parametrize(
    "written",
    [
        "",
        "host",
        ":502",
        "host:",
        "host:-1",
        "host:0",
        "host:65536",
        "host:²",
        "host:" + "9" * 5000,
    ],
)
def test_what_names_no_port_is_nothing(written: str) -> None:
    assert host_and_port(written) is None


def test_port_0_stands_for_a_spare_one_where_that_is_allowed() -> None:
    assert host_and_port("127.0.0.1:0", lowest=0) == ("127.0.0.1", 0)


def test_a_broker_that_nobody_can_ask_for_is_refused_before_anything_starts() -> None:
    with pytest.raises(SettingsError, match="is no address: use mqtt://HOST:PORT"):
        broker_at("mqtt://a..b")
