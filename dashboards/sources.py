"""Where boards get their numbers: two data sources, known by a uid that is the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from dashboards.json_form import Json
from kwartier.charts import COMMUNITY
from kwartier.errors import SettingsError
from kwartier.interval import QUARTER_S


@dataclass(frozen=True, slots=True)
class Source:
    """A data source as a panel names it.

    Attributes:
        uid: Its name in addresses; no board knows a number of it.
        plugin: Grafana's plugin that asks it.
        title: What people see.
    """

    uid: str
    plugin: str
    title: str


INFLUX = Source("kwartier-influx", "influxdb", "kwartier InfluxDB")
PROMETHEUS = Source("kwartier-prometheus", "prometheus", "kwartier Prometheus")
SOURCES = (INFLUX, PROMETHEUS)
SCRAPE_S = 30
"""How often Prometheus is expected to ask our services [s]."""


@dataclass(frozen=True, slots=True)
class InfluxAccess:
    """How Grafana reaches InfluxDB.

    Attributes:
        url: As Grafana sees it, such as ``http://influxdb:8086``.
        org: The organisation's name.
        token: A secret that may read the bucket of sums, and nothing else.
        bucket: That bucket.
    """

    url: str
    org: str
    token: str = field(repr=False)
    bucket: str = COMMUNITY.name
    source: ClassVar[Source] = INFLUX

    def __post_init__(self) -> None:
        """Refuse an address that Grafana could not use.

        Raises:
            SettingsError: It has no http:// or https:// before it.
        """
        _refuse_bare(self.url)

    def body(self) -> dict[str, Json]:
        """Return it as Grafana's API takes it, and its provisioning files too."""
        return {
            **_body(INFLUX, self.url, default=True),
            "jsonData": {
                "version": "Flux",
                "organization": self.org,
                "defaultBucket": self.bucket,
                "timeInterval": f"{QUARTER_S // 60}m",
                "maxSeries": 50,
            },
            "secureJsonData": {"token": self.token},
        }


@dataclass(frozen=True, slots=True)
class PrometheusAccess:
    """How Grafana reaches Prometheus; ``url`` as Grafana sees it."""

    url: str
    source: ClassVar[Source] = PROMETHEUS

    def __post_init__(self) -> None:
        """Refuse an address that Grafana could not use.

        Raises:
            SettingsError: It has no http:// or https:// before it.
        """
        _refuse_bare(self.url)

    def body(self) -> dict[str, Json]:
        """Return it as Grafana's API takes it, and its provisioning files too."""
        return {
            **_body(PROMETHEUS, self.url, default=False),
            "jsonData": {"httpMethod": "POST", "timeInterval": f"{SCRAPE_S}s"},
        }


def _refuse_bare(url: str) -> None:
    if not url.startswith(("http://", "https://")) or "@" in url:
        plain = url.rpartition("@")[2]
        raise SettingsError(f"{plain}: write it as http://HOST:PORT, as Grafana reaches it")


def _body(source: Source, url: str, *, default: bool) -> dict[str, Json]:
    return {
        "name": source.title,
        "uid": source.uid,
        "type": source.plugin,
        "access": "proxy",
        "url": url,
        "isDefault": default,
    }
