"""The registers that a profile steers a battery by: written in few requests, read in few.

What holds the right value already is not written again, but for what renews the lease; and what
wears out is counted before it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.steer.steering import SteeredUnit
from hardware.profile import Profile
from hardware.profile_control import Control, Kind, Step
from hardware.profile_register import Wear, WriteRegister
from hardware.registers import WRITE_SEVERAL, Number
from kwartier.units import Watt


class WearBudget(Protocol):
    """Counts writes to registers that wear out; ``gateway.steer.budget.WriteBudget`` is one."""

    def spend(self, addresses: Sequence[int], *, release: bool = False) -> None:
        """Note one write of each of these registers, before it is made.

        Raises:
            KwartierError: One was written too often; nothing is to be written.
        """


@dataclass(frozen=True, slots=True)
class _Write:
    """Values for registers that follow each other, for one request."""

    address: int
    words: tuple[int, ...]
    function_code: int

    def takes(self, point: WriteRegister) -> bool:
        """Return whether a register's value can travel in the same request."""
        several = self.function_code == point.function_code == WRITE_SEVERAL
        return several and self.address + len(self.words) == point.address


class ProfileRegisters:
    """Writes and reads the registers of one device's control part."""

    def __init__(
        self, unit: SteeredUnit, profile: Profile, control: Control, budget: WearBudget | None
    ) -> None:
        """Write and read ``unit`` by a profile's control part; ``budget`` counts what wears."""
        self._unit = unit
        self._profile = profile
        self._control = control
        self._budget = budget
        self.stored_writes = 0

    stored_writes: int
    """Registers in flash, or of a kind nobody told us, that were written so far."""

    def write(
        self,
        steps: tuple[Step, ...],
        power_w: Watt,
        timer: int,
        before: Mapping[str, Number | None],
        *,
        release: bool = False,
    ) -> None:
        """Write what is not held already; neighbours that follow each other share a request."""
        frames: list[_Write] = []
        worn: list[int] = []
        for step in steps:
            point = self._control.points[step.point]
            value = step.value(power_w, timer)
            renews = step.kind is Kind.TIMER or step.point in self._control.renew
            if not renews and before.get(step.point) == value:
                continue
            if point.wear is not Wear.VOLATILE:
                worn.append(point.address)
            words = tuple(point.words(value))
            if frames and frames[-1].takes(point):
                frames[-1] = replace(frames[-1], words=frames[-1].words + words)
            else:
                frames.append(_Write(point.address, words, point.function_code))
        if self._budget is not None:
            self._budget.spend(worn, release=release)
        self.stored_writes += len(worn)
        for frame in frames:
            self._unit.write(frame.address, frame.words, frame.function_code)

    def read(self) -> dict[str, Number | None]:
        """Return what every register of the control part holds, in as few requests as can be."""
        values: dict[str, Number | None] = {}
        for block in self._blocks():
            start = block[0].address
            words = self._unit.read(start, block[-1].address + block[-1].size - start)
            for point in block:
                at = point.address - start
                values[point.name] = point.value(words[at : at + point.size])
        return values

    def _blocks(self) -> list[list[WriteRegister]]:
        """Return the registers in groups that one request each can read."""
        blocks: list[list[WriteRegister]] = []
        for point in sorted(self._used().values(), key=lambda point: point.address):
            last = blocks[-1][-1] if blocks else None
            if last and point.address - last.address - last.size <= self._profile.widest_gap:
                blocks[-1].append(point)
            else:
                blocks.append([point])
        return blocks

    def _used(self) -> dict[str, WriteRegister]:
        """Return the registers that any step names, without those that are only knowledge."""
        control = self._control
        parts = (control.needs, control.prepare, control.charge, control.discharge, control.idle)
        names = {step.point for steps in (*parts, control.release) for step in steps}
        return {name: point for name, point in control.points.items() if name in names}
