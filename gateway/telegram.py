"""What a telegram says: its lines as exact whole numbers, its stamps as instants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.p1 import Crc, Frame
from gateway.stamp import Stamp, stamp_of
from hardware import obis
from kwartier.interval import HOME_ZONE, Zone

_LINE = re.compile(
    r"(\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3})(?:[.*]\d{1,3})?\((.*)\)\s*", re.ASCII
)
_CONTINUED = re.compile(r"\(([^()]*)\)\s*", re.ASCII)
_NUMBER = re.compile(r"\s*(-?\d{1,12})(?:\.(\d{0,9}))?\s*\*?\s*([A-Za-z]*3?)\s*", re.ASCII)
_CHANNEL = re.compile(r"0-([1-9]):(.+)")
_REMEMBERED_LINE = 96
"""Bytes of the longest line kept between telegrams: most lines repeat, second after second."""

_UNREAD = "?"
_CONTINUATION = "+"
_MBUS = "mbus"

Objects = Mapping[str, tuple[str, ...]]
"""The values between brackets as sent, by OBIS code without its sixth number."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as sent, exactly: ``digits / 10 ** decimals`` in ``unit``."""

    digits: int
    decimals: int
    unit: str

    def whole(self, base: obis.Base) -> int | None:
        """Return it in whole base units, cut off as a counter does, or None in a foreign unit."""
        factor = self._factor(base)
        return None if factor is None else self.digits * factor // 10**self.decimals

    def number(self, base: obis.Base, per: int) -> float | None:
        """Return it for show in units of ``per`` base units, the nearest float there is."""
        factor = self._factor(base)
        return None if factor is None else self.digits * factor / (per * 10**self.decimals)

    def _factor(self, base: obis.Base) -> int | None:
        if not self.unit and self.decimals == 3 and base in (obis.Base.WH, obis.Base.W):
            return 1000
        return obis.UNIT_FACTORS[base].get(self.unit.lower())


@dataclass(frozen=True, slots=True)
class Channel:
    """A meter on the M-Bus, as far as the telegram tells of it.

    Attributes:
        number: Its channel, 1 to 9; the order of meters on channels is not fixed.
        type_code: What it measures, by number; None when not told.
        meter_id: Its own id as sent; empty when it has none.
        code: The OBIS code its value stands under; empty without value.
        stamp: When it had that value; None when no such instant exists.
        value: The value; None when there is none.
    """

    number: int
    type_code: int | None = None
    meter_id: str = ""
    code: str = ""
    stamp: Stamp | None = None
    value: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Telegram:
    """One telegram, decoded.

    Attributes:
        crc: What its checksum says; only ``crc.proves`` makes the numbers trustworthy.
        header: The line after ``/``.
        stamp: When it was made; None when it does not tell or no such instant exists.
        meter_id: The meter's own id as sent; empty when it has none.
        numbers: Whole numbers by series name (``hardware.obis``), what is told only.
        channels: The meters on its M-Bus, by channel.
        objects: All values as sent, by code.
        unparsed_lines: Lines that are no object.
        zone: Whose winter and summer its stamps are in.
    """

    crc: Crc
    header: str
    stamp: Stamp | None
    meter_id: str
    numbers: dict[str, int]
    channels: tuple[Channel, ...]
    objects: Objects
    unparsed_lines: int
    zone: Zone


