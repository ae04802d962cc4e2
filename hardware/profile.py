"""Device profiles: what each register of a make and model means, as data.

A profile is one file in ``hardware/profiles``; the rules for writing one stand in
``hardware/profiles/README.md``. Devices that speak SunSpec need one only where their models do not
tell everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path

from hardware.profile_chain import ChainPoint, points_of
from hardware.profile_control import Control, control_of
from hardware.profile_register import (
    Register,
    Status,
    WriteRegister,
    chosen,
    registers_of,
    writes_of,
)
from hardware.registers import MOST_PER_READ, Number
from kwartier.errors import InputError, SettingsError
from kwartier.series import SERIES
from kwartier.settings import Table, read_toml
from kwartier.units import Watt

__all__ = [
    "Direction",
    "Profile",
    "SeriesRule",
    "Status",
    "load_profile",
    "profile_names",
    "read_profile",
]

_FACTORS = {
    ("kwh", "wh"): 1000,
    ("wh", "wh"): 1,
    ("w", "w"): 1,
    ("kw", "w"): 1000,
    ("percent", "permille"): 10,
    ("permille", "permille"): 1,
}

_ONE_WAY = ("import_w", "export_w")
"""Series that are never negative: of a power with a sign each takes its own half."""


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
class Direction:
    """A power that a device sends without its sign, and the state that tells it.

    Attributes:
        register: The register that is put right.
        state: The register that tells.
        plus: Bits of the state that mean a positive power.
        minus: Bits that mean a negative one.
    """

    register: str
    state: str
    plus: int
    minus: int

    def power(self, values: Mapping[str, Number | str | None]) -> Number | None:
        """Return the power with its sign; None where the state does not tell it."""
        value, state = values.get(self.register), values.get(self.state)
        if value is None or isinstance(value, str) or not isinstance(state, int):
            return None
        if value == 0:
            return value
        signs = bool(state & self.plus) - bool(state & self.minus)
        if signs == 0:
            return None
        return value if (value > 0) == (signs > 0) else -value


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
        points: Values that stand in SunSpec models, by name; no name is in both.
        directions: Powers whose sign stands in another register.
        writes: What it can be told.
        control: How it is steered; None where nothing is known about that.
        series: What of it is stored.
        grid: The exchange with the grid, positive takes from it; None where it does not know.
        sign_of_life: A register and the range in which it tells that the profile fits; None for
            a device that is known by its SunSpec models.
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
    points: Mapping[str, ChainPoint]
    directions: tuple[Direction, ...]
    writes: tuple[WriteRegister, ...]
    control: Control | None
    series: tuple[SeriesRule, ...]
    grid: SeriesRule | None
    sign_of_life: tuple[str, float, float] | None

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
                found[rule.series] = max(0, total) if rule.series in _ONE_WAY else total
        return found

    def grid_w(self, values: Mapping[str, Number | str | None]) -> Watt | None:
        """Return the exchange with the grid, positive takes from it; None where it is missing."""
        return None if self.grid is None else _total(self.grid, values)


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
    pacing, read, site = top.table("pacing"), top.table("read"), top.table("site")
    registers = registers_of(top, read)
    points = points_of(top.table("points"))
    twice = sorted(set(registers) & set(points))
    if twice:
        raise SettingsError(f"points.{twice[0]} is a register too: give it another name")
    writes = writes_of(top, read)
    names = {*registers, *points}
    grid = site.text_or_none("grid_w")
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
        points,
        tuple(_directions(top.table("direction"), registers)),
        writes,
        control_of(top, writes, registers),
        tuple(_rules(top.table("series"), names)),
        None if grid is None else _rule("grid_w", grid, names),
        _life(top, registers),
    )
    if not names:
        raise SettingsError("there are neither registers nor points: say what it serves")
    for table in (pacing, read, site, top):
        table.refuse_the_rest()
    return profile


def _life(top: Table, registers: Mapping[str, Register]) -> tuple[str, float, float] | None:
    life = top.table("sign_of_life")
    if not registers and not life.values:
        return None
    found = (life.text("register"), life.number("low"), life.number("high"))
    if found[0] not in registers:
        raise SettingsError(f"sign_of_life.register {found[0]!r} is no register")
    life.refuse_the_rest()
    return found


def _directions(table: Table, registers: Mapping[str, Register]) -> Iterator[Direction]:
    for name in table.values:
        row = table.table(name)
        direction = Direction(
            name,
            row.text("state"),
            row.whole("plus", low=1, high=0xFFFF),
            row.whole("minus", low=1, high=0xFFFF),
        )
        for wanted in (name, direction.state):
            if wanted not in registers:
                raise SettingsError(f"{row.place}state: {wanted!r} is no register")
        row.refuse_the_rest()
        yield direction


def _units(top: Table) -> tuple[int, ...]:
    written = top.text("units")
    units = written.split()
    if not units or any(not unit.isdigit() or int(unit) > 255 for unit in units):
        raise SettingsError(f'units is {written!r}: write unit ids from 0 to 255 as "1 0 16"')
    return tuple(int(unit) for unit in units)


def _rules(table: Table, names: Collection[str]) -> Iterator[SeriesRule]:
    for series in table.values:
        if series not in SERIES:
            raise SettingsError(f"{table.place}{series} is no stored series")
        yield _rule(series, table.text(series), names)


def _rule(series: str, written: str, names: Collection[str]) -> SeriesRule:
    terms = written.replace("-", "+ -").split("+")
    named = [_term(series, term.strip(), names) for term in terms if term.strip()]
    return SeriesRule(series, tuple(named))


def _term(series: str, term: str, names: Collection[str]) -> tuple[str, int, bool]:
    name = term.lstrip("- ").removesuffix("?")
    units = (name.rpartition("_")[2], series.rpartition("_")[2])
    if name not in names or units not in _FACTORS:
        raise SettingsError(f"series.{series}: {name!r} is no register in a unit that fits")
    sign = -1 if term.startswith("-") else 1
    return name, sign * _FACTORS[units], term.endswith("?")
