"""A street whose battery a server plans for: history, prices, and an ear for what it is told.

Five homes have told a day and a half of quarters; power costs less than nothing now and is usual
later, so the one thing that a plan can tell the battery at this moment is to take all it may.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import httpx

from collectors.sqlite_store import SqliteStore
from kwartier.bus import Message
from kwartier.envelope import Envelope
from kwartier.errors import KwartierError
from kwartier.interval import QUARTER_S, instant_text
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading, Schedule
from kwartier.schedule import decode_schedule
from kwartier.units import EpochS
from kwartier.wire import Address, Lane, block_of, encode_block
from tests.journeys.services import COOP, GATEWAY, PATIENCE_S, Street

HOMES = ("gw-2", "gw-3", "gw-4", "gw-5", "gw-6")
HISTORY = 144
"""Quarters that the homes have told."""
USE_WH = 150
"""What each of them took in each quarter [Wh]."""
CHEAP = 12
"""Quarters at a negative price that rises, so that none is as good as the present one."""
CHARGE_W = 4_000
"""The most the neighbourhood allows; the battery itself can do 5000 W."""

COMMUNITY = """
coop = "straat"
name = "De Straat"

[[battery]]
id = "buurtbatterij"
gateway = "gw-1"
device = "battery"
capacity_wh = 10000
charge_max_w = 4000
discharge_max_w = 4000
"""
SERVE = """
community = "wijk.toml"
store = "record.db"
state = "state"
port = 0

[broker]
url = "{broker}"

[planner]
prices = "prices.csv"
"""


class Wijk:
    """A street, its neighbours' history, the prices, and an ear for what the battery is told."""

    def __init__(self, folder: Path) -> None:
        """Start the devices and the broker, and write what the server reads."""
        self.street = Street(folder)
        self.ordered: list[Schedule] = []
        self._ear = MqttBus(self.street.broker.broker, Session("clerk"))
        self._ear.subscribe(Address(COOP, GATEWAY, Lane.COMMAND, "battery").topic, self._hear)
        assert self._ear.wait_until_up(PATIENCE_S)
        homes = "".join(
            f'[[connection]]\nid = "huis-{home}"\nmember = "lid-{home}"\ngateway = "{home}"\n'
            for home in HOMES
        )
        (folder / "wijk.toml").write_text(COMMUNITY + homes)
        start_s = quarter_now()
        rows = [
            f"{instant_text(start_s + place * QUARTER_S)},{price_eur_per_mwh(place)}"
            for place in range(192)
        ]
        (folder / "prices.csv").write_text("\n".join(["utc,eur_per_mwh", *rows]))

    def begin(self) -> subprocess.Popen[bytes]:
        """Return the gateway, once the record knows what a plan stands on."""
        street = self.street
        self.collector = street.start_collector()
        gateway = street.start_gateway()
        self._tell_history()
        street.until(
            lambda: street.ear.shown("battery", "soc_permille", 500), "the battery is read"
        )
        assert street.end(gateway, signal.SIGTERM) == 0  # a stop sends on what is not a block yet
        gateway = street.start_gateway()
        street.until(lambda: street.points("battery", "soc_permille"), "the battery is on record")
        street.until(lambda: self._homes_on_record() == set(HOMES), "the homes are on record")
        street.until(lambda: street.ear.online[-1], "the gateway is online")
        return gateway

    def start_server(self) -> subprocess.Popen[bytes]:
        """Start a server that plans; it may still be on its way up when this returns."""
        return self.street.start("serve", SERVE)

    def serve(self) -> tuple[subprocess.Popen[bytes], httpx.Client]:
        """Return a server that plans, and somebody who visits it."""
        process = self.start_server()
        self.street.until(
            lambda: re.search(r"on port (\d+)", self.street.words("serve")), "the server serves"
        )
        (port,) = re.findall(r"on port (\d+)", self.street.words("serve"))
        return process, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S)

    def close(self) -> None:
        """End whatever still runs."""
        self._ear.close()
        self.street.close()

    def _hear(self, message: Message) -> None:
        self.ordered.append(decode_schedule(message.payload))

    def _tell_history(self) -> None:
        """Publish, as the neighbours' gateways would, their registers and what flows now."""
        last_s = quarter_now()
        first_s = last_s - HISTORY * QUARTER_S
        for home in HOMES:
            readings = [
                Reading("p1", f"E-{home}", at_s, {"import_wh": USE_WH * place, "export_wh": 0})
                for place, at_s in enumerate(range(first_s, last_s + 1, QUARTER_S))
            ]
            now = {"import_w": 4 * USE_WH, "export_w": 0}
            readings.append(Reading("p1", f"E-{home}", max(last_s + 1, int(time.time())), now))
            self.street.ear.bus.publish(
                Address(COOP, home, Lane.BLOCK, "p1").topic,
                encode_block(block_of(readings, home, "e1", 1)),
                properties=Envelope("e1", 1).properties(),
            )

    def _homes_on_record(self) -> set[str]:
        try:
            with SqliteStore(self.street.folder / "record.db", read_only=True) as store:
                return {
                    latest.key.gateway for latest in store.latest() if latest.key.device == "p1"
                }
        except KwartierError:
            return set()


def price_eur_per_mwh(place: int) -> int:
    """Return the market price so many quarters after the first [EUR/MWh]."""
    return -500 + 10 * place if place < CHEAP else 100


def quarter_now() -> EpochS:
    return int(time.time()) // QUARTER_S * QUARTER_S
