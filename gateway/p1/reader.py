"""A meter's bytes in, its readings out; no port, no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.p1.channels import ChannelNames
from gateway.p1.framer import Crc, Frame, Framer
from gateway.p1.plausible import Gate
from gateway.p1.readings import Agreement, reading_of
from gateway.p1.sealed import Unsealer
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
        garbage_bytes: Bytes that belonged to no telegram, or to no sealed frame.
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

    def __init__(
        self,
        device: DeviceId = "p1",
        zone: Zone = HOME_ZONE,
        *,
        unsealer: Unsealer | None = None,
        gate: Gate | None = None,
        names: ChannelNames | None = None,
    ) -> None:
        """Read for one device.

        Args:
            device: The electricity meter's name on this gateway.
            zone: The wall time of stamps without season letter.
            unsealer: Opens the telegrams of a meter that seals them; clear ones then count for
                nothing.
            gate: Holds each reading against those before; None believes every proven telegram.
            names: What the meters on the M-Bus are called, as before a restart.
        """
        self.counters = P1Counters()
        self._unsealer = unsealer
        self._gate = gate
        self._names = names or ChannelNames()
        self._device = device
        self._zone = zone
        self._framer = Framer()
        self._agreement = Agreement()
        self._last_mbus: dict[DeviceId, tuple[str, EpochS]] = {}

    def feed(self, piece: bytes, gateway_now_s: float) -> list[Reading]:
        """Return the readings that these next bytes complete, in order."""
        readings: list[Reading] = []
        for clear in self._clear(piece):
            for frame in self._framer.feed(clear):
                readings.extend(self._readings(frame, gateway_now_s))
        self.counters.garbage_bytes = self._framer.garbage_bytes
        if self._unsealer is not None:
            self.counters.garbage_bytes += self._unsealer.counters.garbage_bytes
        return readings

    def take(self, telegram: Telegram, gateway_now_s: float) -> list[Reading]:
        """Return the readings of a telegram that was proven elsewhere, as bytes were."""
        self.counters.telegrams += 1
        if telegram.stamp is not None:
            self.counters.meter_ahead_s = telegram.stamp.at_s - gateway_now_s
        names = self._names.names(telegram.channels)
        readings = reading_of(telegram, self._device, gateway_now_s, names)
        if telegram.crc is Crc.NONE:
            readings = self._agreement.admit(readings)
            self.counters.refused = self._agreement.refused
        if self._gate is not None:
            readings = [one for reading in readings for one in self._gate.admit(reading)]
        fresh = [reading for reading in readings if self._is_new(reading)]
        self.counters.readings += len(fresh)
        return fresh

    def line_broke(self) -> None:
        """Forget the telegram that was under way: the line was opened anew."""
        self.counters.cut_off += len(self._framer.end())
        if self._unsealer is not None:
            self.counters.cut_off += self._unsealer.line_broke()

    def _clear(self, piece: bytes) -> list[bytes]:
        if self._unsealer is None:
            return [piece]
        return [telegram + b"\r\n" for telegram in self._unsealer.feed(piece)]

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
        return self.take(telegram, gateway_now_s)

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