def telegram_of(frame: Frame, zone: Zone = HOME_ZONE) -> Telegram:
    """Return what a frame says, leniently: a damaged line is counted, never an exception.

    Args:
        frame: A frame of ``gateway.p1.Framer``; its ``crc`` is carried along.
        zone: The wall time of the house, for stamps without a season letter.
    """
    lines = frame.data.removesuffix(b"!").splitlines()
    header = lines[0].decode("latin-1").lstrip("/").strip() if lines else ""
    maker_zone = obis.ZONE_OF_MAKER.get(header[:4])
    if maker_zone is not None:
        zone = ZoneInfo(maker_zone)
    objects: dict[str, tuple[str, ...]] = {}
    numbers: dict[str, int] = {}
    has_channels = False
    unparsed = 0
    code = ""
    for line in lines[1:]:
        known = _remembered(line) if len(line) <= _REMEMBERED_LINE else _object(line)
        if known is None:
            continue
        last, (code, values, series, whole) = code, known
        if series == "":
            objects[code] = values
        elif series == _MBUS:
            objects[code] = values
            has_channels = True
        elif series == _CONTINUATION and last.endswith(":" + obis.CHANNEL_OLD_VALUE):
            objects[last] += values
        elif code == "":
            unparsed += 1
        else:
            objects[code] = values
            numbers[series] = whole
    sent = objects.get(obis.STAMP)
    return Telegram(
        crc=frame.crc,
        header=header,
        stamp=stamp_of(sent[0], zone) if sent else None,
        meter_id=_first(objects, obis.METER_IDS),
        numbers=numbers,
        channels=_channels(objects, zone) if has_channels else (),
        objects=objects,
        unparsed_lines=unparsed,
        zone=zone,
    )


def quantity_of(text: str) -> Quantity | None:
    """Return the number and unit of a value such as ``000123.456*kWh``, with or without ``*``."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    whole, decimals, unit = match.groups()
    decimals = decimals or ""
    return Quantity(int(whole + decimals), len(decimals), unit)


_Known = tuple[str, tuple[str, ...], str, int]


def _object(line: bytes) -> _Known | None:
    """Return a line as (code, values, series, whole number), or None for an empty line.

    An empty series means that nothing is stored of it.
    """
    text = line.decode("latin-1")
    match = _LINE.fullmatch(text)
    if match is None:
        continued = _CONTINUED.fullmatch(text)
        if continued is not None:
            return "", (continued[1],), _CONTINUATION, 0
        return ("", (), _UNREAD, 0) if text.strip() else None
    code, body = match.groups()
    values = tuple(body.split(")("))
    known = obis.METER_OBJECTS.get(code)
    if known is None:
        return code, values, _MBUS if _CHANNEL.fullmatch(code) else "", 0
    quantity = quantity_of(values[0])
    whole = None if quantity is None else quantity.whole(known.base)
    if whole is None or whole < 0:
        return code, values, "", 0
    return code, values, known.series, whole


_remembered = lru_cache(maxsize=4096)(_object)


def _channels(objects: Objects, zone: Zone) -> tuple[Channel, ...]:
    numbers = sorted({int(match[1]) for match in map(_CHANNEL.fullmatch, objects) if match})
    found = (_channel(number, objects, zone) for number in numbers)
    return tuple(channel for channel in found if channel != Channel(channel.number))


def _channel(number: int, objects: Objects, zone: Zone) -> Channel:
    place = f"0-{number}:"
    type_text = objects.get(place + obis.CHANNEL_TYPE, ("",))[0]
    code, stamp_text, value_text = _channel_value(place, objects)
    return Channel(
        number=number,
        type_code=whole_number(type_text),
        meter_id=_first(objects, [place + end for end in obis.CHANNEL_IDS]),
        code=code,
        stamp=stamp_of(stamp_text, zone),
        value=quantity_of(value_text),
    )


def _channel_value(place: str, objects: Objects) -> tuple[str, str, str]:
    """Return the code, the stamp and the value of an M-Bus meter, empty where it has none."""
    for end in obis.CHANNEL_VALUES:
        values = objects.get(place + end)
        if values is not None:
            return place + end, values[0] if len(values) > 1 else "", values[-1]
    values = objects.get(place + obis.CHANNEL_OLD_VALUE)
    if values is None:
        return "", "", ""
    value = f"{values[-1]}*{values[5]}" if len(values) > 6 else ""
    return place + obis.CHANNEL_OLD_VALUE, values[0], value


def whole_number(text: str) -> int | None:
    """Return a plain count such as ``0003``, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _first(objects: Objects, codes: tuple[str, ...] | list[str]) -> str:
    """Return the first value that is not empty."""
    for code in codes:
        values = objects.get(code)
        if values and values[0]:
            return values[0]
    return ""
