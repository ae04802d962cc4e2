"""Charts of the neighbourhood: what Grafana may know goes to InfluxDB beside serving pages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from api.plans import PlanBook
from collectors.disclosure import PUBLIC, Reader
from kwartier.charts import COMMUNITY
from kwartier.clock import Clock
from kwartier.errors import SettingsError
from kwartier.settings import Table, read_secret
from kwartier.units import EpochS

if TYPE_CHECKING:
    from api.house import House
    from collectors.influx_community import PlannedPoint

_AUDIENCES = ("anybody", "residents")
_CT_PER_EUR = 100
_KWH_PER_MWH = 1000


@dataclass(frozen=True, slots=True)
class ChartsSettings:
    """Where sums and plans go.

    Attributes:
        url: InfluxDB's address.
        organisation: Whose it is.
        bucket: Where they go.
        token: May write there and nothing else.
        residents_only: Whether nobody but residents can open the boards; they see use at once.
    """

    url: str
    organisation: str
    bucket: str
    token: str = field(repr=False)
    residents_only: bool = False


def read_charts(table: Table, folder: Path) -> ChartsSettings:
    """Return the settings of ``[charts]``.

    Raises:
        SettingsError: A key is wrong; it is named.
    """
    audience = table.text("audience", "anybody")
    if audience not in _AUDIENCES:
        raise SettingsError(
            f"{table.place}audience is {audience!r}: say one of {', '.join(_AUDIENCES)}"
        )
    settings = ChartsSettings(
        table.text("url"),
        table.text("organisation"),
        table.text("bucket", COMMUNITY.name),
        read_secret(table, "token_file", folder),
        residents_only=audience == "residents",
    )
    table.refuse_the_rest()
    return settings


class PlanPoints:
    """A plan book as charts want it."""

    def __init__(self, book: PlanBook) -> None:
        """Tell what stands in a book."""
        self._book = book

    def between(self, start_s: EpochS, end_s: EpochS) -> Sequence[PlannedPoint]:
        """Return what was last planned for each quarter of ``[start_s, end_s)``."""
        from collectors.influx_community import PlannedPoint

        plan = self._book.covering(start_s, end_s)
        return [
            PlannedPoint(
                one.start_s,
                one.solar_wh,
                one.use_wh,
                one.battery_w,
                one.soc_permille,
                round(one.price_eur_per_kwh * _CT_PER_EUR * _KWH_PER_MWH),
            )
            for one in (plan.quarters if plan is not None else ())
        ]


def start_charts(settings: ChartsSettings, house: House, clock: Clock) -> Callable[[], None]:
    """Begin to send sums and plans on a thread of its own; return what ends that."""
    from collectors.influx import Influx, InfluxSettings
    from collectors.influx_community import CommunitySender

    stop = threading.Event()
    reader = Reader(inside=True) if settings.residents_only else PUBLIC
    place = InfluxSettings(settings.url, settings.token, settings.organisation, settings.bucket)

    def run() -> None:
        with Influx(place) as door:
            CommunitySender(
                house.records,
                PlanPoints(house.plans),
                house.store,
                house.community,
                door,
                clock,
                reader,
            ).run(stop)

    thread = threading.Thread(target=run, name="charts", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end
