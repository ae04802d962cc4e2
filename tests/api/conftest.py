"""A street that is served on a real port, shared by the tests of one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from api.server import WebServer
from tests.api.enrol_town import Served, served_town
from tests.api.street import Street, street
from tests.api.town import Town, Towns


@contextmanager
def served(of: Street | Town) -> Iterator[httpx.Client]:
    """Yield a client of a street's own web server."""
    server = WebServer(of.app, "127.0.0.1", 0)
    server.start()
    try:
        # A connection that rested is not used again: the server may be closing it right then.
        limits = httpx.Limits(keepalive_expiry=5)
        address = f"http://127.0.0.1:{server.port}"
        with httpx.Client(base_url=address, timeout=30, limits=limits) as client:
            yield client
    finally:
        of.house.live.close()
        server.stop()


@pytest.fixture(scope="session")
def noon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Forty homes at five past one on 1 July 2026; read only, shared by every test."""
    with street(tmp_path_factory.mktemp("noon")) as made:
        yield made


@pytest.fixture(scope="session")
def lets_in(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A town that lets gateways in; each test has gateways of its own."""
    with served_town(towns, tmp_path_factory.mktemp("letsin")) as made:
        yield made


@pytest.fixture(scope="module")
def client(noon: Street) -> Iterator[httpx.Client]:
    """A visitor of that street who is not logged in."""
    server = WebServer(noon.app, "127.0.0.1", 0)
    server.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as made:
        yield made
    server.stop()


@pytest.fixture(scope="module")
def resident(noon: Street, client: httpx.Client) -> Iterator[httpx.Client]:
    """Who lives in huis-02 of that street, logged in."""
    with httpx.Client(base_url=client.base_url, timeout=30) as made:
        log_in(noon, made, "huis-02")
        yield made


def log_in(of: Street, client: httpx.Client, home: str) -> httpx.Response:
    """Log a client in with a new card of a home; the public address is the origin."""
    return client.post(
        "/inloggen", data={"code": of.card(home)}, headers={"Origin": of.house.public_url}
    )
