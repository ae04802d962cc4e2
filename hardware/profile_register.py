"""The registers of a profile: what each holds, and how a file says so."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from hardware.registers import (
    HOLDING,
    WRITE_ONE,
    WRITE_SEVERAL,
    Number,
    Words,
    floating,
    signed,
    text,
    unsigned,
    words_of,
)
from kwartier.errors import SettingsError
from kwartier.settings import Table

Choice = TypeVar("Choice")

_SIZES = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "f32": 2, "u64": 4, "s64": 4, "f64": 4}


class Status(StrEnum):
    """How well a profile is known; what is not recorded needs a real device before trust."""

    RECORDED = "recorded"
    """Its registers give the known values on recordings of real devices."""
    DOCUMENTED = "documented"
    """Taken from the maker's register list or from software in the field; not tried by us."""
    GUESSED = "guessed"
    """Inferred from a sister device."""


class Wear(StrEnum):
    """What a write does to the device's memory."""

    VOLATILE = "volatile"
    """Held in working memory: may be written every minute."""
    STORED = "stored"
    """Held in flash: a budget of a few writes per day."""
    UNKNOWN = "unknown"
    """Nobody said: treated as stored."""


@dataclass(frozen=True, slots=True)
class Register:
    """One value a device serves.

    Attributes:
        name: Quantity and unit, such as ``active_power_w``.
        address: Of its first register, as it is sent on the wire (counted from zero).
        type: One of u16, s16, u32, s32, u64, s64, f32, f64 and text.
        size: Registers it takes.
        scale: What the raw value is multiplied by.
        missing: Raw values, read without sign, that mean "not there".
        function_code: 3 for holding, 4 for input registers.
        low_word_first: Whether the lower half of a long number comes first.
    """

    name: str
    address: int
    type: str
    size: int
    scale: Decimal
    missing: frozenset[int]
    function_code: int
    low_word_first: bool

    def value(self, words: Words) -> Number | str | None:
        """Return what its registers mean; None for a value that is not there."""
        assert len(words) == self.size, (self.name, words)
        if self.type == "text":
            return text(words)
        ordered = list(reversed(words)) if self.low_word_first else words
        if unsigned(ordered) in self.missing:
            return None
        if self.type.startswith("f"):
            number = floating(ordered) * float(self.scale)
            return number if math.isfinite(number) else None
        raw = signed(ordered) if self.type.startswith("s") else unsigned(ordered)
        return raw * int(self.scale) if self.scale == int(self.scale) else raw * self.scale


@dataclass(frozen=True, slots=True)
class WriteRegister:
    """One value a device can be told; only a profile's control part writes any of them.

    Attributes:
        name: Quantity and unit.
        address: Of its first register, as it is sent on the wire.
        type: As of a register that is read, but for text.
        function_code: With which the maker or the field writes it.
        wear: What a write does to the device's memory.
        note: For people.
        scale: What the raw value is multiplied by.
        low_word_first: Whether the lower half of a long number comes first.
    """

    name: str
    address: int
    type: str
    function_code: int
    wear: Wear
    note: str
    scale: Decimal = Decimal(1)
    low_word_first: bool = False

    @property
    def size(self) -> int:
        """Registers it takes."""
        return _SIZES[self.type]

    def words(self, value: int) -> list[int]:
        """Return the registers that say a whole number of its unit, rounded towards zero.

        Raises:
            OverflowError: The number does not fit the type.
        """
        if self.type.startswith("f"):
            words = _words_of_float(float(value / self.scale), self.size)
        else:
            raw = int(value / self.scale)
            if raw < 0 and not self.type.startswith("s"):
                raise OverflowError(f"{self.name} takes nothing below zero")
            if self.type.startswith("s") and raw >> (16 * self.size - 1) not in (0, -1):
                raise OverflowError(f"{self.name} takes no {value}")
            words = words_of(raw, self.size)
        return words[::-1] if self.low_word_first else words

    def value(self, words: Words) -> Number | None:
        """Return what its registers say now; None where they hold no number."""
        register = Register(
            self.name,
            self.address,
            self.type,
            self.size,
            self.scale,
            frozenset(),
            HOLDING,
            self.low_word_first,
        )
        value = register.value(words)
        return None if isinstance(value, str) else value


