"""The gas, water and heat meters that hang on an electricity meter's M-Bus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.p1.quantity import Quantity, count_of, quantity_of
from gateway.p1.stamp import Stamp, stamp_of
from hardware import obis
from kwartier.interval import Zone


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


def channels_of(
    objects: tuple[tuple[str, tuple[str, ...]], ...], zone: Zone
) -> tuple[Channel, ...]:
    """Return the meters of which these objects tell anything, by channel.

    Args:
        objects: Pairs of a code ``0-n:…`` and its values as sent.
        zone: The wall time of stamps without season letter.
    """
    by_channel: dict[int, dict[str, tuple[str, ...]]] = {}
    for code, values in objects:
        by_channel.setdefault(int(code[2]), {})[code[4:]] = values
    found = (_channel(number, told, zone) for number, told in sorted(by_channel.items()))
    return tuple(channel for channel in found if channel != Channel(channel.number))


def _channel(number: int, told: Mapping[str, tuple[str, ...]], zone: Zone) -> Channel:
    ids = [told[code][0] for code in obis.CHANNEL_IDS if code in told]
    code, stamp_text, value_text = _value(told)
    return Channel(
        number=number,
        type_code=count_of(told.get(obis.CHANNEL_TYPE, ("",))[0]),
        meter_id=next((text for text in ids if text), ""),
        code=f"0-{number}:{code}" if code else "",
        stamp=stamp_of(stamp_text, zone),
        value=quantity_of(value_text),
    )


def _value(told: Mapping[str, tuple[str, ...]]) -> tuple[str, str, str]:
    """Return the code, the stamp and the value of a meter, empty where it has none."""
    for code in obis.CHANNEL_VALUES:
        values = told.get(code)
        if values is not None:
            return code, values[0] if len(values) > 1 else "", values[-1]
    values = told.get(obis.CHANNEL_OLD_VALUE)
    if values is None:
        return "", "", ""
    value = f"{values[-1]}*{values[5]}" if len(values) > 6 else ""
    return obis.CHANNEL_OLD_VALUE, values[0], value
