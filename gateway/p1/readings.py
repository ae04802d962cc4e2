"""From telegrams to readings worth keeping: proven by a checksum, or by the next telegram."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.p1.mbus import Channel
from gateway.p1.telegram import Telegram
from hardware import obis
from kwartier.identity import DeviceId
from kwartier.reading import ClockSource, Reading
from kwartier.series import SERIES, Kind
from kwartier.units import EpochS

_DAY_S = 86_400
_SIDES = tuple(
    (f"{side}_wh", tariffs, tariffs[2:])
    for side in ("import", "export")
    for tariffs in [tuple(f"{side}_t{tariff}_wh" for tariff in (1, 2, 3, 4))]
)
"""Per side the total, its tariffs, and those of them that have no series of their own."""


def reading_of(
    telegram: Telegram,
    device: DeviceId,
    gateway_now_s: float,
    names: Mapping[int, DeviceId] | None = None,
) -> list[Reading]:
    """Return what a telegram says as readings: the meter's own first, then its M-Bus meters'.

    The caller has judged the telegram's checksum. Energy is whole watt-hours, cut off. The total
    is the meter's own where it sends one, else the sum of its tariffs. A stamp that is absent or
    more than a day from the gateway's clock gives way to that clock; an M-Bus value with such a
    stamp is left out, because nobody knows when it was true.

    Args:
        telegram: Of ``gateway.p1.telegram.telegram_of``.
        device: The name of the electricity meter.
        gateway_now_s: The gateway's synchronised clock [s].
        names: Of the M-Bus meters by channel; None for ``gas-1``, ``heat-2`` and so on, by type
            and channel. Each is read under its own meter id.
    """
    readings: list[Reading] = []
    values = _values(telegram.numbers)
    if values:
        stamp = telegram.stamp
        own = stamp is not None and abs(stamp.at_s - gateway_now_s) <= _DAY_S
        at_s = stamp.at_s if own and stamp is not None else int(gateway_now_s)
        clock = ClockSource.METER if own else ClockSource.GATEWAY
        readings.append(Reading(device, telegram.meter_id, at_s, values, clock))
    for channel in telegram.channels:
        reading = _mbus_reading(channel, gateway_now_s, names)
        if reading is not None:
            readings.append(reading)
    return readings


class Agreement:
    """Holds back each reading of a meter without checksum until the next one agrees with it.

    A damaged digit makes a register jump or step back against one of its neighbours; then the
    reading between them is dropped. Keeps two readings per device.

    Attributes:
        refused: Readings dropped so far because the next or the last one contradicted them.
    """

    _MOST_DEVICES = 10

    def __init__(self) -> None:
        """Start without any reading."""
        self._waiting: dict[DeviceId, Reading] = {}
        self._admitted: dict[DeviceId, Reading] = {}
        self.refused = 0

    def admit(self, readings: list[Reading]) -> list[Reading]:
        """Return the earlier readings that these ones confirm, and hold these back."""
        confirmed: list[Reading] = []
        for reading in readings:
            waiting = self._waiting.get(reading.device)
            if waiting is None and len(self._waiting) >= self._MOST_DEVICES:
                continue
            self._waiting[reading.device] = reading
            if waiting is None:
                continue
            if _follows(waiting, reading) and not self._slips_back(waiting):
                self._admitted[waiting.device] = waiting
                confirmed.append(waiting)
            else:
                self.refused += 1
        return confirmed

    def _slips_back(self, reading: Reading) -> bool:
        """Return whether a register is a little below what was admitted; far below is a reset."""
        last = self._admitted.get(reading.device)
        if last is None or last.meter != reading.meter:
            return False
        most = _most_growth(last.at_s, reading.at_s)
        return any(
            0 < last.values.get(name, 0) - reading.values[name] <= most
            for name in _registers(reading)
        )


def _values(numbers: dict[str, int]) -> dict[str, int]:
    values = dict(numbers)
    for total, tariffs, inner in _SIDES:
        if total not in values:
            told = [values[name] for name in tariffs if name in values]
            if told:
                values[total] = sum(told)
        for name in inner:
            values.pop(name, None)
    return values


def _mbus_reading(
    channel: Channel, gateway_now_s: float, names: Mapping[int, DeviceId] | None
) -> Reading | None:
    kind = obis.MBUS_TYPES.get(channel.type_code or 0)
    stored = obis.MBUS_SERIES.get(kind) if kind is not None else None
    if kind is None or stored is None or channel.value is None or channel.stamp is None:
        return None
    series, base = stored
    whole = channel.value.whole(base)
    if whole is None or whole < 0 or abs(channel.stamp.at_s - gateway_now_s) > _DAY_S:
        return None
    usual = f"{kind}-{channel.number}"
    device = usual if names is None else names.get(channel.number, usual)
    return Reading(device, channel.meter_id, channel.stamp.at_s, {series: whole})


def _follows(earlier: Reading, later: Reading) -> bool:
    if earlier.meter != later.meter or earlier.values.keys() != later.values.keys():
        return False
    most = _most_growth(earlier.at_s, later.at_s)
    return all(0 <= later.values[name] - earlier.values[name] <= most for name in _registers(later))


def _registers(reading: Reading) -> list[str]:
    return [name for name in reading.values if SERIES[name].kind is not Kind.INSTANT]


def _most_growth(from_s: EpochS, to_s: EpochS) -> int:
    """Return the most a register can honestly grow: a step of 1 kWh, and 100 kW for the time."""
    return 1000 + 100_000 * abs(to_s - from_s) // 3600
