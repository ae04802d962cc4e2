"""A street whose gateways are shared out over several collectors, each a process of its own."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from collectors.sqlite_store import SqliteStore
from collectors.union_store import open_records
from tests.faults.harness import PROGRAM, ROOT, Street, Verdict, end_process


class ShardedStreet(Street):
    """Some gateways, one broker, and as many collectors as are told to share them."""

    def __init__(self, folder: Path, *, gateways: int, blocks: int, shards: int) -> None:
        """Prepare a run that begins with so many collectors."""
        super().__init__(folder, gateways=gateways, blocks=blocks)
        self.shards = shards
        self.records: list[Path] = []
        self._collectors: dict[int, subprocess.Popen[bytes]] = {}
        self._starts = 0

    def start(self) -> None:
        """Start everything; the collectors are heard of before the first gateway speaks."""
        self.start_collectors()
        for meter in self.gateways:
            self.start_gateway(meter)

    def start_collectors(self) -> None:
        """Start every shard, and return once each hears its gateways."""
        logs = [self.start_shard(number) for number in range(self.shards)]
        self.wait_until(lambda: all("link is up" in log.read_text() for log in logs))

    def start_shard(self, number: int) -> Path:
        """Start one collector on its own record; return its log."""
        record, settings = f"shard-{number}.db", self.folder / f"shard-{number}.toml"
        settings.write_text(
            f'coop = "straat"\n[broker]\nurl = "{self.broker.broker.url}"\n'
            f'[store]\npath = "{record}"\n[shard]\nnumber = {number}\nof = {self.shards}\n'
        )
        if self.folder / record not in self.records:
            self.records.append(self.folder / record)
        self._starts += 1
        name = f"shard-{number}-{self._starts}"
        self._collectors[number] = self._spawn(name, *PROGRAM, "collect", "--config", str(settings))
        return self.folder / f"{name}.log"

    def kill_shard(self, number: int) -> None:
        """End one collector at once, as a power cut does."""
        self._refuse_the_dead()
        end_process(self._collectors.pop(number), signal.SIGKILL)

    def reshard(self, shards: int) -> None:
        """Stop all collectors, hand gateways over, and go on with another number of collectors."""
        self.stop_collectors()
        self.records = [
            self.folder / f"shard-{number}.db" for number in range(max(shards, len(self.records)))
        ]
        self.shards = shards
        words = [*PROGRAM, "shards", "move", "--of", str(shards), *map(str, self.records)]
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=120)
        self.start_collectors()

    def stop_collectors(self) -> None:
        """End all collectors in order."""
        self._refuse_the_dead()
        for collector in self._collectors.values():
            end_process(collector, signal.SIGTERM)
        self._collectors.clear()

    def stored(self) -> int:
        """Return how many readings the records hold now."""
        held = 0
        for record in self.records:
            self._record = record
            held += super().stored()
        return held

    def gateways_are_done(self) -> bool:
        """Return whether each gateway believes that all it wrote is in a record."""
        self._refuse_the_dead()
        return super().gateways_are_done()

    def finish(self) -> Verdict:
        """Stop the collectors in order and compare what they hold with what the meters gave."""
        self.stop_collectors()
        problems: list[str] = []
        for path in self.records:
            with SqliteStore(path, read_only=True) as store:
                problems += store.integrity()
        record = open_records(self.records)
        try:
            return self.verdict_on(record, problems)
        finally:
            record.close()

    def close(self) -> None:
        """End whatever still runs."""
        for collector in self._collectors.values():
            end_process(collector, signal.SIGKILL)
        super().close()

    def _refuse_the_dead(self) -> None:
        if any(collector.poll() is not None for collector in self._collectors.values()):
            raise AssertionError(f"a collector ended by itself: {self.last_words()}")
