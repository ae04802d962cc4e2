"""What a Modbus exception code means for us."""

from __future__ import annotations

from hardware.registers import RegistersRefusedError
from kwartier.errors import LinkDownError, TemporaryError

BUSY = {5: "acknowledged, still at work", 6: "busy"}
"""Codes after which the same request may work in a moment."""
_AWAY = {10: "no path to the unit", 11: "the unit does not answer"}
_REFUSED = {
    1: "function not known",
    2: "no such registers",
    3: "value not allowed",
    4: "the device failed",
    7: "not acknowledged",
    8: "memory error",
}
"""Exception codes (Modbus Application Protocol 1.1b3, section 7)."""


class DeviceBusyError(TemporaryError):
    """The device answered that it is busy, also after waiting."""


class DeviceRefusedError(RegistersRefusedError):
    """The device refused with an exception code, kept as ``code``."""

    def __init__(self, where: str, address: int, count: int, code: int) -> None:
        """Keep the code."""
        why = _REFUSED.get(code, "refused")
        super().__init__(where, address, count, f"{why} (exception {code})")
        self.code = code


def raise_for(code: int, place: str, address: int, count: int) -> None:
    """Raise what an exception code means; 0 means nothing went wrong.

    Raises:
        DeviceBusyError: It is busy.
        LinkDownError: What passes requests on cannot reach the unit.
        DeviceRefusedError: It does not do that.
    """
    if code in BUSY:
        raise DeviceBusyError(f"{place}: {BUSY[code]}, try again later")
    if code in _AWAY:
        raise LinkDownError(f"{place}: {_AWAY[code]}: check the unit id")
    if code:
        raise DeviceRefusedError(place, address, count, code)
