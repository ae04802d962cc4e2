"""What Prometheus is told: counts and ages of the whole, never of a home."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.cooperative.runs.states import State
from api.health.gateways import Link, first_broken
from api.health.settlements import Settlements
from api.house import House
from api.source_counts import SourceCounts
from collectors.power import meters_of
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.events import EventKind
from kwartier.metrics_text import disk_measures

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

_HELD = (
    ("kwartier_store_points", "Values held."),
    ("kwartier_store_readings", "Rows of blocks taken in."),
    ("kwartier_store_blocks", "Blocks taken in."),
    ("kwartier_store_dead_letters", "Blocks set aside."),
    ("kwartier_store_conflicts", "Points that came twice."),
)
_NOTHING_HELD: tuple[int | None, ...] = (None,) * len(_HELD)


class Metrics:
    """The measures of one app."""

    def __init__(self) -> None:
        """Start at zero."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "kwartier_http_requests_total",
            "Answers by route and status.",
            ("route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "kwartier_http_seconds",
            "Time until an answer's head was sent, by route [s].",
            ("route",),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._known = KnownGauges()
        self.registry.register(self._known)
        self._events = EventCounts()
        self.registry.register(self._events)
        self._sources = SourceCounts()
        self.registry.register(self._sources)
        self._gateways = Gauge(
            "kwartier_gateways",
            "Enrolled gateways by their first broken link.",
            ("link",),
            registry=self.registry,
        )
        self._settlements = Settlements()
        self._months = Gauge(
            "kwartier_settlements",
            "Months by where their settlement stands.",
            ("state",),
            registry=self.registry,
        )

    def look(self, house: House) -> None:
        """Bring the gauges up to date; what is not known now stays away."""
        now_s = house.clock.now_s()
        tell = self._known.tell
        tell("kwartier_live_streams", "Open live streams.", house.live.listening)
        tell("kwartier_live_refused", "Live messages nobody could read.", house.live.refused)
        self._sources.learn(house.outside)
        self._look_at_disk(house)
        self._look_at_backlog(house)
        self._look_at_books(house)
        plan = house.plans.current()
        age_s = None if plan is None else now_s - plan.made_s
        tell("kwartier_plan_age_seconds", "Age of the plan in force [s].", age_s)
        self._look_at_record(house, now_s)

    def _look_at_record(self, house: House, now_s: float) -> None:
        held, age_s = _NOTHING_HELD, None
        self._gateways.clear()
        try:
            counts, events = house.store.counts(), house.store.event_counts()
            newest_s = house.live.instants().newest_s(meters_of(house.community))
            links = first_broken(house)
        except KwartierError:  # busy, away or damaged: all else is told the same
            up = 0
        else:
            up = 1
            held = (
                counts.points,
                counts.readings,
                counts.blocks,
                counts.dead_letters,
                counts.conflicts,
            )
            age_s = None if newest_s is None else now_s - newest_s
            self._events.learn(events)
            for link in Link:
                self._gateways.labels(link.value).set(links[link])
        tell = self._known.tell
        tell("kwartier_store_up", "1 when the record can be read.", up)
        tell("kwartier_data_age_seconds", "Age of the newest value of a home's meter [s].", age_s)
        for (name, meaning), value in zip(_HELD, held, strict=True):
            tell(name, meaning, value)

    def _look_at_disk(self, house: House) -> None:
        if house.people.folder is not None:
            for one in disk_measures(house.people.folder):
                self._known.tell(one.name, one.meaning, one.value)

    def _look_at_books(self, house: House) -> None:
        self._months.clear()
        if house.office is None:
            return
        try:
            months = self._settlements.counts(house)
        except KwartierError:  # books that cannot be asked now: all else is told the same
            return
        for state in State:
            self._months.labels(state.value).set(months.get(state, 0))

    def _look_at_backlog(self, house: House) -> None:
        told = [one.state.unacknowledged for one in house.gateways.all().values()]
        meaning = "Blocks gateways still keep, as they told."
        self._known.tell("kwartier_gateway_backlog_blocks", meaning, sum(told) if told else None)


class KnownGauges(Collector):
    """Gauges of which one that is not known has no value: a board then says that it has none."""

    def __init__(self) -> None:
        """Know of none."""
        self._lock = threading.Lock()
        self._told: dict[str, tuple[str, float | None]] = {}

    def tell(self, name: str, meaning: str, value: float | None) -> None:
        """Take over a value; None where it is not known now."""
        with self._lock:
            self._told[name] = (meaning, value)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield what was told last."""
        with self._lock:
            told = dict(self._told)
        for name, (meaning, value) in told.items():
            yield GaugeMetricFamily(name, meaning, value=value)


class EventCounts(Collector):
    """Counts events of gateways by kind, as the record does: it starts at no restart anew."""

    def __init__(self) -> None:
        """Know of none."""
        self._lock = threading.Lock()
        self._kept: Mapping[EventKind, int] = {}

    def learn(self, kept: Mapping[EventKind, int]) -> None:
        """Take over how many of each kind were ever kept."""
        with self._lock:
            self._kept = kept

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counts, of every kind there is."""
        with self._lock:
            kept = self._kept
        family = CounterMetricFamily(
            "kwartier_gateway_events", "Events that gateways told, by kind.", labels=["kind"]
        )
        for kind in EventKind:
            family.add_metric([kind.value], kept.get(kind, 0))
        yield family


class Measured:
    """Counts and times every answer by its route, which has no ids in it."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Clock) -> None:
        """Wrap an app."""
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.monotonic_s()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = _route_of(scope)
                self._metrics.requests.labels(route, str(message["status"])).inc()
                self._metrics.seconds.labels(route).observe(self._clock.monotonic_s() - began)
            await send(message)

        await self._app(scope, receive, measured)


def _route_of(scope: Scope) -> str:
    """Return the route that answered, such as ``/api/v1/homes/{home}/quarters``."""
    route = scope.get("route")
    return str(getattr(route, "path", "none"))
