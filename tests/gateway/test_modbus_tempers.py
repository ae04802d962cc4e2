"""Devices with the temper of real makes, on a real socket, with their times shrunk."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest

from gateway.modbus.breaker import UnitPausedError
from gateway.modbus.line import LinkSettings, most_patient
from gateway.modbus.link import ModbusLink
from gateway.modbus.poll import ProfilePoll, Role, SunSpecPoll
from gateway.modbus.poller import Asked, Poller, ReleasingPoll
from gateway.modbus.turns import Lane
from hardware.profile import load_profile
from hardware.registers import HOLDING, Image, RegistersRefusedError, Words
from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import RecordedDevice
from hardware.twins.sunspec_image import device_words, model_words
from hardware.twins.temper import Temper, TemperedServer, huawei, solaredge
from kwartier.clock import VirtualClock
from kwartier.errors import LinkDownError, TemporaryError
from kwartier.reading import Reading

NOON_S = 1_782_900_000
PATIENT_S = 30.0


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition, at most half a minute."""
    end_s = time.monotonic() + PATIENT_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.005)


def linked(server: TemperedServer, **given: float) -> ModbusLink:
    times = {"timeout_s": PATIENT_S, "busy_wait_s": 0.01, **given}
    return ModbusLink(
        LinkSettings(
            "127.0.0.1",
            server.port,
            timeout_s=times["timeout_s"],
            connect_wait_s=times.get("connect_wait_s", 0.0),
            gap_s=times.get("gap_s", 0.0),
            busy_wait_s=times["busy_wait_s"],
        )
    )


def inverter() -> InverterTwin:
    twin = InverterTwin(10_000)
    twin.show(4_200, 7_000)
    return twin


def test_a_device_that_takes_one_client_turns_a_second_away_with_a_reason() -> None:
    with TemperedServer([inverter()], solaredge()) as server:
        first, second = linked(server), linked(server)
        first.read(1, 40_000, 2)

        with pytest.raises(LinkDownError, match="does another program use it"):
            second.read(1, 40_000, 2)

        assert first.read(1, 40_000, 2) == [0x5375, 0x6E53]
        first.close()


def test_a_connection_closed_for_being_idle_is_opened_again_unnoticed() -> None:
    with TemperedServer([inverter()], solaredge(scale=0.0005)) as server:
        link = linked(server)
        link.read(1, 40_000, 2)
        until(lambda: server.clients == 0)

        assert link.read(1, 40_000, 2) == [0x5375, 0x6E53]

        assert server.tally.idle == 1
        assert server.tally.connections == 2
        link.close()


def test_a_device_with_one_connection_is_let_go_after_each_round() -> None:
    """The resident's own program gets in between two rounds, and we again after it."""
    clock = VirtualClock(NOON_S)
    taken: list[Reading] = []
    with TemperedServer([inverter()], solaredge()) as server:
        link, other = linked(server), linked(server)
        poll = SunSpecPoll(link.unit(1), "inverter", Role.SOLAR, clock)
        poller = Poller([Asked("inverter", ReleasingPoll(poll, link), 1.0)], clock, taken.append)

        for _ in range(3):
            poller.turn()
            until(lambda: server.clients == 0)
            assert other.read(1, 40_000, 2) == [0x5375, 0x6E53]
            other.close()
            until(lambda: server.clients == 0)
            clock.advance(1.0)

    assert len(taken) == 3
    assert server.tally.turned_away == 0


def test_the_dongle_that_is_slow_to_wake_and_often_busy_is_read_by_its_profile() -> None:
    """Times are a tenth: awake 0.1 s after connecting, 5 ms between requests; every fifth busy."""
    profile = load_profile("huawei_sun2000")
    image = Image.of_blocks("sun2000", [(30_000, [0] * 2200), (32_200, [0] * 6000)])
    with TemperedServer([RecordedDevice(0, image)], huawei(scale=0.1)) as server:
        link = linked(server, connect_wait_s=profile.connect_wait_s / 10, gap_s=profile.gap_s / 10)
        poll = ProfilePoll(link.unit(1), "inverter", profile, VirtualClock(NOON_S))

        values = [poll.read().values for _ in range(3)]

        assert values[0]["solar_w"] == 0
        assert values[0] == values[1] == values[2]
        assert server.tally.early == 0
        assert server.tally.busy > 0
        assert server.tally.connections == 1
        link.close()


