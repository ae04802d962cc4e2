"""How a process is told to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Give an event that SIGTERM and SIGINT set, for as long as the block lasts."""
    stop = threading.Event()

    def told(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape of a handler
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does, so that what it opened is closed in order."""

    def told(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape of a handler
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
