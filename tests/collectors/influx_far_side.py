"""A stand-in for InfluxDB's write address: it stores lines, or fails as it is told to."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from collectors.influx import Influx, InfluxSettings
from tests.collectors.loopback import Asked, FarSide, Reply


def refusal(status: int, message: str, code: str = "invalid") -> Reply:
    """An error in the form of the v2 API."""
    body = json.dumps({"code": code, "message": message}).encode()
    return Reply(status, body, {"Content-Type": "application/json"})


class InfluxFarSide(FarSide):
    """Takes lines as the v2 API does: the good ones are stored also when one is refused.

    Replies given as a script come first; after them it works.
    """

    def __init__(self, *script: Reply, refuses: Callable[[str], bool] | None = None) -> None:
        self.stored: dict[str, int] = {}
        """How often each line was stored."""
        self.refuses = refuses
        self.taken = threading.Event()
        super().__init__(*script)

    def reply(self, asked: Asked) -> Reply:
        if self.replies:
            return self.replies.pop(0)
        bad = []
        for line in lines_of(asked):
            if self.refuses is not None and self.refuses(line):
                bad.append(line)
            else:
                self.stored[line] = self.stored.get(line, 0) + 1
        self.taken.set()
        if bad:
            return refusal(400, f"partial write: unable to parse '{bad[0]}' dropped={len(bad)}")
        return Reply(204)


def lines_of(asked: Asked) -> list[str]:
    """The lines of a request, inflated."""
    packed = asked.headers.get("Content-Encoding") == "gzip"
    return (gzip.decompress(asked.body) if packed else asked.body).decode().splitlines()


@contextmanager
def influx(
    *script: Reply, refuses: Callable[[str], bool] | None = None, timeout_s: float = 5.0
) -> Iterator[tuple[InfluxFarSide, Influx]]:
    """A stand-in and an open door to it."""
    server = InfluxFarSide(*script, refuses=refuses)
    settings = InfluxSettings(server.url, "s3cret", "coop", "wijk", timeout_s)
    try:
        with Influx(settings) as door:
            yield server, door
    finally:
        server.close()