def test_a_connection_cut_in_the_middle_of_an_answer_costs_no_reading() -> None:
    with TemperedServer([inverter()], Temper(drop_every=4)) as server:
        link = linked(server)
        poll = SunSpecPoll(link.unit(1), "inverter", Role.SOLAR, VirtualClock(NOON_S))

        values = [poll.read().values for _ in range(8)]

        assert values == [{"solar_w": 4_200, "produced_wh": 7_000}] * 8
        assert server.tally.dropped >= 4
        link.close()


def test_an_answer_that_belongs_to_an_earlier_request_is_never_taken_for_ours() -> None:
    with TemperedServer([inverter()], Temper(stray_every=2)) as server:
        link = linked(server)

        marks = [link.read(1, 40_000, 2) for _ in range(10)]

        assert marks == [[0x5375, 0x6E53]] * 10
        link.close()


def test_what_a_guest_asks_in_vain_is_not_held_against_the_unit() -> None:
    """After 0.4 s of silence guests wait 2 s at least, and the gateway reads on at once."""
    twin = inverter()
    with TemperedServer([twin], Temper()) as server:
        link = linked(server, timeout_s=0.4)
        twin.silent = True
        guest = link.unit(1, Lane.GUEST)
        with pytest.raises(LinkDownError, match="no answer"):
            guest.read(40_000, 2)
        twin.silent = False

        with pytest.raises(UnitPausedError):
            guest.read(40_000, 2)

        assert link.read(1, 40_000, 2) == [0x5375, 0x6E53]
        assert server.tally.requests == 2
        link.close()


def test_an_inverter_that_was_swapped_while_it_was_away_is_known_by_its_own_serial() -> None:
    clock = VirtualClock(NOON_S)
    serials = []
    with TemperedServer([InverterTwin(5_000, serial="old")], Temper()) as server:
        port = server.port
        link = ModbusLink(LinkSettings("127.0.0.1", port, timeout_s=PATIENT_S, retries=0))
        poll = SunSpecPoll(link.unit(1), "inverter", Role.SOLAR, clock)
        serials.append(poll.read().meter)
    with pytest.raises(LinkDownError):
        poll.read()

    with TemperedServer([InverterTwin(5_000, serial="new")], Temper(), port):
        serials.append(poll.read().meter)
        link.close()

    assert serials == ["old", "new"]


def every_answer_is_its_own(reads: int) -> None:
    """Eight threads read registers that hold their own address, on a link where all goes wrong.

    Connections are cut in the middle of answers, answers of others come first, the device is
    busy, and writes go in between: whatever is answered must be what was asked.
    """
    image = Image.of_blocks("mirror", [(0, list(range(0x4000)))])
    temper = Temper(most_clients=1, busy_every=7, stray_every=5, drop_every=31)
    wrong: list[tuple[int, int]] = []
    done = [0] * 8
    with TemperedServer([RecordedDevice(0, image)], temper) as server:
        settings = LinkSettings(
            "127.0.0.1", server.port, timeout_s=PATIENT_S, retries=5, busy_wait_s=0.0
        )
        link = ModbusLink(settings)

        def ask(number: int) -> None:
            chance = random.Random(number)  # noqa: S311 - a choice of registers
            lane = Lane.GUEST if number % 4 == 3 else Lane.OWN
            for _ in range(reads // len(done)):
                address, count = chance.randrange(0x3F00), chance.randint(1, 125)
                try:
                    words = link.read(1 + number % 3, address, count, lane=lane)
                except TemporaryError:
                    continue  # a guest is not asked for twice, and busy may last
                if list(words) != list(range(address, address + count)):
                    wrong.append((address, count))
                done[number] += 1

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(done))]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            with pytest.raises(RegistersRefusedError):
                link.write(1, 0, [1])
            time.sleep(0.01)
        link.close()

    assert wrong == []
    assert sum(done) > reads * 0.8
    assert server.tally.dropped > reads // 100
    assert server.tally.turned_away <= server.tally.dropped


def test_every_answer_goes_to_who_asked() -> None:
    every_answer_is_its_own(1_000)


@pytest.mark.nightly
def test_each_of_two_hundred_thousand_answers_goes_to_who_asked() -> None:
    every_answer_is_its_own(200_000)


