"""Nonsense waits and is dropped; what ten readings agree on is believed, and nothing of it lost."""

from __future__ import annotations

from gateway.p1.plausible import AGREEING, Gate, Standing
from gateway.p1.reader import P1Reader
from hardware.crc16 import crc16
from hardware.twins.p1_meter import P1Meter
from kwartier.events import EventKind
from kwartier.reading import Reading

NOON_S = 1_781_431_200
"""2026-06-14T10:00Z."""
OLD, NEW = "4530303031", "4530303032"


def reading(second: int, import_wh: int, meter: str = OLD, **values: int) -> Reading:
    return Reading("p1", meter, NOON_S + second, {"import_wh": import_wh, **values})


class Told:
    """Collects what a gate tells."""

    def __init__(self) -> None:
        self.kinds: list[tuple[EventKind, str]] = []

    def __call__(self, kind: EventKind, device: str, reason: str) -> None:
        assert 0 < len(reason) <= 180
        self.kinds.append((kind, device))


def through(gate: Gate, readings: list[Reading]) -> list[Reading]:
    return [one for sent in readings for one in gate.admit(sent)]


def test_a_sound_line_passes_reading_by_reading() -> None:
    gate = Gate()
    sent = [reading(second, 1_000 + second, import_w=3_600) for second in range(100)]

    assert [gate.admit(one) for one in sent] == [[one] for one in sent]


def test_a_step_back_waits_and_is_dropped_when_the_next_is_right() -> None:
    told = Told()
    gate = Gate(tell=told)

    passed = through(gate, [reading(0, 5_000), reading(1, 4_999), reading(2, 5_001)])

    assert [one.values["import_wh"] for one in passed] == [5_000, 5_001]
    assert (gate.refusals.went_back, gate.refusals.dropped) == (1, 1)
    assert told.kinds == [(EventKind.REGISTER_WENT_BACK, "p1")]


def test_a_register_that_stays_back_begins_anew_after_ten_and_none_is_lost() -> None:
    told = Told()
    gate = Gate(tell=told)
    through(gate, [reading(0, 5_000)])

    early = through(gate, [reading(1 + n, n) for n in range(AGREEING - 1)])
    late = through(gate, [reading(10, 9), reading(11, 10)])

    assert early == []
    assert [one.values["import_wh"] for one in late] == list(range(11))
    assert {one.meter for one in late} == {f"{OLD}~2"}
    assert told.kinds == [(EventKind.REGISTER_WENT_BACK, "p1")]
    assert gate.refusals.beginnings == 1


def test_another_meter_opens_a_new_series_after_ten_and_is_told_once() -> None:
    told = Told()
    gate = Gate(tell=told)

    passed = through(
        gate,
        [reading(0, 16_722_627), reading(1, 16_722_628)]
        + [reading(60 + n, n, NEW) for n in range(20)],
    )

    assert [one.meter for one in passed] == [OLD, OLD] + [NEW] * 20
    assert [one.values["import_wh"] for one in passed] == [16_722_627, 16_722_628, *range(20)]
    assert told.kinds == [(EventKind.METER_SWAPPED, "p1")]
    assert gate.standing == {"p1": Standing(NEW)}


def test_an_id_damaged_once_is_no_swap() -> None:
    told = Told()
    gate = Gate(tell=told)

    passed = through(gate, [reading(0, 7), reading(1, 7, NEW), reading(2, 8)])

    assert [one.meter for one in passed] == [OLD, OLD]
    assert told.kinds == []


def test_a_swap_while_the_gateway_was_off_is_told() -> None:
    told = Told()
    gate = Gate(tell=told, standing={"p1": Standing(OLD)})

    passed = through(gate, [reading(n, n, NEW) for n in range(AGREEING)])

    assert len(passed) == AGREEING
    assert told.kinds == [(EventKind.METER_SWAPPED, "p1")]


def test_a_new_beginning_outlives_a_restart() -> None:
    gate = Gate(standing={"p1": Standing(OLD, 2)})

    (passed,) = gate.admit(reading(0, 5))

    assert passed.meter == f"{OLD}~2"


