"""Device profiles: what each register of a make and model means, as data.

A profile is one file in ``hardware/profiles``; the rules for writing one stand in
``hardware/profiles/README.md``. Devices that speak SunSpec need none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

from hardware.profile_register import (
    Register,
    WriteRegister,
    chosen,
    registers_of,
    writes_of,
)
from hardware.registers import MOST_PER_READ, Number
from kwartier.errors import InputError, SettingsError
from kwartier.series import SERIES
from kwartier.settings import Table, read_toml

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
    return read_profile(Path(str(file)))


def read_profile(path: Path) -> Profile:
    """Return the profile in a file, named after the file.

    Raises:
        SettingsError: The file is wrong; the message names file and key.
    """
    return read_toml(path, lambda top: _profile(path.stem, top))


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
    pacing, read, life = top.table("pacing"), top.table("read"), top.table("sign_of_life")
    registers = registers_of(top, read)
    profile = Profile(
        name,
        top.text("title"),
        chosen(top, "status", {status.value: status for status in Status}, None),
        top.text("source"),
        top.text("requires"),
        _units(top),
        pacing.number("connect_wait_s", 0.0, high=10),
        pacing.number("gap_s", 0.0, high=10),
        read.whole("widest_gap", 8, low=0, high=MOST_PER_READ),
        registers,
        writes_of(top),
        tuple(_rules(top.table("series"), registers)),
        (life.text("register"), life.number("low"), life.number("high")),
    )
    if profile.sign_of_life[0] not in registers:
        raise SettingsError(f"sign_of_life.register {profile.sign_of_life[0]!r} is no register")
    for table in (pacing, read, life, top):
        table.refuse_the_rest()
    return profile


def _units(top: Table) -> tuple[int, ...]:
    written = top.text("units")
    units = written.split()
    if not units or any(not unit.isdigit() or int(unit) > 255 for unit in units):
        raise SettingsError(f'units is {written!r}: write unit ids from 0 to 255 as "1 0 16"')
    return tuple(int(unit) for unit in units)


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
