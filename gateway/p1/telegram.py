"""What a telegram says: its lines as exact whole numbers, its stamps as instants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.p1.framer import Crc, Frame
from gateway.p1.mbus import Channel, channels_of
from gateway.p1.quantity import whole_of
from gateway.p1.stamp import Stamp, stamp_of
from hardware import obis
from kwartier.interval import HOME_ZONE, Zone

_HEAD = re.compile(rb"(\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3})(?:[.*]\d{1,3})?")
_CHANNEL = re.compile(r"0-[1-9]:.+")
_REMEMBERED_BYTES = 4096
"""Of a longer telegram no line is kept between telegrams, which bounds what is kept."""
_REMEMBERED_LINES = 2048
"""Lines kept, parsed: most lines repeat, second after second."""

_MBUS = "mbus"
_CONTINUATION = "continuation"
_AWAITS_VALUE = ":" + obis.CHANNEL_OLD_VALUE

Objects = Mapping[str, tuple[str, ...]]
"""The values between brackets as sent, by OBIS code without its sixth number."""


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
        frame: A frame of ``gateway.p1.framer.Framer``; its ``crc`` is carried along.
        zone: The wall time of the house, for stamps without a season letter.
    """
    lines = frame.data.removesuffix(b"!").splitlines()
    header = lines[0].decode("latin-1").lstrip("/").strip() if lines else ""
    maker_zone = obis.ZONE_OF_MAKER.get(header[:4])
    if maker_zone is not None:
        zone = ZoneInfo(maker_zone)
    objects: dict[str, tuple[str, ...]] = {}
    numbers: dict[str, int] = {}
    on_mbus: list[str] = []
    unparsed = 0
    parsed = _remembered if len(frame.data) <= _REMEMBERED_BYTES else _object
    for code, values, series, whole in map(parsed, lines[1:]):
        if code:
            objects[code] = values
            if series:
                if series == _MBUS:
                    on_mbus.append(code)
                else:
                    numbers[series] = whole
        elif series and (last := next(reversed(objects), "")).endswith(_AWAITS_VALUE):
            objects[last] += values
        else:
            unparsed += whole
    sent = objects.get(obis.STAMP)
    return Telegram(
        crc=frame.crc,
        header=header,
        stamp=stamp_of(sent[0], zone) if sent else None,
        meter_id=_meter_id(objects),
        numbers=numbers,
        channels=_channels(tuple([(code, objects[code]) for code in on_mbus]), zone),
        objects=objects,
        unparsed_lines=unparsed,
        zone=zone,
    )


_channels = lru_cache(maxsize=64)(channels_of)

_Known = tuple[str, tuple[str, ...], str, int]


def _object(line: bytes) -> _Known:
    """Return a line as (code, values, series, whole number).

    An empty series marks an object of which nothing is stored. An empty code marks a line that is
    no object; its whole number is then the count of unparsed lines, 0 or 1.
    """
    head, _, rest = line.rstrip().partition(b"(")
    known = _head(head)
    if known is None or not rest.endswith(b")"):
        return _no_object(line)
    code, series, factors = known
    body = rest[:-1].decode("latin-1")
    values = tuple(body.split(")(")) if ")(" in body else (body,)
    if factors is None:
        return code, values, series, 0
    whole = whole_of(values[0], factors)
    if whole is None or whole < 0:
        return code, values, "", 0
    return code, values, series, whole


_remembered = lru_cache(maxsize=_REMEMBERED_LINES)(_object)


@lru_cache(maxsize=512)
def _head(head: bytes) -> tuple[str, str, Mapping[str, int] | None] | None:
    """Return what stands before the first bracket as (code, series, unit factors)."""
    match = _HEAD.fullmatch(head) if len(head) < 32 else None
    if match is None:
        return None
    code = match[1].decode("ascii")
    known = obis.METER_OBJECTS.get(code)
    if known is None:
        return code, _MBUS if _CHANNEL.fullmatch(code) else "", None
    return code, known.series, obis.UNIT_FACTORS[known.base]


def _no_object(line: bytes) -> _Known:
    text = line.decode("latin-1").strip()
    if text.startswith("(") and text.endswith(")") and "(" not in text[1:]:
        return "", (text[1:-1],), _CONTINUATION, 1
    return "", (), "", int(text != "")


def _meter_id(objects: Objects) -> str:
    for code in obis.METER_IDS:
        values = objects.get(code)
        if values and values[0]:
            return values[0]
    return ""