def registers_of(top: Table, read: Table) -> dict[str, Register]:
    """Return the registers of a profile's file by name.

    Args:
        top: The whole file.
        read: Its part on how registers are read.

    Raises:
        SettingsError: A key is missing, unknown, or its value is of the wrong kind.
    """
    function_code = read.whole("function_code", HOLDING, low=3, high=4)
    low_first = _low_first(read)
    missing = {kind: _codes(top.table("missing"), kind) for kind in top.table("missing").values}
    rows = top.table("registers")
    return {
        name: _register(name, rows.table(name), missing, function_code, low_first=low_first)
        for name in rows.values
    }


def writes_of(top: Table, read: Table) -> tuple[WriteRegister, ...]:
    """Return what a device can be told, from the file's list of writes.

    Args:
        top: The whole file.
        read: Its part on how registers are read; numbers are written in the same word order.

    Raises:
        SettingsError: A key is missing, unknown, or its value is of the wrong kind.
    """
    low_first = _low_first(read)
    return tuple(_write(row, low_first=low_first) for row in top.tables("write"))


def chosen(table: Table, key: str, choices: Mapping[str, Choice], default: str | None) -> Choice:
    """Return one of several named values.

    Raises:
        SettingsError: The key names none of them.
    """
    name = table.text(key, default)
    if name not in choices:
        known = ", ".join(choices)
        raise SettingsError(f"{table.place}{key} is {name!r}: it must be one of {known}")
    return choices[name]


def _register(
    name: str,
    row: Table,
    missing: Mapping[str, frozenset[int]],
    function_code: int,
    *,
    low_first: bool,
) -> Register:
    kind = row.text("type")
    if kind != "text" and kind not in _SIZES:
        raise SettingsError(f"{row.place}type is {kind!r}: use text or one of {', '.join(_SIZES)}")
    own = _codes(row, "missing") if "missing" in row.values else None
    register = Register(
        name,
        row.whole("address", low=0, high=0xFFFF),
        kind,
        row.whole("size", low=1, high=64) if kind == "text" else _SIZES[kind],
        _decimal(row),
        missing.get(kind, frozenset()) if own is None else own,
        row.whole("function_code", function_code, low=3, high=4),
        low_first,
    )
    row.refuse_the_rest()
    return register


def _decimal(row: Table) -> Decimal:
    written = row.text("scale", "1")
    try:
        return Decimal(written)
    except InvalidOperation:
        raise SettingsError(f'{row.place}scale is {written!r}: write it as "0.1"') from None


def _codes(table: Table, key: str) -> frozenset[int]:
    written = table.text(key)
    try:
        return frozenset(int(code, 0) for code in written.split())
    except ValueError:
        raise SettingsError(
            f'{table.place}{key} is {written!r}: write it as "0xFFFF 0x8000"'
        ) from None


def _low_first(read: Table) -> bool:
    return chosen(read, "word_order", {"high": False, "low": True}, "high")


def _write(row: Table, *, low_first: bool) -> WriteRegister:
    kind = row.text("type")
    if kind not in _SIZES:
        raise SettingsError(f"{row.place}type is {kind!r}: use one of {', '.join(_SIZES)}")
    function_code = row.whole("function_code", low=WRITE_ONE, high=WRITE_SEVERAL)
    if function_code not in {WRITE_ONE, WRITE_SEVERAL}:
        raise SettingsError(f"{row.place}function_code is {function_code}: use 6 or 16")
    if function_code == WRITE_ONE and _SIZES[kind] > 1:
        raise SettingsError(f"{row.place}function_code 6 writes one register and {kind} has more")
    register = WriteRegister(
        row.text("name"),
        row.whole("address", low=0, high=0xFFFF),
        kind,
        function_code,
        chosen(row, "wear", {wear.value: wear for wear in Wear}, Wear.UNKNOWN),
        row.text("note", ""),
        _decimal(row),
        low_first,
    )
    row.refuse_the_rest()
    return register


def _words_of_float(value: float, count: int) -> list[int]:
    raw = struct.pack(">f" if count == 2 else ">d", value)
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
