"""Virtual batteries that are steered the way four makers want it, each with its own fall-back.

They are written from the makers' registers and never from our profiles, so that a profile is
judged by something that did not read it. What they know of a make stands in its class.

Source:
    SolarEdge: evcc-io/evcc pull requests 11663 and 11904. Huawei: evcc-io/evcc template
    huawei-sun2000-hybrid. Sungrow: mkaiser/Sungrow-SHx-Inverter-Modbus-Home-Assistant issue 377.
    Victron: CCGX Modbus TCP register list 2.80, and ESS mode 3 in the maker's manual.
"""

from __future__ import annotations

import struct
import threading
from abc import ABC, abstractmethod
from typing import ClassVar

from hardware.registers import Words, floating, signed, unsigned, words_of
from hardware.twins.battery import Fault
from hardware.twins.cell import Cell, CellLimits
from hardware.twins.modbus_server import BUSY, DEVICE_FAILURE, ILLEGAL_ADDRESS, SILENCE
from kwartier.clock import Clock
from kwartier.units import Watt


class VendorBattery(ABC):
    """One virtual battery of some make; time passes for it when somebody looks at it.

    Attributes:
        faults: What is wrong with it now; add to it and take from it at will.
        writes: The first address and the words of every write it took.
    """

    BLOCKS: ClassVar[tuple[tuple[int, int], ...]]
    """What it serves: the first address of each stretch, and how many registers."""
    WRITABLE: ClassVar[tuple[tuple[int, int], ...]]
    """What it can be told, likewise."""

    TIMER: ClassVar[tuple[int, int] | None] = None
    """Where it keeps the time after which it falls back; None where no register says so."""

    def __init__(
        self, clock: Clock, limits: CellLimits, *, soc_permille: int = 500, unit: int = 1
    ) -> None:
        """Start as it comes from the installer, with a part of the capacity stored [1/1000]."""
        self.faults: set[Fault] = set()
        self.writes: list[tuple[int, list[int]]] = []
        self._clock = clock
        self._cell = Cell(limits, soc_permille)
        self._unit = unit
        self._lock = threading.RLock()
        self._now_s = clock.monotonic_s()
        self._ends_s: float | None = None
        self._words = {
            address: 0 for start, count in self.BLOCKS for address in range(start, start + count)
        }
        self.install()

    @property
    def unit(self) -> int:
        """Its unit id."""
        return self._unit

    @property
    def power_w(self) -> Watt:
        """What it does now, AC side; positive charges [W]."""
        with self._lock:
            self._pass_time()
            return self._cell.possible(self._asked_w())

    def spans(self) -> list[tuple[int, list[int]]]:
        """Return all its registers now."""
        with self._lock:
            self._pass_time()
            self.measure(self._cell, self._cell.possible(self._asked_w()))
            return [
                (start, [self._words[address] for address in range(start, start + count)])
                for start, count in self.BLOCKS
            ]

    def read_refusal(self) -> int:
        """Return the exception code for a read now."""
        if Fault.SILENT in self.faults:
            return SILENCE
        return BUSY if Fault.BUSY in self.faults else 0

    def write(self, address: int, words: Words) -> int:
        """Take registers, all of them or none."""
        with self._lock:
            self._pass_time()
            if self.read_refusal():
                return self.read_refusal()
            if Fault.REFUSES in self.faults:
                return DEVICE_FAILURE
            end = address + len(words)
            if not any(start <= address and end <= start + n for start, n in self.WRITABLE):
                return ILLEGAL_ADDRESS
            self.writes.append((address, list(words)))
            if Fault.FORGETS not in self.faults:
                self._words.update(zip(range(address, end), words, strict=True))
                if Fault.NO_TIMER in self.faults and self.TIMER is not None:
                    self.put(self.TIMER[0], *[0] * self.TIMER[1])
                self.told(range(address, end))
            return 0

    @abstractmethod
    def install(self) -> None:
        """Set the registers as they are before anybody steers it."""

    @abstractmethod
    def measure(self, cell: Cell, power_w: Watt) -> None:
        """Show what it does now."""

    @abstractmethod
    def told(self, addresses: range) -> None:
        """Note that these registers were written."""

    @abstractmethod
    def asked_w(self) -> Watt:
        """Return the power its registers ask for; positive charges [W]."""

    @abstractmethod
    def fall_back(self) -> None:
        """Do what the make does when it hears no more."""

    def hold_for(self, span_s: float) -> None:
        """Fall back after a time; 0 is never, and so is a timer it does not have."""
        never = span_s <= 0 or Fault.NO_TIMER in self.faults
        self._ends_s = None if never else self._now_s + span_s

    def left_s(self) -> int:
        """Return the time until it falls back [s]; 0 where it does not."""
        return 0 if self._ends_s is None else max(0, -int(-(self._ends_s - self._now_s) // 1))

    def get(self, address: int, count: int = 1) -> list[int]:
        """Return registers as they are kept."""
        return [self._words[place] for place in range(address, address + count)]

    def put(self, address: int, *words: int) -> None:
        """Set registers."""
        for place, word in enumerate(words):
            assert address + place in self._words, address + place
            self._words[address + place] = word

    def _asked_w(self) -> Watt:
        return 0 if Fault.DEAF in self.faults else self.asked_w()

    def _pass_time(self) -> None:
        to_s = self._clock.monotonic_s()
        if self._ends_s is not None and self._ends_s <= to_s:
            self._run_to(self._ends_s)
            self._ends_s = None
            self.fall_back()
        self._run_to(to_s)

    def _run_to(self, to_s: float) -> None:
        if to_s > self._now_s:
            self._cell.run(self._asked_w(), round((to_s - self._now_s) * 1000))
            self._now_s = to_s


class StorEdgeBattery(VendorBattery):
    """SolarEdge: a command with a time-out in seconds, then its default mode.

    Numbers stand with their lower half first. The command's registers keep what was written
    when its time is over.
    """

    BLOCKS = ((0xE004, 14), (0xE144, 4), (0xE174, 18))
    WRITABLE = ((0xE004, 14),)
    TIMER = (0xE00B, 2)

    def install(self) -> None:
        """Self-use by its own choice; a time-out of one hour, as it comes."""
        self._commanded = False
        self.put(0xE004, 1)
        self.put(0xE00A, 7)
        self.put(0xE00B, 3600, 0)
        self.put(0xE00D, 7)
        self.put(0xE144, *_swapped(self._cell.limits.charge_max_w))
        self.put(0xE146, *_swapped(self._cell.limits.discharge_max_w))

    def measure(self, cell: Cell, power_w: Watt) -> None:
        """Show power, both counters and the state of energy."""
        self.put(0xE174, *_swapped(power_w))
        self.put(0xE176, *words_of(int(cell.discharged_wh), 4)[::-1])
        self.put(0xE17A, *words_of(int(cell.charged_wh), 4)[::-1])
        self.put(0xE184, *_swapped(cell.soc_permille / 10))

    def told(self, addresses: range) -> None:
        """Start the time-out with every command."""
        if 0xE00D in addresses:
            self._commanded = True
            self.hold_for(unsigned(self.get(0xE00B, 2)[::-1]))

    def asked_w(self) -> Watt:
        """Obey only in remote control, and only while the time-out runs."""
        if self.get(0xE004) != [4] or not self._commanded:
            return 0
        limits = [floating(self.get(at, 2)[::-1]) for at in (0xE00E, 0xE010)]
        match self.get(0xE00D):
            case [3]:
                return int(limits[0])
            case [4]:
                return -int(limits[1])
        return 0

    def fall_back(self) -> None:
        """Go to the default mode; no register shows it."""
        self._commanded = False


class LunaBattery(VendorBattery):
    """Huawei: a forced charge or discharge that lasts whole minutes."""

    BLOCKS = ((37046, 4), (37760, 1), (37765, 2), (37780, 4), (47083, 1), (47100, 1), (47246, 5))
    WRITABLE = ((47083, 1), (47100, 1), (47246, 5))
    TIMER = (47083, 1)

    def install(self) -> None:
        """Nothing is forced."""
        self.put(37046, *words_of(self._cell.limits.charge_max_w, 2))
        self.put(37048, *words_of(self._cell.limits.discharge_max_w, 2))

    def measure(self, cell: Cell, power_w: Watt) -> None:
        """Show power, both counters and the state of charge."""
        self.put(37760, cell.soc_permille)
        self.put(37765, *words_of(power_w, 2))
        self.put(37780, *words_of(int(cell.charged_wh) // 10, 2))
        self.put(37782, *words_of(int(cell.discharged_wh) // 10, 2))

    def told(self, addresses: range) -> None:
        """Start the minutes with every command; without a time as its mode they never end."""
        if 47100 in addresses:
            by_time = self.get(47246) == [0]
            self.hold_for(60 * self.get(47083)[0] if by_time and self.get(47100) != [0] else 0)

    def asked_w(self) -> Watt:
        """Obey the command."""
        match self.get(47100):
            case [1]:
                return unsigned(self.get(47247, 2))
            case [2]:
                return -unsigned(self.get(47249, 2))
        return 0

    def fall_back(self) -> None:
        """End the command."""
        self.put(47100, 0)


class SungrowBattery(VendorBattery):
    """Sungrow: in its mode for outside control a register counts the seconds down to self-use."""

    BLOCKS = ((5018, 3), (13000, 1), (13020, 3), (13026, 2), (13049, 3), (13079, 1))
    WRITABLE = ((13049, 3), (13079, 1))
    TIMER = (13079, 1)

    def install(self) -> None:
        """Self-use."""
        self.put(13050, 0xCC)
        self.put(5018, 2300, 2301, 2302)

    def measure(self, cell: Cell, power_w: Watt) -> None:
        """Show power without its sign, the state that tells it, and the time left."""
        self.put(13000, (2 if power_w > 0 else 0) | (4 if power_w < 0 else 0))
        self.put(13021, abs(power_w))
        self.put(13022, cell.soc_permille)
        self.put(13026, *words_of(int(cell.discharged_wh) // 100, 2)[::-1])
        self.put(13079, self.left_s())

    def told(self, addresses: range) -> None:
        """Start the seconds anew when they are written; outside its mode they are lost."""
        if 13079 in addresses and self.get(13049) == [3]:
            self.hold_for(self.get(13079)[0])

    def asked_w(self) -> Watt:
        """Obey the command in outside control."""
        if self.get(13049) != [3]:
            return 0
        power_w = self.get(13051)[0]
        return {0xAA: power_w, 0xBB: -power_w}.get(self.get(13050)[0], 0)

    def fall_back(self) -> None:
        """Return to self-use."""
        self.put(13049, 0)


class MultiPlusBattery(VendorBattery):
    """Victron: one set-point, dropped a minute after the last write."""

    BLOCKS = ((3, 12), (23, 11), (37, 1))
    WRITABLE = ((37, 1),)

    def install(self) -> None:
        """Nothing is asked of it; one phase of 230 V."""
        self.put(3, 2300)

    def measure(self, cell: Cell, power_w: Watt) -> None:
        """Show what its input takes, in tens of watts, and the state of charge."""
        self.put(12, *words_of(round(power_w / 10), 1))
        self.put(30, cell.soc_permille)

    def told(self, addresses: range) -> None:
        """Start the minute anew."""
        if 37 in addresses:
            self.hold_for(60)

    def asked_w(self) -> Watt:
        """Obey the set-point at its input."""
        return signed(self.get(37))

    def fall_back(self) -> None:
        """Do nothing until the next write."""
        self.put(37, 0)


def _swapped(value: float) -> list[int]:
    raw = struct.pack(">f", value)
    return [int.from_bytes(raw[2:], "big"), int.from_bytes(raw[:2], "big")]
