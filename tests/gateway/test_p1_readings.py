"""What leaves the gateway is proven, whole and stamped with an instant somebody vouches for."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.p1.reader import P1Reader
from gateway.p1.readings import Agreement
from hardware.crc16 import crc16
from kwartier.reading import ClockSource, Reading

NOON_S = int(datetime(2026, 6, 14, 10, 0, tzinfo=UTC).timestamp())
"""12:00 on a summer day in Amsterdam."""


def telegram(*lines: str, stamp: str = "260614120000S", crc: bool = True) -> bytes:
    head = ["/KWT5\\TEST", "", f"0-0:1.0.0({stamp})"] if stamp else ["/ISk5\\2MT382-1003", ""]
    body = ("\r\n".join([*head, *lines]) + "\r\n!").encode()
    return body + (b"%04X" % crc16(body) if crc else b"") + b"\r\n"


def old(import_kwh: str, *, meter: str = "5A42") -> bytes:
    lines = [f"0-0:96.1.1({meter})", f"1-0:1.8.1({import_kwh}*kWh)", "1-0:1.7.0(0000.59*kW)"]
    return telegram(*lines, stamp="", crc=False)


def test_registers_become_whole_watt_hours_and_their_sum() -> None:
    readings = P1Reader().feed(
        telegram(
            "0-0:96.1.1(4530)",
            "1-0:1.8.1(004726.494*kWh)",
            "1-0:1.8.2(000001.007*kWh)",
            "1-0:2.8.1(003284.320*kWh)",
            "0-0:96.14.0(0002)",
            "1-0:1.7.0(00.000*kW)",
            "1-0:2.7.0(01.869*kW)",
            "1-0:22.7.0(00.688*kW)",
            "1-0:32.7.0(230.1*V)",
            "1-0:31.7.0(1.39*A)",
        ),
        NOON_S,
    )

    assert readings == [
        Reading(
            "p1",
            "4530",
            NOON_S,
            {
                "import_t1_wh": 4_726_494,
                "import_t2_wh": 1_007,
                "import_wh": 4_727_501,
                "export_t1_wh": 3_284_320,
                "export_wh": 3_284_320,
                "tariff": 2,
                "import_w": 0,
                "export_w": 1869,
                "export_l1_w": 688,
                "voltage_l1_dv": 2301,
                "current_l1_ma": 1390,
            },
            ClockSource.METER,
        )
    ]


def test_the_meters_own_total_is_taken_where_it_sends_one() -> None:
    (reading,) = P1Reader().feed(
        telegram(
            "1-0:1.8.0(000009.000*kWh)", "1-0:1.8.1(000003.000*kWh)", "1-0:1.8.3(000005.999*kWh)"
        ),
        NOON_S,
    )

    assert reading.values == {"import_wh": 9000, "import_t1_wh": 3000}


def test_four_tariffs_add_up_though_only_two_have_a_name() -> None:
    lines = [f"1-0:1.8.{tariff}(000001.00{tariff}*kWh)" for tariff in (1, 2, 3, 4)]

    (reading,) = P1Reader().feed(telegram(*lines), NOON_S)

    assert reading.values == {"import_t1_wh": 1001, "import_t2_wh": 1002, "import_wh": 4010}


def test_wh_stay_wh_and_parts_of_one_are_cut_off() -> None:
    lines = ["1-0:1.8.0(000201282*Wh)", "1-0:2.8.0(00019949.3229493*kWh)", "1-0:1.7.0(747.85*W)"]

    (reading,) = P1Reader().feed(telegram(*lines), NOON_S)

    assert reading.values == {"import_wh": 201_282, "export_wh": 19_949_322, "import_w": 747}


def test_each_mbus_meter_is_a_device_with_its_own_id_and_instant() -> None:
    lines = [
        "0-1:24.1.0(007)",
        "0-1:96.1.0(3853)",
        "0-1:24.2.1(260614115500S)(00872.234*m3)",
        "0-2:24.1.0(003)",
        "0-2:96.1.1(3746)",
        "0-2:24.2.3(260614115000S)(00112.384*m3)",
        "0-3:24.1.0(004)",
        "0-3:24.2.1(260614120000S)(240.860*GJ)",
    ]

    readings = P1Reader().feed(telegram(*lines), NOON_S)

    assert readings == [
        Reading("water-1", "3853", NOON_S - 300, {"water_dm3": 872_234}),
        Reading("gas-2", "3746", NOON_S - 600, {"gas_dm3": 112_384}),
        Reading("heat-3", "", NOON_S, {"heat_kj": 240_860_000}),
    ]


def test_an_mbus_meter_that_never_reported_or_is_unknown_yields_nothing() -> None:
    lines = [
        "0-1:24.1.0(003)",
        "0-1:24.2.1(632525252525W)(00000.000)",
        "0-2:24.1.0(003)",
        "0-2:24.2.1(700101010000W)(00000.000*m3)",
        "0-3:24.1.0(002)",
        "0-3:24.2.1(260614120000S)(00001.000*kWh)",
    ]

    assert P1Reader().feed(telegram(*lines), NOON_S) == []


def test_an_mbus_value_is_handed_on_once_per_stamp() -> None:
    reader = P1Reader()
    gas = ["0-1:24.1.0(003)", "0-1:24.2.1(260614115500S)(00001.000*m3)"]
    later = ["0-1:24.1.0(003)", "0-1:24.2.1(260614120000S)(00001.000*m3)"]

    devices = [len(reader.feed(telegram(*lines), NOON_S)) for lines in (gas, gas, later, later)]

    assert devices == [1, 0, 1, 0]


def test_a_wrong_checksum_yields_nothing_and_is_counted() -> None:
    reader = P1Reader()
    damaged = telegram("1-0:1.8.1(004726.494*kWh)").replace(b"4726.494", b"4726.495")

    assert reader.feed(damaged, NOON_S) == []
    assert reader.counters.crc_failures == 1
    assert reader.counters.telegrams == 0


def test_a_missing_checksum_where_one_is_due_counts_as_wrong() -> None:
    reader = P1Reader()
    bare = telegram("1-3:0.2.8(50)", "1-0:1.8.1(004726.494*kWh)", crc=False)

    assert reader.feed(bare * 3, NOON_S) == []
    assert reader.counters.crc_failures == 3


def test_a_clock_more_than_a_day_off_gives_way_to_the_gateways() -> None:
    (reading,) = P1Reader().feed(
        telegram("1-0:1.8.1(000001.000*kWh)", stamp="000101010000W"), NOON_S + 0.9
    )

    assert reading.at_s == NOON_S
    assert reading.clock is ClockSource.GATEWAY


def test_a_clock_a_little_off_is_followed() -> None:
    reader = P1Reader()

    (reading,) = reader.feed(telegram("1-0:1.8.1(000001.000*kWh)"), NOON_S + 45)

    assert reading.at_s == NOON_S
    assert reading.clock is ClockSource.METER
    assert reader.counters.meter_ahead_s == -45


def test_without_checksum_a_reading_waits_for_the_next_to_agree() -> None:
    reader = P1Reader()

    first = reader.feed(old("16722.627"), NOON_S)
    second = reader.feed(old("16722.628"), NOON_S + 10)

    assert first == []
    assert [(reading.at_s, reading.values["import_wh"]) for reading in second] == [
        (NOON_S, 16_722_627)
    ]
    assert second[0].clock is ClockSource.GATEWAY


def test_a_flipped_digit_without_checksum_is_never_published() -> None:
    reader = P1Reader()
    true = ["00001.001", "00001.001", "00001.002", "00001.002", "00001.003", "00001.004"]
    flipped = ["00091.001", "00001.801", "00000.001", "00001.000"]
    sent = [true[0], flipped[0], true[1], flipped[1], true[2], flipped[2], true[3], flipped[3]]
    sent += true[4:]

    published = [
        reading.values["import_wh"]
        for number, text in enumerate(sent)
        for reading in reader.feed(old(text), NOON_S + 10 * number)
    ]

    assert set(published) <= {1001, 1002, 1003, 1004}
    assert published == sorted(published)
    assert reader.counters.refused > 0


def test_a_swapped_meter_without_checksum_is_published_once_it_repeats() -> None:
    reader = P1Reader()
    sent = [old("16722.627"), old("16722.627"), old("00000.001", meter="5B43")]
    sent += [old("00000.001", meter="5B43")]

    published = [
        (reading.meter, reading.values["import_wh"])
        for number, piece in enumerate(sent)
        for reading in reader.feed(piece, NOON_S + 10 * number)
    ]

    assert published == [("5A42", 16_722_627), ("5B43", 1)]


def test_damaged_device_names_do_not_fill_the_memory() -> None:
    agreement = Agreement()
    for number in range(1000):
        agreement.admit([Reading(f"gas-{number}", "", NOON_S, {"gas_dm3": 1})])

    assert len(agreement._waiting) == 10


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_no_bytes_make_the_reader_fail(pieces: list[bytes]) -> None:
    reader = P1Reader()
    for piece in pieces:
        reader.feed(b"/KWT5\\TEST\r\n\r\n" + piece + b"\r\n!\r\n", NOON_S)


@given(import_wh=st.integers(0, 999_999_999), export_wh=st.integers(0, 999_999_999))
def test_every_register_arrives_to_the_watt_hour(import_wh: int, export_wh: int) -> None:
    lines = [
        f"1-0:1.8.0({import_wh // 1000:06d}.{import_wh % 1000:03d}*kWh)",
        f"1-0:2.8.0({export_wh:09d}*Wh)",
    ]

    (reading,) = P1Reader().feed(telegram(*lines), NOON_S)

    assert reading.values == {"import_wh": import_wh, "export_wh": export_wh}
