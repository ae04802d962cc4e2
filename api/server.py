"""The web server as a part that starts and stops."""

from __future__ import annotations

import socket
import threading

import uvicorn
from fastapi import FastAPI

from kwartier.errors import SettingsError

STOP_S = 5.0
"""How long open answers get to finish [s]."""


class WebServer:
    """Serves an app; the port is open from the beginning, so nobody has to wait for it."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        """Open the port; 0 takes a free one.

        Raises:
            SettingsError: The port cannot be opened.
        """
        self._listening = _listening(host, port)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                limit_concurrency=1_000,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=1,
                ws="none",
            )
        )
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that is open."""
        return int(self._listening.getsockname()[1])

    def run(self) -> None:
        """Serve until a signal or ``stop`` ends it."""
        self._server.run([self._listening])

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered, and stop."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(STOP_S)
        self._listening.close()


def _listening(host: str, port: int) -> socket.socket:
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
