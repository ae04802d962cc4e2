"""What Prometheus is told of outside sources: whether each answers, and how often it did not."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from collectors.watch import Watch


class SourceCounts(Collector):
    """Counts the failures of each source since this process began."""

    def __init__(self) -> None:
        """Know of no source."""
        self._lock = threading.Lock()
        self._watches: Sequence[Watch] = ()

    def learn(self, watches: Sequence[Watch]) -> None:
        """Take over which sources there are."""
        with self._lock:
            self._watches = watches

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield the state of every source."""
        with self._lock:
            watches = self._watches
        failures = CounterMetricFamily(
            "kwartier_source_failures", "Questions an outside source left open.", labels=["source"]
        )
        up = GaugeMetricFamily(
            "kwartier_source_up", "1 while an outside source answers.", labels=["source"]
        )
        for watch in watches:
            failures.add_metric([watch.name], watch.failures)
            up.add_metric([watch.name], watch.up)
        yield failures
        yield up
