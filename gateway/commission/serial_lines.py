"""Serial lines on which Modbus devices may be: those that are not the meter's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.modbus.line import LinkSettings, SerialLine

SERIAL_UNITS = tuple(range(1, 11))
"""Unit ids that are tried on a serial line."""
_PARITIES = ("N", "E")
"""8N1 is what most makers ship, 8E1 is what the standard wants; both at 9600 bit/s."""
_ASK_S = 0.3
_MOST_LINES = 4


def rs485_lines(dev: Path = Path("/dev")) -> list[str]:
    """Return the adapters that are known to be for RS485."""
    return [str(one) for one in sorted(_known(dev).values())]


def lines_beside(meter: str, dev: Path = Path("/dev")) -> Sequence[str]:
    """Return the serial lines that may be asked for devices.

    Args:
        meter: The cable over which telegrams came; it is never asked. Empty while none is known:
            then only adapters for RS485 are asked, as the meter may be on any other.
        dev: Where devices are.
    """
    found = {path.resolve(): path for path in sorted(dev.glob("ttyUSB*"))} if meter else {}
    found |= _known(dev)
    if meter:
        found.pop(Path(meter).resolve(), None)
    return [str(path) for path in sorted(found.values())][:_MOST_LINES]


def ways_on(path: str) -> Iterator[LinkSettings]:
    """Yield the ways in which devices may speak on a serial line."""
    for parity in _PARITIES:
        yield LinkSettings("", timeout_s=_ASK_S, retries=0, serial=SerialLine(path, parity=parity))


def _known(dev: Path) -> dict[Path, Path]:
    """Return the RS485 adapters by the device file behind their name."""
    found: dict[Path, Path] = {}
    for path in sorted((dev / "kwartier").glob("rs485*"), key=lambda one: (len(one.name), one)):
        found.setdefault(path.resolve(), path)
    return found
