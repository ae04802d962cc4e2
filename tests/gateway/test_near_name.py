"""A device that calls out its name is found again after its router gave it another address."""

from __future__ import annotations

import queue
import socket
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from zeroconf import ServiceInfo, Zeroconf

from gateway.near_name import NearName, is_near_name
from gateway.p1.homewizard import HomeWizardSource
from hardware.twins.p1_meter import P1Meter
from kwartier.clock import VirtualClock
from kwartier.errors import LinkDownError
from kwartier.reading import Reading
from tests.gateway.test_p1_homewizard import NOON_S, PATIENCE_S, Device, response

LOOPBACK = ["127.0.0.1"]
WAIT_MS = 20_000


class Caller:
    """Calls out a name of its own on this machine, with real multicast DNS."""

    def __init__(self) -> None:
        self.name = f"p1meter-{uuid.uuid4().hex[:12]}.local"
        self._zeroconf = Zeroconf(interfaces=LOOPBACK)
        self._is_there = False

    def be_at(self, address: str) -> None:
        """Say where the name is from now on."""
        info = ServiceInfo(
            "_hwenergy._tcp.local.",
            f"{self.name.partition('.')[0]}._hwenergy._tcp.local.",
            port=80,
            addresses=[socket.inet_aton(address)],
            server=f"{self.name}.",
        )
        if self._is_there:
            self._zeroconf.update_service(info)
        else:
            self._zeroconf.register_service(info, cooperating_responders=True)
        self._is_there = True

    def close(self) -> None:
        self._zeroconf.close()


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """A thread of its own: a browser's tests before may have left a loop on this one."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def moved(parts: ExitStack) -> tuple[list[str], int, Reading, Reading]:
    """Move a meter that is read, and return how it was read."""
    caller = Caller()
    parts.callback(caller.close)
    caller.be_at("127.0.0.1")
    before, meter = Device(), P1Meter("E0001")
    before.answers["/api/v1/telegram"] = response(meter.telegram(NOON_S))
    port = before.port
    near = NearName(caller.name, LOOPBACK, wait_ms=WAIT_MS)
    inbox: queue.Queue[Reading] = queue.Queue()
    source = HomeWizardSource(
        f"homewizard://{caller.name}:{port}",
        VirtualClock(NOON_S),
        near=near,
        every_s=0.02,
        longest_wait_s=0.1,
    )
    source.start(inbox.put)
    parts.callback(source.stop)
    first = inbox.get(timeout=PATIENCE_S)
    places = [near.address()]

    before.close()
    after = Device("127.0.0.2", port)
    parts.callback(after.close)
    after.answers["/api/v1/telegram"] = response(meter.telegram(NOON_S + 60))
    caller.be_at("127.0.0.2")
    second = inbox.get(timeout=PATIENCE_S)
    places.append(near.address())
    return places, source.losses, first, second


def test_a_meter_that_moved_is_read_again_by_itself(aside: ThreadPoolExecutor) -> None:
    with ExitStack() as parts:
        places, losses, first, second = aside.submit(moved, parts).result()

    assert places == ["127.0.0.1", "127.0.0.2"]
    assert (first.at_s, second.at_s, losses) == (NOON_S, NOON_S + 60, 1)


def test_a_name_nobody_answers_to_says_so(aside: ThreadPoolExecutor) -> None:
    near = NearName(f"p1meter-{uuid.uuid4().hex[:12]}.local", LOOPBACK, wait_ms=100)
    ask: Callable[[], str] = near.address

    with pytest.raises(LinkDownError, match="nobody in the home's network"):
        aside.submit(ask).result()


@pytest.mark.parametrize("host", ["192.168.1.5", "meter.example.com", "local", "meter"])
def test_another_host_is_asked_for_in_the_usual_way(host: str) -> None:
    assert not is_near_name(host)
    assert NearName(host).address() == host
