"""An end to a whole exchange: a timeout of a socket bounds silence, and a slow drip is none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def shut_down(line: socket.socket) -> None:
    """End a line under whoever reads or writes it on another thread; one that is down stays so."""
    with suppress(OSError):
        # Not the method of a TLS socket: that takes the session away from under its reader.
        socket.socket.shutdown(line, socket.SHUT_RDWR)


@contextmanager
def ended_after(line: socket.socket, within_s: float) -> Iterator[threading.Event]:
    """Shut a line down when its time is over; whoever waits on it then reads its end.

    What ends like that may look whole, so look at what this gives: it is set when time was over.

    Args:
        line: A connected socket; under TLS too.
        within_s: From now, by the monotonic clock; 0 or less is at once [s].
    """
    over = threading.Event()

    def end() -> None:
        over.set()
        shut_down(line)

    timer = threading.Timer(max(0.0, within_s), end)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()
        timer.join()
