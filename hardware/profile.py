"""Device profiles: what each register of a make and model means, as data.

A profile is one file in ``hardware/profiles``; the rules for writing one stand in
``hardware/profiles/README.md``. Devices that speak SunSpec need none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

from hardware.registers import (
    HOLDING,
    MOST_PER_READ,
    Number,
    Words,
    floating,
    signed,
    text,
    unsigned,
)
from kwartier.errors import InputError, SettingsError
from kwartier.series import SERIES
from kwartier.settings import Table, read_toml

_SIZES = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "f32": 2, "u64": 4, "s64": 4, "f64": 4}
_FACTORS = {
    ("kwh", "wh"): 1000,
    ("wh", "wh"): 1,
    ("w", "w"): 1,
    ("kw", "w"): 1000,
    ("percent", "permille"): 10,
    ("permille", "permille"): 1,
}


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
    """One value a device can be told; kept as knowledge, written by no code of its own yet."""

    name: str
    address: int
    type: str
    function_code: int
    wear: Wear
    note: str


@dataclass(frozen=True, slots=True)
class SeriesRule:
    """How a stored series is made of registers.

    Attributes:
        series: The stored name.
        terms: Register name, what it is multiplied by, and whether it may be missing.
    """

    series: str
    terms: tuple[tuple[str, int, bool], ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known about one family of devices.

    Attributes:
        name: The file's name without its ending.
        title: Make and models, for people.
        status: How well it is known.
        source: Where the facts come from.
        requires: What must be set or bought before the device answers.
        units: Unit ids it is known to answer on, the likeliest first.
        connect_wait_s: Pause after connecting [s].
        gap_s: Pause before each request [s].
        widest_gap: Unused registers a block read may cross.
        registers: By name.
        writes: What it can be told.
        series: What of it is stored.
        sign_of_life: A register and the range in which it tells that the profile fits.
    """

    name: str
    title: str
    status: Status
    source: str
    requires: str
    units: tuple[int, ...]
    connect_wait_s: float
    gap_s: float
    widest_gap: int
    registers: Mapping[str, Register]
    writes: tuple[WriteRegister, ...]
    series: tuple[SeriesRule, ...]
    sign_of_life: tuple[str, float, float]

    def blocks(self) -> list[list[Register]]:
        """Return the registers in groups that one request each can read."""
        found: list[list[Register]] = []
        for register in sorted(self.registers.values(), key=lambda r: (r.function_code, r.address)):
            last = found[-1] if found else None
            if last is None or not self._joins(last, register):
                found.append([register])
            else:
                last.append(register)
        return found

    def _joins(self, block: list[Register], register: Register) -> bool:
        end = max(member.address + member.size for member in block)
        return (
            register.function_code == block[0].function_code
            and register.address - end <= self.widest_gap
            and register.address + register.size - block[0].address <= MOST_PER_READ
        )

    def stored(self, values: Mapping[str, Number | str | None]) -> dict[str, int]:
        """Return whole numbers by series name; what is missing stays away."""
        found: dict[str, int] = {}
        for rule in self.series:
            total = _total(rule, values)
            if total is not None:
                found[rule.series] = total
        return found

    def fits(self, values: Mapping[str, Number | str | None]) -> bool:
        """Return whether values read by this profile look like this device's."""
        name, low, high = self.sign_of_life
        value = values.get(name)
        return value is not None and not isinstance(value, str) and low <= value <= high


@cache
def profile_names() -> tuple[str, ...]:
    """Return the names of all profiles."""
    folder = files("hardware").joinpath("profiles")
    return tuple(
        sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))
    )


@cache
def load_profile(name: str) -> Profile:
    """Return the profile of a name; ``goodwe-et`` and ``goodwe_et`` are the same.

    Raises:
        InputError: There is no such profile.
        SettingsError: Its file is wrong; the message names file and key.
    """
    known = name.replace("-", "_").lower()
    if known not in profile_names():
        raise InputError(f"no profile {name!r}; there are: {', '.join(profile_names())}")
    file = files("hardware").joinpath("profiles", f"{known}.toml")
    return read_toml(Path(str(file)), lambda top: _profile(known, top))


