"""A Modbus TCP server on this machine that serves virtual devices, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Collection, Sequence
from typing import Protocol, Self

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimAction, SimData, SimDevice

from hardware.registers import HOLDING, INPUT, Image, Words
from kwartier.errors import LinkDownError

SILENCE = -1
"""What a device says that says nothing at all."""
ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
DEVICE_FAILURE = 4
BUSY = 6
"""With what it refuses (Modbus Application Protocol 1.1b3, section 7)."""
_START_S = 30.0


class VirtualDevice(Protocol):
    """A device that a server can serve; called from the server's thread."""

    @property
    def unit(self) -> int:
        """Its unit id; 0 answers to every id."""

    def spans(self) -> list[tuple[int, list[int]]]:
        """Return its registers now, as unbroken runs; always the same addresses."""

    def read_refusal(self) -> int:
        """Return the exception code with which it refuses reads now; 0 when it does not."""

    def write(self, address: int, words: Words) -> int:
        """Take registers; return 0, or the exception code with which it refuses them."""


class RecordedDevice:
    """A recording that is served; it takes no writes."""

    def __init__(self, unit: int, image: Image) -> None:
        """Serve ``image`` as ``unit``."""
        self._unit = unit
        self._spans = image.spans()

    @property
    def unit(self) -> int:
        """Its unit id."""
        return self._unit

    def spans(self) -> list[tuple[int, list[int]]]:
        """Return what was recorded."""
        return self._spans

    def read_refusal(self) -> int:
        """Return 0: it refuses nothing it has."""
        return 0

    def write(self, address: int, words: Words) -> int:
        """Refuse: a recording cannot be told anything."""
        del address, words
        return ILLEGAL_ADDRESS


class ModbusServer:
    """Serves virtual devices on the loopback address; a context manager."""

    def __init__(
        self, devices: Sequence[VirtualDevice], port: int = 0, *, unknown: Collection[int] = ()
    ) -> None:
        """Prepare a server; port 0 takes a spare one. Function codes ``unknown`` are refused."""
        self._devices = devices
        self._unknown = frozenset(unknown)
        self._wanted = port
        self._port = 0
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._serve, name="modbus-twin", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        return self._port

    def start(self) -> Self:
        """Listen.

        Raises:
            LinkDownError: The port is taken.
        """
        self._thread.start()
        if not self._ready.wait(_START_S) or not self._port:
            raise LinkDownError(f"no Modbus server on port {self._wanted}: is the port taken?")
        return self

    def stop(self) -> None:
        """Close every connection and end the thread."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(_START_S)

    def __enter__(self) -> Self:
        """Listen."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def _serve(self) -> None:
        try:
            asyncio.run(self._main())
        finally:
            self._ready.set()

    async def _main(self) -> None:
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        devices = [_sim_device(device, self._unknown) for device in self._devices]
        server = ModbusTcpServer(devices, address=("127.0.0.1", self._wanted))
        if not await server.listen():
            return
        assert isinstance(server.transport, asyncio.Server)
        self._port = server.transport.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        await server.shutdown()  # type: ignore[no-untyped-call]  # theirs is untyped


def _sim_device(device: VirtualDevice, unknown: frozenset[int]) -> SimDevice:
    blocks = [
        SimData(address, values=list(words), datatype=DataType.REGISTERS)
        for address, words in device.spans()
    ]
    return SimDevice(device.unit, blocks, action=_action(device, unknown))


def _action(device: VirtualDevice, unknown: frozenset[int]) -> SimAction:
    async def act(
        function_code: int,
        start: int,
        address: int,
        count: int,
        current: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        del count
        if function_code in unknown:
            return ExcCodes.ILLEGAL_FUNCTION
        if function_code in (HOLDING, INPUT):
            code = device.read_refusal()
        elif written:
            code = device.write(address, [int(word) for word in written])
        else:
            code = 0  # after a write of one register the server reads back what it answers with
        if code == SILENCE:
            await asyncio.Event().wait()
        for first, words in device.spans():
            current[first - start : first - start + len(words)] = words
        return ExcCodes(code) if code else None

    return act
