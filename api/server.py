"""The web server as a part that starts and stops."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from kwartier.errors import SettingsError

STOP_S = 5.0
"""How long open answers get to finish [s]."""


def _nothing() -> None:
    """Do nothing."""


class _Server(uvicorn.Server):
    """Tells others when a signal ends it."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping()
        super().handle_exit(sig, frame)


class WebServer:
    """Serves an app; its port is open from the beginning, so nobody has to wait for it."""

    def __init__(
        self,
        app: FastAPI,
        host: str,
        port: int,
        *,
        opened: socket.socket | None = None,
        stopping: Callable[[], None] = _nothing,
    ) -> None:
        """Open a port, and be ready to serve.

        Args:
            app: What answers.
            host: Where to listen.
            port: On which port; 0 takes a free one.
            opened: A port that is open already, instead; it is closed in the end.
            stopping: Is called when it is told to stop, so that endless answers can end.

        Raises:
            SettingsError: The port cannot be opened.
        """
        self._listening = open_port(host, port) if opened is None else opened
        self._stopping = stopping
        self._server = _Server(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                log_config=None,
                server_header=False,
                limit_concurrency=1_000,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=3,
                ws="none",
            ),
            stopping,
        )
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that is open."""
        return port_of(self._listening)

    def run(self) -> None:
        """Serve until a signal or ``stop`` ends it."""
        self._server.run([self._listening])

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered, and stop."""
        self._stopping()
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(STOP_S)
        self._listening.close()


def open_port(host: str, port: int) -> socket.socket:
    """Return an open port; 0 takes a free one.

    Raises:
        SettingsError: It cannot be opened.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio send small answers at once (no Nagle).
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(512)
    except OSError as error:
        opened.close()
        raise SettingsError(
            f"{host}:{port} cannot be opened ({error.strerror}): choose another port, "
            "or end the program that has it"
        ) from error
    return opened


def port_of(listening: socket.socket) -> int:
    """Return the number of an open port."""
    return int(listening.getsockname()[1])
