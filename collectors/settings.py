"""The collector's settings, from one TOML file; docs/settings.md lists every key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from collectors.ingest import Limits
from collectors.retention import DAY_S, DETAIL_DAYS, MONTHS_KEPT
from collectors.shard import MOST_SHARDS, Shard
from kwartier.broker import Broker, read_broker
from kwartier.charts import RAW
from kwartier.errors import SettingsError
from kwartier.identity import CoopId
from kwartier.metrics_door import Listening, listening_at
from kwartier.settings import Table, read_secret, read_toml

RAW_DAYS = RAW.keep_s // DAY_S
LINES_PER_S = 5_000
"""The most lines of a backlog sent in a second, unless the settings say otherwise.

A day of a hundred homes at ten seconds is then there in three minutes, and a server that can take
several times as much goes on answering charts.
"""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where the record is and how long it keeps what.

    Attributes:
        path: Its file.
        max_bytes: The most it may grow to; None for as much as the disk holds.
        detail_days: How long single readings stay in it at least.
        months_kept: How many closed months stay as files beside it; 0 for none.
    """

    path: Path
    max_bytes: int | None = None
    detail_days: int = DETAIL_DAYS
    months_kept: int = MONTHS_KEPT


@dataclass(frozen=True, slots=True)
class InfluxPlace:
    """The InfluxDB to which readings are passed on.

    Attributes:
        url: Its address.
        organisation: Whose it is.
        bucket: Where the readings go.
        token: Never in a log or a message.
        keep_days: How long that bucket keeps points; 0 for ever.
        lines_per_s: The most lines of a backlog sent in a second.
    """

    url: str
    organisation: str
    bucket: str
    token: str = field(repr=False)
    keep_days: int = RAW_DAYS
    lines_per_s: int = LINES_PER_S


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """What a collector needs to know.

    Attributes:
        coop: The cooperative whose gateways it hears.
        broker: Where they publish.
        keeping: Where the record is.
        limits: How much is taken at once.
        influx: Where readings are passed on to; None for nowhere.
        shard: Which of several collectors it is.
        metrics: Where it answers Prometheus; None for nowhere.
    """

    coop: CoopId
    broker: Broker
    keeping: Keeping
    limits: Limits = field(default_factory=Limits)
    influx: InfluxPlace | None = None
    shard: Shard = field(default_factory=Shard)
    metrics: Listening | None = None


def read_settings(path: Path) -> CollectorSettings:
    """Return the settings of a TOML file; files named in it are sought beside it.

    Raises:
        SettingsError: A file is away or a key is wrong; file and key are named.
    """
    return read_toml(path, lambda top: _settings(top, path.parent))


def _settings(top: Table, folder: Path) -> CollectorSettings:
    settings = CollectorSettings(
        top.name("coop"),
        read_broker(top.table("broker"), folder),
        _keeping(top.table("store"), folder),
        _limits(top.table("ingest")),
        _influx(top.table("influx"), folder) if "influx" in top.values else None,
        _shard(top.table("shard")),
        listening_at(top.text_or_none("metrics"), "metrics"),
    )
    top.refuse_the_rest()
    return settings


def _keeping(table: Table, folder: Path) -> Keeping:
    mebibytes = table.whole("max_mib", 0, low=0)
    keeping = Keeping(
        folder / table.text("path"),
        mebibytes * 1024 * 1024 or None,
        table.whole("detail_days", DETAIL_DAYS, low=1, high=36_500),
        table.whole("months_kept", MONTHS_KEPT, low=0, high=1200),
    )
    if not keeping.path.parent.is_dir():
        raise SettingsError(
            f"{table.place}path: there is no folder {keeping.path.parent}: make it first"
        )
    table.refuse_the_rest()
    return keeping


def _limits(table: Table) -> Limits:
    usual = Limits()
    limits = Limits(
        inbox=table.whole("inbox", usual.inbox, low=10, high=100_000),
        batch=table.whole("batch", usual.batch, low=1, high=1000),
        gather_s=table.number("gather_s", usual.gather_s, high=5.0),
        patience_s=table.number("patience_s", usual.patience_s, high=30.0),
    )
    table.refuse_the_rest()
    return limits


def _shard(table: Table) -> Shard:
    of = table.whole("of", 1, low=1, high=MOST_SHARDS)
    shard = Shard(table.whole("number", 0, low=0, high=of - 1), of)
    table.refuse_the_rest()
    return shard


def _influx(table: Table, folder: Path) -> InfluxPlace:
    place = InfluxPlace(
        table.text("url"),
        table.text("organisation"),
        table.text("bucket", RAW.name),
        read_secret(table, "token_file", folder),
        table.whole("keep_days", RAW_DAYS, low=0, high=36_500),
        table.whole("lines_per_s", LINES_PER_S, low=100, high=1_000_000),
    )
    table.refuse_the_rest()
    return place
