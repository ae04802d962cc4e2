"""What a HomeWizard P1 meter answers in JSON, as the telegram it stands for.

Numbers are read as decimals, so that 13779.338 kWh is 13,779,338 Wh and not one less. A value that
is away, negative where a counter cannot be, or no number is absent.

Source:
    HomeWizard, "Local API" documentation: ``/api/v1/data`` and the v2 measurement; power and
    current are negative where energy is given back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import NoReturn, TypeAlias

from gateway.p1.framer import Crc
from gateway.p1.mbus import Channel
from gateway.p1.quantity import Quantity
from gateway.p1.stamp import Stamp, stamp_of
from gateway.p1.telegram import Telegram
from kwartier.errors import ContractError
from kwartier.interval import Zone

MOST_BYTES = 65_536
"""The longest answer that is looked at."""

_Table: TypeAlias = Mapping[str, object]
_END = Decimal(10) ** 12
_MOST_EXTERNAL = 16
_MOST_ID = 96
_COUNTERS = {
    f"{before}_{side}{tariff}_kwh": f"{side}{tariff}_wh"
    for before in ("total_power", "energy")
    for side in ("import", "export")
    for tariff in ("", "_t1", "_t2", "_t3", "_t4")
}
_POWERS = {
    f"{before}power{phase}_w": phase
    for before in ("active_", "")
    for phase in ("", "_l1", "_l2", "_l3")
}
_SIZES = {
    f"{before}{name}_l{phase}_{unit}": (f"{name}_l{phase}_{series}", factor)
    for before in ("active_", "")
    for name, unit, series, factor in (("voltage", "v", "dv", 10), ("current", "a", "ma", 1000))
    for phase in (1, 2, 3)
}
_TARIFFS = ("active_tariff", "tariff")
_TYPES = {
    "gas_meter": 3,
    "heat_meter": 4,
    "warm_water_meter": 6,
    "water_meter": 7,
    "inlet_heat_meter": 12,
}
"""Its words for what the M-Bus numbers (EN 13757-3)."""
_UNITS = {"m3": "m3", "GJ": "GJ", "MJ": "MJ", "kWh": "kWh"}


def telegram_of_answer(body: bytes, zone: Zone) -> Telegram:
    """Return an answer in JSON as a telegram without bytes; its transport vouches for it.

    Args:
        body: Of ``/api/v1/data``, or a v2 measurement.
        zone: The wall time of its stamps, which have no season letter.

    Raises:
        ContractError: It is too long, no JSON object, or tells nothing of an electricity meter.
    """
    table = _parsed(body)
    meter_id = _id(table.get("unique_id"))
    numbers = _numbers(table)
    if not numbers:
        raise ContractError("the answer tells no value of an electricity meter: is it a P1 meter?")
    return Telegram(
        crc=Crc.VALID,
        header=str(table.get("meter_model", ""))[:40],
        stamp=_stamp(table.get("timestamp"), zone),
        meter_id=meter_id,
        numbers=numbers,
        channels=_channels(table, zone),
        objects={},
        unparsed_lines=0,
        zone=zone,
    )


def _parsed(body: bytes) -> _Table:
    if len(body) > MOST_BYTES:
        raise ContractError(f"the answer has more than {MOST_BYTES} bytes")
    try:
        table = json.loads(body, parse_float=Decimal, parse_int=Decimal, parse_constant=_refused)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise ContractError("the answer is no JSON") from error
    if not isinstance(table, dict):
        raise ContractError("the answer is no JSON object")
    return table


def _refused(word: str) -> NoReturn:
    raise ValueError(word)


def _numbers(table: _Table) -> dict[str, int]:
    numbers: dict[str, int] = {}

    def put(series: str, whole: int | None) -> None:
        if whole is not None:
            numbers[series] = whole

    for key, series in _COUNTERS.items():
        put(series, _whole(table.get(key), 1000))
    for key, phase in _POWERS.items():
        value = _number(table.get(key))
        if value is not None:
            numbers[f"import{phase}_w"] = int(max(value, Decimal(0)))
            numbers[f"export{phase}_w"] = int(max(-value, Decimal(0)))
    for key, (series, factor) in _SIZES.items():
        value = _number(table.get(key))
        put(series, None if value is None else int(abs(value) * factor))
    for key in _TARIFFS:
        put("tariff", _whole(table.get(key), 1))
    return numbers


def _channels(table: _Table, zone: Zone) -> tuple[Channel, ...]:
    """Return the meters on its M-Bus in the order it names them; v1 has gas apart as well."""
    found: list[Channel] = []
    external = table.get("external")
    rows = external[:_MOST_EXTERNAL] if isinstance(external, list) else []
    for row in rows:
        if isinstance(row, dict):
            unit = _UNITS.get(str(row.get("unit")), "")
            quantity = _quantity(row.get("value"), unit)
            found.append(
                Channel(
                    len(found) + 1,
                    _TYPES.get(str(row.get("type"))),
                    _id(row.get("unique_id")),
                    stamp=_stamp(row.get("timestamp"), zone),
                    value=quantity if unit else None,
                )
            )
    gas = _quantity(table.get("total_gas_m3"), "m3")
    if gas is not None and not any(channel.type_code == _TYPES["gas_meter"] for channel in found):
        stamp = _stamp(table.get("gas_timestamp"), zone)
        gas_id = _id(table.get("gas_unique_id"))
        found.append(Channel(len(found) + 1, _TYPES["gas_meter"], gas_id, stamp=stamp, value=gas))
    return tuple(found)


def _number(value: object) -> Decimal | None:
    """Return a number of the answer that no meter's digits exceed."""
    return value if isinstance(value, Decimal) and abs(value) < _END else None


def _whole(value: object, factor: int) -> int | None:
    number = _number(value)
    return None if number is None or number < 0 else int(number * factor)


def _quantity(value: object, unit: str) -> Quantity | None:
    whole = _whole(value, 1000)
    return None if whole is None else Quantity(whole, 3, unit)


def _stamp(value: object, zone: Zone) -> Stamp | None:
    """Return the instant of ``YYMMDDhhmmss`` (v1) or ``YYYY-MM-DDThh:mm:ss`` (v2), local time."""
    if isinstance(value, Decimal):
        whole = _whole(value, 1)
        return None if whole is None else stamp_of(f"{whole:012d}", zone)
    if isinstance(value, str) and len(value) == 19:
        return stamp_of("".join(letter for letter in value[2:] if letter not in "-T:"), zone)
    return None


def _id(value: object) -> str:
    usable = isinstance(value, str) and len(value) <= _MOST_ID and value.isprintable()
    return str(value) if usable else ""
