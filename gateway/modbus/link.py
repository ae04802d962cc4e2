"""The door to pymodbus: one link to one address, shared by everyone who talks over it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from hardware.registers import (
    HOLDING,
    INPUT,
    MOST_PER_READ,
    MOST_PER_WRITE,
    RegistersRefusedError,
    Words,
)
from kwartier.errors import LinkDownError, TemporaryError

_log = logging.getLogger(__name__)

_BUSY = {5: "acknowledged, still at work", 6: "busy"}
_AWAY = {10: "no path to the unit", 11: "the unit does not answer"}
_REFUSED = {
    1: "function not known",
    2: "no such registers",
    3: "value not allowed",
    4: "the device failed",
    7: "not acknowledged",
    8: "memory error",
}
"""Exception codes by what they mean for us (Modbus Application Protocol 1.1b3, section 7)."""


class NoConnectionError(LinkDownError):
    """Nobody takes connections there."""


class DeviceBusyError(TemporaryError):
    """The device answered that it is busy, also after waiting."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where a device listens and how patient we are.

    Attributes:
        host: Its name or address.
        port: Its TCP port.
        timeout_s: How long it may take to answer [s].
        retries: How often a request is repeated after silence.
        connect_wait_s: Pause after connecting [s]; some dongles need one.
        gap_s: Pause before each request [s].
        busy_wait_s: Pause before a busy device is asked again [s].
        busy_retries: How often a busy device is asked again.
    """

    host: str
    port: int = 502
    timeout_s: float = 3.0
    retries: int = 1
    connect_wait_s: float = 0.0
    gap_s: float = 0.0
    busy_wait_s: float = 0.2
    busy_retries: int = 3


class ModbusLink:
    """One TCP connection, opened when it is needed and closed when the other side is silent.

    Requests take turns, so several threads and several units may share it; many devices
    accept one connection only.
    """

    def __init__(
        self, settings: LinkSettings, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Prepare a link; nothing is opened yet."""
        self._settings = settings
        self._pause = pause
        self._turn = threading.RLock()
        self._up = True
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        self._client = ModbusTcpClient(
            settings.host, port=settings.port, timeout=settings.timeout_s, retries=0
        )

    @property
    def where(self) -> str:
        """The other side's host and port."""
        return f"{self._settings.host}:{self._settings.port}"

    @property
    def connected(self) -> bool:
        """Whether a connection is open, as far as anybody can know."""
        return bool(self._client.connected)

    def unit(self, unit: int) -> ModbusUnit:
        """Return one device behind the link, by its unit id."""
        return ModbusUnit(self, unit)

    def read(self, unit: int, address: int, count: int, function_code: int = HOLDING) -> list[int]:
        """Return registers of one unit, all from one request.

        Raises:
            RegistersRefusedError: The device does not serve all of them.
            DeviceBusyError: It is busy.
            LinkDownError: It cannot be reached, or stays silent.
        """
        assert 1 <= count <= MOST_PER_READ, count
        assert function_code in (HOLDING, INPUT), function_code

        def ask() -> ModbusPDU:
            if function_code == INPUT:
                return self._client.read_input_registers(address, count=count, device_id=unit)
            return self._client.read_holding_registers(address, count=count, device_id=unit)

        words = self._asked(ask, unit, address, count).registers
        if len(words) != count:
            self.close()
            raise LinkDownError(
                f"{self.where} unit {unit}: {len(words)} registers came for {count} asked"
            )
        return list(words)

    def write(self, unit: int, address: int, words: Words) -> None:
        """Write registers of one unit in one request (function code 16).

        Raises:
            RegistersRefusedError: The device does not take them.
            DeviceBusyError: It is busy.
            LinkDownError: It cannot be reached, or stays silent; it may still have obeyed.
        """
        assert 1 <= len(words) <= MOST_PER_WRITE, len(words)
        self._asked(
            lambda: self._client.write_registers(address, list(words), device_id=unit),
            unit,
            address,
            len(words),
        )

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        with self._turn:
            self._close()

    def _asked(
        self, ask: Callable[[], ModbusPDU], unit: int, address: int, count: int
    ) -> ModbusPDU:
        place = f"{self.where} unit {unit}"
        with self._turn:
            for _ in range(self._settings.busy_retries + 1):
                answer = self._answered(ask, place)
                code = answer.exception_code if isinstance(answer, ExceptionResponse) else 0
                if code not in _BUSY:
                    break
                self._pause(self._settings.busy_wait_s)
        _raise_for(code, place, address, count)
        return answer

    def _answered(self, ask: Callable[[], ModbusPDU], place: str) -> ModbusPDU:
        for left in range(self._settings.retries, -1, -1):
            try:
                answer = self._once(ask, place)
            except (ModbusException, OSError) as error:
                self._close()
                if left == 0:
                    self._note_down()
                    raise LinkDownError(f"{place}: {_silence(error, self._settings)}") from error
            else:
                self._note_back()
                return answer
        raise AssertionError("the last attempt returns or raises")

    def _once(self, ask: Callable[[], ModbusPDU], place: str) -> ModbusPDU:
        if not self._client.connected:
            if not self._client.connect():  # type: ignore[no-untyped-call]  # theirs is untyped
                self._note_down()
                raise NoConnectionError(
                    f"{place}: no connection: check the address, the port, and whether Modbus TCP "
                    "is switched on"
                )
            self._pause(self._settings.connect_wait_s)
        self._pause(self._settings.gap_s)
        return ask()

    def _close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # theirs is untyped

    def _note_down(self) -> None:
        if self._up:
            _log.warning("modbus link %s is down", self.where)
        self._up = False

    def _note_back(self) -> None:
        if not self._up:
            _log.info("modbus link %s is back", self.where)
        self._up = True


class ModbusUnit:
    """One device behind a link; serves and takes registers."""

    def __init__(self, link: ModbusLink, unit: int) -> None:
        """Name the unit on its link."""
        self.link = link
        self.unit = unit

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        """Return registers, all from one request; errors as ``ModbusLink.read``."""
        return self.link.read(self.unit, address, count, function_code)

    def write(self, address: int, words: Words) -> None:
        """Write registers in one request; errors as ``ModbusLink.write``."""
        self.link.write(self.unit, address, words)


def _silence(error: Exception, settings: LinkSettings) -> str:
    if isinstance(error, ConnectionException | OSError):
        return "the other side closed the connection: does another program use it?"
    return f"no answer within {settings.timeout_s:g} s: check the unit id and the cable"


def _raise_for(code: int, place: str, address: int, count: int) -> None:
    if code in _BUSY:
        raise DeviceBusyError(f"{place}: {_BUSY[code]}, try again later")
    if code in _AWAY:
        raise LinkDownError(f"{place}: {_AWAY[code]}: check the unit id")
    if code:
        why = _REFUSED.get(code, "refused")
        raise RegistersRefusedError(place, address, count, f"{why} (exception {code})")
