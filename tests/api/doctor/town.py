"""A server whose every link can be broken."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from api.broker import BrokerProcess
from api.cooperative.backup.remark import note_made
from api.doctor.examine import examine, read_services
from api.doctor.finding import Finding
from api.plan_book import SqlitePlanBook
from api.plans import NeighbourhoodPlan, PlannedQuarter
from collectors.checkup import Condition, Looked, condition_path
from collectors.prices.book import SqlitePrices
from collectors.sqlite_store import SqliteStore
from kwartier.metrics_door import Listening, MetricsDoor
from kwartier.reading import Reading
from kwartier.wire import block_of, encode_block
from tests.collectors.loopback import FarSide, Reply

NOW = int(time.time())
EAN, NAME, TOKEN, VALUE = "871687110000012347", "Jannigje", "s3cr3t-t0ken", 77_777_777
WIJK = f"""
coop = "straat"
name = "Straat van {NAME}"
[[connection]]
id = "huis-1"
member = "lid-1"
gateway = "gw-1"
[[connection]]
id = "huis-2"
member = "lid-2"
gateway = "gw-2"
"""
COLLECT = """
coop = "straat"
metrics = "127.0.0.1:{door}"
[broker]
url = "{broker}"
username = "collect"
password_file = "token"
[store]
path = "record.db"
[influx]
url = "{influx}"
organisation = "straat"
token_file = "token"
"""
SERVE = """
community = "wijk.toml"
store = "record.db"
state = "state"
port = {port}
grafana_url = "{grafana}"
[broker]
url = "{broker}"
username = "collect"
password_file = "token"
[planner]
prices = "energyzero"
"""


HALF_FULL = 500
"""How full the disk is, where a test says nothing of it [1/1000]."""
SOUND = Condition(NOW - 30, 1_000, 0, 10_000, 100, 310, 0, Looked(NOW - 40_000, 0.1, is_done=True))
"""What a collector tells of a record in which nothing is wrong."""
DAMAGED = Looked(NOW - 900, 2.0, is_done=True, problems=("row 7 missing from index", "page 3"))
"""A look that found faults."""


class Town:
    """A server's files, its disk, and what answers around them; each may be broken by a test."""

    def __init__(self, folder: Path, broker: BrokerProcess) -> None:
        self.folder = folder
        self.full_permille = HALF_FULL
        self.broker = broker
        self.web = [FarSide(Reply(200)) for _ in range(3)]
        self.door = MetricsDoor(Listening("127.0.0.1", 0), list)
        influx, grafana, pages = (each.url for each in self.web)
        (folder / "state").mkdir()
        (folder / "token").write_text(TOKEN)
        (folder / "wijk.toml").write_text(WIJK)
        url = broker.broker.url
        (folder / "collect.toml").write_text(
            COLLECT.format(door=self.door.port, broker=url, influx=influx)
        )
        (folder / "serve.toml").write_text(
            SERVE.format(port=pages.rpartition(":")[2], grafana=grafana, broker=url)
        )
        with SqliteStore(folder / "record.db") as store, store.intake() as intake:
            for gateway in ("gw-1", "gw-2"):
                reading = Reading("p1", EAN, NOW - 10, {"import_wh": VALUE})
                block = block_of([reading], gateway, "e1", 1)
                intake.add(block, encode_block(block), NOW - 10)
        with closing(SqlitePlanBook(folder / "state" / "plans.db")) as book:
            quarter = PlannedQuarter(NOW, 0, 0, 0, 0, 0.1)
            book.keep(NeighbourhoodPlan("p", NOW - 60, "optimal", (quarter,), (), 0.0, 0.0))
        SqlitePrices(folder / "state" / "prices.db").close()
        self.ask(
            "state/prices.db",
            "INSERT INTO price VALUES (?, '1', 'agreed', 'a b', ?)",
            (NOW + 43_200, NOW - 600),
        )
        note_made(folder / "state", "people.sealed", NOW - 3_600)
        self.tell("record.db", SOUND)

    def tell(self, record: str, told: Condition) -> None:
        """Write what a collector tells of a record."""
        condition_path(self.folder / record).write_text(json.dumps(asdict(told)))

    def ask(self, file: str, statement: str, values: tuple[object, ...] = ()) -> None:
        """Change a file by hand."""
        with closing(sqlite3.connect(self.folder / file)) as db, db:
            db.execute(statement, values)

    def away(self, url: str) -> None:
        """Have the settings name a port at which nobody listens, in the place of another."""
        port = url.rpartition(":")[2]
        for file in ("collect.toml", "serve.toml"):
            path = self.folder / file
            text = path.read_text().replace(f"127.0.0.1:{port}", "127.0.0.1:9")
            path.write_text(text.replace(f"port = {port}", "port = 9"))

    def found(self) -> dict[str, Finding]:
        """Return what the doctor finds, by link."""
        services = read_services([self.folder / "collect.toml", self.folder / "serve.toml"])
        return {one.link: one for one in examine(services, NOW, _Set(), self._full)}

    def _full(self, _folder: Path, /) -> int:
        return self.full_permille

    def close(self) -> None:
        for each in self.web:
            each.close()
        self.door.close()


class _Set:
    """A time service that has set the clock."""

    def synchronised(self) -> bool:
        return True
