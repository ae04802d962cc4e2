"""The folded checksum is the one of the standard."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hardware.crc16 import crc16


def by_definition(data: bytes) -> int:
    """Divide bit by bit, as the standard writes it."""
    rest = 0
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = (rest >> 1) ^ 0xA001 if rest & 1 else rest >> 1
    return rest


def test_the_check_value_of_the_catalogue_comes_out() -> None:
    assert crc16(b"123456789") == 0xBB3D


def test_a_printed_telegram_has_its_printed_checksum() -> None:
    # Landis+Gyr E350 (ZCF110), recorded by the openHAB project: openhab_landis_gyr_zcf110.
    telegram = (
        b"/XMX5LGBBFG1012530239\r\n\r\n1-3:0.2.8(42)\r\n0-0:1.0.0(161116201035W)\r\n"
        b"0-0:96.1.1(4530303331303033323737383938383136)\r\n1-0:1.8.1(000075.067*kWh)\r\n"
        b"1-0:1.8.2(000084.813*kWh)\r\n1-0:2.8.1(000000.000*kWh)\r\n"
        b"1-0:2.8.2(000000.000*kWh)\r\n0-0:96.14.0(0002)\r\n1-0:1.7.0(02.778*kW)\r\n"
        b"1-0:2.7.0(00.000*kW)\r\n0-0:96.7.21(00002)\r\n0-0:96.7.9(00000)\r\n"
        b"1-0:99.97.0(0)(0-0:96.7.19)\r\n1-0:32.32.0(00000)\r\n1-0:32.36.0(00000)\r\n"
        b"0-0:96.13.1()\r\n0-0:96.13.0()\r\n1-0:31.7.0(012*A)\r\n1-0:21.7.0(02.778*kW)\r\n"
        b"1-0:22.7.0(00.000*kW)\r\n0-1:24.1.0(003)\r\n"
        b"0-1:96.1.0(4730303435303031363038313037323136)\r\n"
        b"0-1:24.2.1(161116200000W)(00066.405*m3)\r\n!"
    )

    assert crc16(telegram) == 0xCC1E


@given(st.binary(max_size=2000))
def test_it_equals_the_bitwise_definition(data: bytes) -> None:
    assert crc16(data) == by_definition(data)


@given(st.binary(min_size=1, max_size=200), st.integers(0, 40))
def test_noughts_in_front_and_lengths_do_not_fool_it(data: bytes, noughts: int) -> None:
    padded = b"\0" * noughts + data

    assert crc16(padded) == by_definition(padded)