def _total(rule: SeriesRule, values: Mapping[str, Number | str | None]) -> int | None:
    total = Decimal(0)
    seen = False
    for name, factor, optional in rule.terms:
        value = values.get(name)
        if value is None and optional:
            continue
        if value is None or isinstance(value, str):
            return None
        seen = True
        total += Decimal(value) * factor
    return round(total) if seen else None


def _profile(name: str, top: Table) -> Profile:
    pacing = top.table("pacing")
    read = top.table("read")
    missing = _missing(top.table("missing"))
    word_order = read.text("word_order", "high")
    if word_order not in ("high", "low"):
        raise SettingsError(
            f"read.word_order is {word_order!r}: it must be 'high' or 'low' (first)"
        )
    rows = top.table("registers")
    registers = {
        key: _register(key, rows.table(key), missing, read, low_first=word_order == "low")
        for key in rows.values
    }
    life = top.table("sign_of_life")
    profile = Profile(
        name,
        top.text("title"),
        Status(top.text("status")),
        top.text("source"),
        top.text("requires"),
        tuple(int(unit) for unit in top.text("units").split()),
        pacing.number("connect_wait_s", 0.0, high=10),
        pacing.number("gap_s", 0.0, high=10),
        read.whole("widest_gap", 8, low=0, high=MOST_PER_READ),
        registers,
        tuple(_write(row) for row in top.tables("write")),
        tuple(_rules(top.table("series"), registers)),
        (life.text("register"), life.number("low"), life.number("high")),
    )
    for table in (pacing, read, life, top):
        table.refuse_the_rest()
    if profile.sign_of_life[0] not in registers:
        raise SettingsError(f"sign_of_life.register {profile.sign_of_life[0]!r} is no register")
    return profile


def _missing(table: Table) -> dict[str, frozenset[int]]:
    return {kind: _codes(table.text(kind)) for kind in table.values}


def _codes(listed: str) -> frozenset[int]:
    return frozenset(int(code, 0) for code in listed.split())


def _register(
    name: str, row: Table, missing: Mapping[str, frozenset[int]], read: Table, *, low_first: bool
) -> Register:
    kind = row.text("type")
    if kind != "text" and kind not in _SIZES:
        raise SettingsError(f"{row.place}type is {kind!r}: use text or one of {', '.join(_SIZES)}")
    own = row.text_or_none("missing")
    register = Register(
        name,
        row.whole("address", low=0, high=0xFFFF),
        kind,
        row.whole("size", low=1, high=64) if kind == "text" else _SIZES[kind],
        _decimal(row),
        missing.get(kind, frozenset()) if own is None else _codes(own),
        row.whole("function_code", read.whole("function_code", HOLDING), low=3, high=4),
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


def _write(row: Table) -> WriteRegister:
    register = WriteRegister(
        row.text("name"),
        row.whole("address", low=0, high=0xFFFF),
        row.text("type"),
        row.whole("function_code", low=6, high=16),
        Wear(row.text("wear", Wear.UNKNOWN)),
        row.text("note", ""),
    )
    row.refuse_the_rest()
    return register


def _rules(table: Table, registers: Mapping[str, Register]) -> Iterator[SeriesRule]:
    for series in table.values:
        if series not in SERIES:
            raise SettingsError(f"{table.place}{series} is no stored series")
        terms = table.text(series).replace("-", "+ -").split("+")
        named = [_term(series, term.strip(), registers) for term in terms if term.strip()]
        yield SeriesRule(series, tuple(named))


def _term(series: str, term: str, registers: Mapping[str, Register]) -> tuple[str, int, bool]:
    name = term.lstrip("- ").removesuffix("?")
    units = (name.rpartition("_")[2], series.rpartition("_")[2])
    if name not in registers or units not in _FACTORS:
        raise SettingsError(f"series.{series}: {name!r} is no register in a unit that fits")
    sign = -1 if term.startswith("-") else 1
    return name, sign * _FACTORS[units], term.endswith("?")