def test_a_leap_beyond_the_connection_waits() -> None:
    """3x80 A with overload is 80.04 kW: in 1 s and 10 s more 244 Wh, and two steps of 1 Wh."""
    for grown, passes in ((246, True), (247, False)):
        gate = Gate(80)

        passed = through(gate, [reading(0, 1_001), reading(1, 1_001 + grown), reading(2, 1_002)])

        assert [one.values["import_wh"] for one in passed][1:2] == [
            1_001 + grown if passes else 1_002
        ]
        assert gate.refusals.leapt == (0 if passes else 1)


def test_a_meter_that_counts_in_whole_kilowatt_hours_is_no_leap() -> None:
    gate = Gate(80)
    sent = [reading(0, 7_000), reading(1, 8_000), reading(2, 8_000)]

    assert through(gate, sent) == sent


def test_an_hour_without_telegrams_allows_an_hour_of_the_connection() -> None:
    sent = [reading(0, 1), reading(3_600, 55_201)]

    assert through(Gate(80), sent) == sent
    assert through(Gate(25), sent) == sent[:1]


def test_a_register_that_grows_otherwise_than_the_power_waits() -> None:
    """30 s at 79 kW are 658 Wh; a register that stands still may lack 25 s of 80.04 kW, 555 Wh."""
    busy = [reading(0, 1, import_w=79_000), reading(30, 1, import_w=79_000)]
    calm = [reading(0, 1, import_w=60_000), reading(30, 1, import_w=60_000)]

    assert through(Gate(80), busy) == busy[:1]
    assert through(Gate(80), calm) == calm


def test_a_connection_larger_than_its_setting_loses_nothing() -> None:
    """A reading each 10 s at 600 kW: every one leaps, and ten at a time they pass."""
    gate = Gate(80)
    sent = [reading(10 * n, 1_667 * n + 1) for n in range(41)]

    passed = through(gate, sent)

    assert passed == sent


def test_a_leap_that_the_next_reading_confirms_is_kept() -> None:
    gate = Gate(80)
    sent = [reading(0, 1), reading(1, 1_101), reading(60, 1_201)]

    assert through(gate, sent) == sent


def test_a_power_that_no_such_connection_carries_is_left_out() -> None:
    gate = Gate(80)

    (passed,) = gate.admit(
        reading(0, 5, import_w=900_000, export_w=0, voltage_l1_dv=23_000, current_l1_ma=999_000)
    )

    assert passed.values == {"import_wh": 5, "export_w": 0}
    assert gate.refusals.values == 3


def test_a_damaged_telegram_whose_checksum_is_right_by_chance_is_caught() -> None:
    """The twin computes the checksum of the nonsense itself: no checksum can tell."""
    reader = P1Reader(gate=Gate())
    meter = P1Meter("E0001", import_t2_wh=16_722_627)
    truth, nonsense = meter.import_t2_wh, [96_722_627, 6_722_627, 16_822_627]
    passed = []
    for second in range(60):
        meter.import_t2_wh = nonsense[second // 10 % 3] if second % 10 == 5 else truth + second
        passed += reader.feed(meter.telegram(NOON_S + second), NOON_S + second)

    expected = [truth + second for second in range(60) if second % 10 != 5]
    assert [one.values["import_wh"] for one in passed] == expected


def test_a_repeated_mbus_value_is_still_handed_on_once() -> None:
    reader = P1Reader(gate=Gate())
    telegram = (
        b"/KWT5\\TEST\r\n\r\n0-0:1.0.0(260614120000S)\r\n0-1:24.1.0(003)\r\n0-1:96.1.0(4730)\r\n"
        b"0-1:24.2.1(260614115500S)(00001.000*m3)\r\n!"
    )
    whole = telegram + b"%04X\r\n" % crc16(telegram)

    assert [len(reader.feed(whole, NOON_S)) for _ in range(3)] == [1, 0, 0]


def test_what_is_kept_has_a_limit() -> None:
    gate = Gate()
    for number in range(1_000):
        gate.admit(Reading(f"gas-{number}", "", NOON_S, {"gas_dm3": 1}))

    assert len(gate.standing) == 32
