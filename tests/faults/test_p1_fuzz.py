"""Whatever a meter's line or a HomeWizard meter says, nothing raises and nothing grows."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from gateway.p1.channels import ChannelNames
from gateway.p1.homewizard_answer import telegram_of_answer
from gateway.p1.plausible import Gate
from gateway.p1.reader import P1Reader
from gateway.p1.sealed import SealKeys, Unsealer
from hardware.crc16 import crc16
from hardware.twins.p1_meter import GasMeter, P1Meter
from kwartier.errors import ContractError
from kwartier.interval import HOME_ZONE
from kwartier.packing import LAST_INSTANT_S
from kwartier.reading import Reading
from kwartier.series import SERIES, Kind
from tests.gateway.p1_sealing import KEY, sealed

NOON_S = 1_781_431_200
"""2026-06-14T10:00Z."""
MOST_GROWTH_BYTES = 20 * 1024 * 1024
SHORT, LONG = 5_000, 500_000

OLD = (
    b"/ISk5\\2MT382-1003\r\n\r\n0-0:96.1.1(5A42)\r\n1-0:1.8.1(00001.001*kWh)\r\n"
    b"1-0:2.8.1(00000.000*kWh)\r\n1-0:1.7.0(0000.59*kW)\r\n0-1:24.1.0(3)\r\n0-1:96.1.0(3238)\r\n"
    b"0-1:24.3.0(260614120000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00001.001)\r\n!\r\n"
)
"""An edition 2.2 without checksum, its gas on two lines."""
BELGIAN = (
    b"/FLU5\\253769484_A\r\n\r\n0-0:96.1.4(50217)\r\n0-0:96.1.1(3153)\r\n"
    b"0-0:1.0.0(260614120000S)\r\n1-0:1.8.1(000000.034*kWh)\r\n1-0:1.8.2(000015.758*kWh)\r\n"
    b"1-0:1.4.0(02.351*kW)\r\n1-0:1.6.0(260509134558S)(02.589*kW)\r\n"
    b"0-0:98.1.0(1)(1-0:1.6.0)(1-0:1.6.0)(260501000000S)(260423192538S)(03.695*kW)\r\n"
    b"0-1:24.1.0(003)\r\n0-1:96.1.1(3746)\r\n0-1:24.2.3(260614115500S)(00112.384*m3)\r\n"
    b"0-2:24.1.0(007)\r\n0-2:96.1.1(3853)\r\n0-2:24.2.1(260614115500S)(00872.234*m3)\r\n!"
)
ANSWER = (
    b'{"unique_id":"4530","meter_model":"X","total_power_import_kwh":13779.338,'
    b'"active_power_w":-123,"active_voltage_l1_v":230.1,"total_gas_m3":1122.333,'
    b'"gas_timestamp":260614115500,"external":[{"unique_id":"38","type":"water_meter",'
    b'"timestamp":260614115500,"value":1.25,"unit":"m3"}]}'
)


def own_seeds() -> list[bytes]:
    """Return telegrams of a running meter, of a Belgian one and of one without checksum."""
    meter = P1Meter("E0001", import_t2_wh=16_722_627, gas=GasMeter("G0001", 5_359_919, NOON_S))
    running = []
    for second in range(20):
        meter.count(import_wh=second % 3, export_wh=0)
        running.append(meter.telegram(NOON_S + second))
    return [*running, BELGIAN + b"%04X\r\n" % crc16(BELGIAN), OLD, OLD]


def recorded_seeds(request: pytest.FixtureRequest) -> list[bytes]:
    """Return the recorded telegrams, where they are on this machine."""
    with suppress(pytest.skip.Exception):
        folder = request.getfixturevalue("shared_data")
        assert isinstance(folder, Path)
        return [path.read_bytes()[:16_000] for path in sorted(folder.glob("p1/telegrams/*"))]
    return []


def truncated(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))]


def beheaded(data: bytes, random: Random) -> bytes:
    return data[random.randrange(len(data)) :]


def flipped(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def glued(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data))
    return data[:place] + data[random.randrange(len(data)) :] + data


def huge(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data))
    return data[:place] + random.choice([b"9", b"(", b"/", b"!", b"\x00", b"\r\n"]) * 20_000


def not_ascii(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data))
    return data[:place] + random.randbytes(random.randint(1, 20)) + data[place:]


def with_commas(data: bytes, _: Random) -> bytes:
    return data.replace(b".", b",")


def split_lines(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data))
    return data[:place] + random.choice([b"\r\n", b"\n", b"\r"]) + data[place:]


def two_headers(data: bytes, _: Random) -> bytes:
    return data.split(b"\r\n", 1)[0] + random_line(data) + data


def random_line(data: bytes) -> bytes:
    return data[: len(data) // 7]


def doubled_line(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    lines.insert(random.randrange(len(lines)), random.choice(lines))
    return b"".join(lines)


def nonsense_with_checksum(data: bytes, random: Random) -> bytes:
    """Change digits and compute the checksum anew: no checksum can tell."""
    body = bytearray(data[: data.rfind(b"!") + 1].rjust(2, b"/"))
    for _ in range(random.randint(1, 10)):
        place = random.randrange(len(body) - 1)
        if 48 <= body[place] <= 57:
            body[place] = random.randint(48, 57)
    return bytes(body) + b"%04X\r\n" % crc16(bytes(body))


MUTATIONS: list[Callable[[bytes, Random], bytes]] = [
    truncated,
    beheaded,
    flipped,
    glued,
    not_ascii,
    with_commas,
    split_lines,
    two_headers,
    doubled_line,
    nonsense_with_checksum,
]
HUGE_EACH = 500
"""A huge one now and then: it takes as long as ten others."""


class Line:
    """One gateway's way from bytes to readings, used for every input of a run."""

    def __init__(self, seeds: list[bytes], random: Random) -> None:
        self.random = random
        self.seeds = seeds
        self.clear = P1Reader(gate=Gate(), names=ChannelNames())
        self.sealed = P1Reader(unsealer=Unsealer(SealKeys(KEY)), gate=Gate(), names=ChannelNames())
        self.counter = 0
        self.inputs = 0
        self.readings = 0
        self.last: dict[str, Reading] = {}

    def one(self) -> None:
        """Make one input and read it."""
        self.inputs += 1
        seed = self.random.choice(self.seeds)
        kind = self.random.random()
        if kind < 0.05:
            self._answer()
        elif kind < 0.15:
            self._sealed(seed)
        else:
            data = self._mutated(seed) if self.random.random() < 0.9 else seed
            self._check(self._fed(self.clear, data))

    def _mutated(self, data: bytes) -> bytes:
        if self.inputs % HUGE_EACH == 0:
            return huge(data, self.random)
        for _ in range(self.random.randint(1, 3)):
            data = self.random.choice(MUTATIONS)(data, self.random) or b"/"
        return data

    def _fed(self, reader: P1Reader, data: bytes) -> list[Reading]:
        place = self.random.randrange(len(data) + 1)
        now_s = NOON_S + self.inputs % 86_400
        return reader.feed(data[:place], now_s) + reader.feed(data[place:], now_s)

    def _sealed(self, seed: bytes) -> None:
        self.counter += 1
        inside = self._mutated(seed) if self.random.random() < 0.5 else seed
        frame = sealed(inside[:16_000], self.counter)
        data = self._mutated(frame) if self.random.random() < 0.5 else frame
        self._fed(self.sealed, data)

    def _answer(self) -> None:
        body = flipped(ANSWER, self.random)
        if self.random.random() < 0.5:
            body = self.random.choice(MUTATIONS)(body, self.random)
        with suppress(ContractError):
            self.clear.take(telegram_of_answer(body, HOME_ZONE), NOON_S)

    def _check(self, readings: list[Reading]) -> None:
        """Every value is a whole number, every instant has a date, no register goes back."""
        for reading in readings:
            self.readings += 1
            assert 0 <= reading.at_s <= LAST_INSTANT_S
            before = self.last.get(reading.device)
            for name, value in reading.values.items():
                assert type(value) is int
                assert 0 <= value < 10**16
                if before is not None and before.meter == reading.meter:
                    is_register = SERIES[name].kind is not Kind.INSTANT
                    assert not is_register or before.values.get(name, 0) <= value
            self.last[reading.device] = reading
        assert len(self.last) < 300


def rss_bytes() -> int:
    """Return the memory this process holds now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def run(seeds: list[bytes], inputs: int) -> Iterator[Line]:
    line = Line(seeds, Random(5))  # noqa: S311 - the same inputs every time
    for _ in range(inputs):
        line.one()
        yield line


def test_five_thousand_broken_inputs_raise_nothing() -> None:
    *_, line = run(own_seeds(), SHORT)

    assert line.inputs == SHORT
    assert line.readings > 0


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_half_a_million_broken_inputs_raise_nothing_and_nothing_grows(
    request: pytest.FixtureRequest,
) -> None:
    warm_bytes = 0
    for line in run(own_seeds() + recorded_seeds(request), LONG):
        if line.inputs == LONG // 10:
            warm_bytes = rss_bytes()

    grown = rss_bytes() - warm_bytes
    print(f"\n{line.inputs} inputs, {line.readings} readings, {grown / 2**20:.1f} MiB more")  # noqa: T201 - a measurement
    assert line.inputs == LONG
    assert grown <= MOST_GROWTH_BYTES
