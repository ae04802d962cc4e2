"""A meter's bytes in, its readings out; no port, no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.p1.framer import Crc, Frame, Framer
from gateway.p1.readings import Agreement, reading_of
from gateway.p1.telegram import Telegram, telegram_of
from hardware import obis
from kwartier.identity import DeviceId
from kwartier.interval import HOME_ZONE, Zone
from kwartier.reading import Reading
from kwartier.units import EpochS


@dataclass(slots=True)
class P1Counters:
    """What happened on one P1 line since the start.

    Attributes:
        telegrams: Whole telegrams that were believed.
        crc_failures: Telegrams whose checksum was wrong, or missing where it is due.
        cut_off: Telegrams that broke off.
        refused: Readings without checksum that their neighbours contradicted.
        garbage_bytes: Bytes that belonged to no telegram.
        readings: Readings handed on.
        meter_ahead_s: The meter's stamp less the gateway's clock, when last seen [s].
    """

    telegrams: int = 0
    crc_failures: int = 0
    cut_off: int = 0
    refused: int = 0
    garbage_bytes: int = 0
    readings: int = 0
    meter_ahead_s: float | None = None


class P1Reader:
    """Turns the bytes of one P1 line into readings.

    A telegram whose checksum is wrong yields nothing. One of a dialect without checksum yields
    its readings when the next telegram agrees. An M-Bus value is handed on once per stamp, though
    the meter repeats it for minutes.

    Attributes:
        counters: What happened so far.
    """

    def __init__(self, device: DeviceId = "p1", zone: Zone = HOME_ZONE) -> None:
        """Read for one device; ``zone`` is the wall time of stamps without season letter."""
        self.counters = P1Counters()
        self._device = device
        self._zone = zone
        self._framer = Framer()
        self._agreement = Agreement()
        self._last_mbus: dict[DeviceId, tuple[str, EpochS]] = {}

    def feed(self, piece: bytes, gateway_now_s: float) -> list[Reading]:
        """Return the readings that these next bytes complete, in order."""
        readings: list[Reading] = []
        for frame in self._framer.feed(piece):
            readings.extend(self._readings(frame, gateway_now_s))
        self.counters.garbage_bytes = self._framer.garbage_bytes
        self.counters.readings += len(readings)
        return readings

    def line_broke(self) -> None:
        """Forget the telegram that was under way: the line was opened anew."""
        self.counters.cut_off += len(self._framer.end())

    def _readings(self, frame: Frame, gateway_now_s: float) -> list[Reading]:
        if frame.crc is Crc.NO_END:
            self.counters.cut_off += 1
            return []
        if frame.crc is Crc.INVALID:
            self.counters.crc_failures += 1
            return []
        telegram = telegram_of(frame, self._zone)
        if frame.crc is Crc.NONE and _owes_checksum(telegram):
            self.counters.crc_failures += 1
            return []
        self.counters.telegrams += 1
        if telegram.stamp is not None:
            self.counters.meter_ahead_s = telegram.stamp.at_s - gateway_now_s
        readings = reading_of(telegram, self._device, gateway_now_s)
        if frame.crc is Crc.NONE:
            readings = self._agreement.admit(readings)
            self.counters.refused = self._agreement.refused
        return [reading for reading in readings if self._is_new(reading)]

    def _is_new(self, reading: Reading) -> bool:
        if reading.device == self._device:
            return True
        seen = (reading.meter, reading.at_s)
        if self._last_mbus.get(reading.device) == seen:
            return False
        self._last_mbus[reading.device] = seen
        return True


def _owes_checksum(telegram: Telegram) -> bool:
    """Return whether the edition it names, 4 or later or Belgian, has a checksum."""
    return any(code in telegram.objects for code in obis.VERSIONS)
