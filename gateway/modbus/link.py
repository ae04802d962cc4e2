"""The door to pymodbus: one link to one address or serial line, shared by all who talk over it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from gateway.modbus.breaker import Breaker
from gateway.modbus.line import LinkSettings
from gateway.modbus.recent import RecentReads
from gateway.modbus.refusals import BUSY, DeviceBusyError, raise_for
from gateway.modbus.rtu import RtuEar
from gateway.modbus.turns import Lane, Turns
from hardware.registers import (
    HOLDING,
    INPUT,
    MOST_PER_READ,
    MOST_PER_WRITE,
    WRITE_ONE,
    WRITE_SEVERAL,
    Words,
)
from kwartier.errors import LinkDownError, TemporaryError

__all__ = [
    "DeviceBusyError",
    "Lane",
    "LinkSettings",
    "ModbusLink",
    "ModbusUnit",
    "NoConnectionError",
]

_log = logging.getLogger(__name__)

_LISTEN_S = 0.02
_QUIET_LISTENS = 10
_MOST_LISTENS = 50
"""After silence a serial line must be quiet for 0.2 s, waited for at most 1 s."""


class NoConnectionError(LinkDownError):
    """Nobody takes connections there."""


@dataclass(frozen=True, slots=True)
class _Request:
    """One request: how it is put, to whom, about which registers."""

    ask: Callable[[], ModbusPDU]
    unit: int
    place: str
    address: int
    count: int


class ModbusLink:
    """One connection, opened when it is needed and closed when the other side is silent.

    Every request of every unit and thread takes its turn here, writes before reads before
    guests; many devices accept one connection only, and a serial line carries one talk only.
    """

    def __init__(
        self,
        settings: LinkSettings,
        *,
        pause: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a link; nothing is opened yet."""
        self._settings = settings
        self._pause = pause
        self._monotonic = monotonic
        self._turns = Turns(settings.where)
        self._breaker = Breaker(settings.where, monotonic)
        self._guests = Breaker(settings.where, monotonic, spares_the_only_one=False)
        self._up = True
        self.recent = RecentReads(monotonic)
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        self._client = _client(settings)

    @property
    def where(self) -> str:
        """The other side's host and port, or the serial line."""
        return self._settings.where

    @property
    def connected(self) -> bool:
        """Whether a connection is open, as far as anybody can know."""
        return bool(self._client.connected)

    def unit(self, unit: int, lane: Lane = Lane.OWN) -> ModbusUnit:
        """Return one device behind the link, by its unit id; its reads go in ``lane``."""
        return ModbusUnit(self, unit, lane)

    def read(
        self,
        unit: int,
        address: int,
        count: int,
        function_code: int = HOLDING,
        lane: Lane = Lane.OWN,
    ) -> list[int]:
        """Return registers of one unit, all from one request.

        Raises:
            RegistersRefusedError: The device does not serve all of them.
            DeviceBusyError: It is busy.
            UnitPausedError: It was silent and is left alone for a while.
            LineCrowdedError: Too many requests wait for this line.
            LinkDownError: It cannot be reached, or stays silent.
        """
        assert 1 <= count <= MOST_PER_READ, count
        assert function_code in (HOLDING, INPUT), function_code

        def ask() -> ModbusPDU:
            if function_code == INPUT:
                return self._client.read_input_registers(address, count=count, device_id=unit)
            return self._client.read_holding_registers(address, count=count, device_id=unit)

        request = _Request(ask, unit, f"{self.where} unit {unit}", address, count)
        words = list(self._asked(request, lane).registers)
        if len(words) != count:
            self.close()
            raise LinkDownError(f"{request.place}: {len(words)} registers came for {count} asked")
        self.recent.keep(unit, function_code, address, words)
        return words

    def write(
        self, unit: int, address: int, words: Words, function_code: int = WRITE_SEVERAL
    ) -> None:
        """Write registers of one unit in one request; goes first.

        Raises:
            RegistersRefusedError: The device does not take them.
            DeviceBusyError: It is busy.
            LineCrowdedError: Too many requests wait for this line.
            LinkDownError: It cannot be reached, or stays silent; it may still have obeyed.
        """
        assert 1 <= len(words) <= MOST_PER_WRITE, len(words)
        assert function_code == WRITE_SEVERAL or len(words) == 1, (function_code, words)
        place = f"{self.where} unit {unit}"

        def ask() -> ModbusPDU:
            if function_code == WRITE_ONE:
                return self._client.write_register(address, words[0], device_id=unit)
            return self._client.write_registers(address, list(words), device_id=unit)

        try:
            self._asked(_Request(ask, unit, place, address, len(words)), Lane.COMMAND)
        finally:
            self.recent.forget(unit)

    def release(self) -> None:
        """Close the connection where nobody waits for it, so that another program has a turn."""
        if not self._turns.waiting:
            self.close()

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        try:
            with self._turns.turn(Lane.COMMAND, self._settings.longest_wait_s):
                self._close()
        except TemporaryError:
            self._close()  # under a request that hangs: it fails, as with a cable pulled out

    def _asked(self, request: _Request, lane: Lane) -> ModbusPDU:
        """Return an answer; a device that is busy is asked again, and others go meanwhile."""
        for left in range(self._settings.busy_retries, -1, -1):
            with self._turns.turn(lane, self._settings.longest_wait_s):
                self._check(request.unit, lane)
                answer = self._answered(request, lane)
            code = answer.exception_code if isinstance(answer, ExceptionResponse) else 0
            if code not in BUSY or left == 0:
                break
            self._wait(self._settings.busy_wait_s)
        raise_for(code, request.place, request.address, request.count)
        return answer

    def _check(self, unit: int, lane: Lane) -> None:
        """Leave a silent unit alone; a command is tried whatever happened before."""
        if lane is not Lane.COMMAND:
            self._breaker.check(unit)
        if lane is Lane.GUEST:
            self._guests.check(unit)

    def _answered(self, request: _Request, lane: Lane) -> ModbusPDU:
        """Return an answer; silence is forgiven ``retries`` times, a suspect's or guest's never.

        What a guest asks may be what the device is silent about; that costs guests their time
        and is not held against the unit.
        """
        began_s = self._monotonic()
        breaker = self._guests if lane is Lane.GUEST else self._breaker
        once = lane is Lane.GUEST or breaker.suspects(request.unit)
        tries = 1 if once else self._settings.retries + 1
        used = self.connected  # devices close what was idle; that costs no try
        failed = 0
        while True:
            try:
                answer = self._once(request)
            except (ModbusException, OSError) as error:
                shut = isinstance(error, ConnectionException | OSError)
                self._after_failure()
                failed += 0 if shut and used else 1
                used = False
                if failed >= tries:
                    self._note_down()
                    if not shut:
                        breaker.silent(request.unit, self._monotonic() - began_s)
                    why = _silence(self._settings, shut=shut)
                    raise LinkDownError(f"{request.place}: {why}") from error
            else:
                if failed:
                    self._listen_out()  # the answer of an earlier try may still come
                breaker.answered(request.unit)
                self._note_back()
                return answer

    def _once(self, request: _Request) -> ModbusPDU:
        if not self._client.connected:
            if not self._connects():
                self._note_down()
                raise NoConnectionError(
                    f"{request.place}: no connection: {_remedy(self._settings)}"
                )
            self._wait(self._settings.connect_wait_s)
        self._wait(self._settings.pause_s)
        return request.ask()

    def _connects(self) -> bool:
        try:
            return bool(self._client.connect())
        except UnicodeError:  # no host can have such a name
            return False

    def _after_failure(self) -> None:
        if self._settings.serial is None:
            self._close()
        else:
            self._listen_out()

    def _listen_out(self) -> None:
        """Throw away what still comes in: on a serial line nothing tells whose answer it is."""
        client = self._client
        if not isinstance(client, ModbusSerialClient) or client.socket is None:
            return
        quiet = 0
        try:
            for _ in range(_MOST_LISTENS):
                quiet = 0 if client.socket.in_waiting else quiet + 1
                client.socket.reset_input_buffer()
                if quiet >= _QUIET_LISTENS:
                    return
                self._pause(_LISTEN_S)
        except OSError:
            self._close()

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._pause(seconds)

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

    def __init__(self, link: ModbusLink, unit: int, lane: Lane = Lane.OWN) -> None:
        """Name the unit on its link, and how urgent its reads are."""
        self.link = link
        self.unit = unit
        self._lane = lane

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        """Return registers, all from one request; errors as ``ModbusLink.read``."""
        return self.link.read(self.unit, address, count, function_code, self._lane)

    def write(self, address: int, words: Words, function_code: int = WRITE_SEVERAL) -> None:
        """Write registers in one request; errors as ``ModbusLink.write``."""
        self.link.write(self.unit, address, words, function_code)


def _client(settings: LinkSettings) -> ModbusTcpClient | ModbusSerialClient:
    line = settings.serial
    if line is None:
        return ModbusTcpClient(
            settings.host, port=settings.port, timeout=settings.timeout_s, retries=0
        )
    return ModbusSerialClient(
        line.path,
        baudrate=line.baud,
        parity=line.parity,
        stopbits=line.stop_bits,
        timeout=settings.timeout_s,
        retries=0,
        trace_packet=RtuEar().heard,
    )


def _remedy(settings: LinkSettings) -> str:
    if settings.serial is None:
        return "check the address, the port, and whether Modbus TCP is switched on"
    return "check that the adapter is plugged in and that no other program has it"


def _silence(settings: LinkSettings, *, shut: bool) -> str:
    if shut and settings.serial is None:
        return "the other side closed the connection: does another program use it?"
    if shut:
        return "the line broke: is the adapter still plugged in?"
    return f"no answer within {settings.timeout_s:g} s: check the unit id and the cable"