def test_a_float_model_whose_values_are_no_numbers_at_night_tells_nothing() -> None:
    """Fronius sends 0x7FBFFF80 where there is no number, one of the many forms of NaN."""
    night = model_words(111, {"W": 0x7FBFFF80, "WH": 0x7FBFFF80})
    day = model_words(111, {"W": 0x44FA0000, "WH": 0x461C4000})
    clock = VirtualClock(NOON_S)

    told = []
    for measured in (night, day):
        words = device_words([model_words(1, {"SN": "one"}), measured])
        image = Image.of_blocks("fronius", [(40_000, words)])
        with TemperedServer([RecordedDevice(1, image)], Temper()) as server:
            link = linked(server)
            told.append(SunSpecPoll(link.unit(1), "inverter", Role.SOLAR, clock).read().values)
            link.close()

    assert told == [{}, {"solar_w": 2_000, "produced_wh": 10_000}]


def test_a_device_that_appears_later_than_the_gateway_is_read_from_then_on() -> None:
    clock = VirtualClock(NOON_S)
    taken: list[Reading] = []
    with TemperedServer([inverter()], Temper()) as server:
        port = server.port
    link = ModbusLink(LinkSettings("127.0.0.1", port, timeout_s=PATIENT_S))
    poll = SunSpecPoll(link.unit(1), "inverter", Role.SOLAR, clock)
    poller = Poller([Asked("inverter", poll, 1.0)], clock, taken.append)
    poller.turn()

    with TemperedServer([inverter()], Temper(), port):
        clock.advance(10.0)
        poller.turn()
        link.close()

    assert [reading.values["solar_w"] for reading in taken] == [4_200]


def test_one_silent_unit_of_three_does_not_hold_up_the_others() -> None:
    """Each of three pollers has its thread; the dead unit costs 0.3 s and then its pauses.

    The others are asked every 50 ms. While the dead one is asked twice they must be read at
    least ten times each, which they could not if each of its turns held up each of theirs.
    """
    twins = [InverterTwin(5_000, unit=unit) for unit in (1, 2, 3)]
    twins[1].silent = True
    taken: dict[int, int] = {1: 0, 2: 0, 3: 0}
    asked = [0]
    with TemperedServer(twins, Temper()) as server:
        settings = LinkSettings("127.0.0.1", server.port, timeout_s=0.3, retries=0)
        link = ModbusLink(settings)
        stop = threading.Event()

        def ask(unit: int) -> None:
            source = link.unit(unit)
            while not stop.wait(0.05):
                try:
                    source.read(40_000, 2)
                    taken[unit] += 1
                except LinkDownError:
                    asked[0] += 1

        threads = [threading.Thread(target=ask, args=(unit,)) for unit in taken]
        for thread in threads:
            thread.start()
        until(lambda: min(taken[1], taken[3]) >= 10 and asked[0] >= 10)
        stop.set()
        for thread in threads:
            thread.join(PATIENT_S)
        link.close()

    silences = server.tally.requests - taken[1] - taken[3]
    assert taken[2] == 0
    assert silences <= 1 + asked[0] // 3


class Counted:
    """Counts the requests of one poll."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self.requests: list[tuple[int, int]] = []

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        self.requests.append((address, count))
        return self._image.read(address, count, function_code)


def test_a_sunspec_inverter_is_read_in_one_request_once_its_models_are_known() -> None:
    words = device_words([model_words(1, {"SN": "se"}), model_words(103, {"W": 1, "W_SF": 0})])
    source = Counted(Image.of_blocks("se", [(40_000, words)]))
    poll = SunSpecPoll(source, "inverter", Role.SOLAR, VirtualClock(NOON_S))
    poll.read()
    source.requests.clear()

    poll.read()

    assert source.requests == [(40_070, 52)]


def test_a_profiled_inverter_is_read_in_few_requests() -> None:
    """Singly its registers would be a request each; in blocks at most one for four."""
    profile = load_profile("goodwe_et")
    whole = Image.of_blocks("et", [(35_000, [0] * 3_000)])
    source = Counted(whole)
    poll = ProfilePoll(source, "inverter", profile, VirtualClock(NOON_S))

    poll.read()

    assert len(source.requests) <= len(profile.registers) // 4
    assert all(count <= 125 for _, count in source.requests)


def test_the_most_patient_times_hold_for_all_devices_at_one_address() -> None:
    hurried = LinkSettings("192.0.2.1", timeout_s=1.0, gap_s=0.1)
    patient = LinkSettings("192.0.2.1", timeout_s=5.0, connect_wait_s=1.5)
    other = LinkSettings("192.0.2.2")

    merged = most_patient([hurried, patient, other])

    both = LinkSettings("192.0.2.1", timeout_s=5.0, connect_wait_s=1.5, gap_s=0.1)
    assert merged == {"192.0.2.1:502": both, "192.0.2.2:502": other}
