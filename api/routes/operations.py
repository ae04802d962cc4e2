"""Gateways and links: what is broken, since when, and what to do; for who keeps them going."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.forecasts.states import HeldByHomes, HomesState, Subject
from api.health.gateways import GatewayHealth, Link, gateways, strangers
from api.health.happened import EventAnswer, by_kind, event_answer
from api.health.machine import Chains, Machine, machine
from api.house import House
from api.pages.sheets import Sheets
from api.people.privacy import waiting_erasures
from api.people.visitor import Visitor
from api.schemas import moment_time, time_or_none
from collectors.happenings import Happening
from kwartier.identity import GatewayId
from kwartier.units import EpochS

PAGE = 100
"""How many gateways a page shows."""
SHOWN_EVENTS = 12
"""How many gateways a page names of one kind of event."""
OLD_PLAN_S = 1_800
"""How old the plan may be before somebody should look: two quarter-hours [s]."""

OLD_BACKUP_S = 2 * 86_400
"""How old the last backup may be before somebody should look [s]: one night may fail."""


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """How one gateway does; null is not known."""

    gateway: str
    homes: tuple[str, ...]
    broken: Link
    heard: datetime | None
    quarters_of_96: int
    online: bool | None
    backlog: int | None
    dead_letters: int
    version: str
    epoch: str
    clock_ahead_s: int | None


@dataclass(frozen=True, slots=True)
class StrangerAnswer:
    """A gateway that was seen and is not enrolled."""

    gateway: str
    heard: datetime | None


@dataclass(frozen=True, slots=True)
class PlanAgeAnswer:
    """The plan in force."""

    made: datetime
    age_s: int
    status: str


@dataclass(frozen=True, slots=True)
class GrantAnswer:
    """Somebody who may work at a home now, by the account's id."""

    account: str
    home: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """What the record holds."""

    points: int
    blocks: int
    dead_letters: int
    conflicts: int
    steps_back: int


@dataclass(frozen=True, slots=True)
class BackupAnswer:
    """When something was backed up last, and when that was last practised; null is never."""

    of: str
    made: datetime | None
    practised: datetime | None


@dataclass(frozen=True, slots=True)
class ForecastAnswer:
    """Who forecasts the street's use or sun, and how that held over four weeks; null is not known.

    ``error`` and ``bias`` are parts of what came on average, ``coverage`` of the quarters: of what
    was said when a day began, and with ``next_hour`` of what was said of each next hour.
    """

    of: str
    method: str
    why: str
    since: datetime
    weather: bool
    error: float | None
    bias: float | None
    coverage: float | None
    quarters: int
    next_hour_error: float | None
    next_hour_bias: float | None
    next_hour_coverage: float | None
    next_hour_quarters: int


@dataclass(frozen=True, slots=True)
class HomesForecastAnswer:
    """How the forecasts home by home stand: counts and quartiles over homes, never one home's.

    The spreads in ``held`` are null where fewer than five homes were judged.
    """

    homes: int
    ready: int
    methods: Mapping[str, Mapping[str, int]]
    work_s: float
    held: tuple[HeldByHomes, ...]


@dataclass(frozen=True, slots=True)
class OperationsAnswer:
    """The state of the system, without a reading or a name; broken links come first."""

    at: datetime
    broken: int
    oldest: datetime | None
    gateways: tuple[GatewayAnswer, ...]
    not_enrolled: tuple[StrangerAnswer, ...]
    events: tuple[EventAnswer, ...]
    plan: PlanAgeAnswer | None
    messages: dict[str, int]
    database_bytes: dict[str, int]
    record: RecordAnswer
    grants: tuple[GrantAnswer, ...]
    chains_whole: dict[str, bool]
    backups: tuple[BackupAnswer, ...]
    forecasts: tuple[ForecastAnswer, ...]
    forecasts_of_homes: HomesForecastAnswer | None
    next: str | None


def add_operations(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/ops`` and ``/api/v1/ops``."""
    keeper = Depends(Require(door, Need.KEEPER))
    chains = Chains(house)

    @app.get("/ops", include_in_schema=False)
    def page(
        request: Request,
        visitor: Annotated[Visitor, keeper],
        vanaf: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        found, state = gateways(house), machine(house, chains)
        unknown = strangers(house)[:PAGE]
        with house.people.reading() as desk:
            waiting = waiting_erasures(desk) if visitor.on_board else 0
        now_s = int(house.clock.now_s())
        broken = [one for one in found if one.broken is not Link.NONE]
        values = {
            "gateways": found[vanaf : vanaf + PAGE],
            "more": vanaf + PAGE if len(found) > vanaf + PAGE else None,
            "total": len(found),
            "broken": broken,
            "causes": _causes(broken),
            "oldest_s": min((one.heard_s for one in found if one.heard_s), default=None),
            "now_s": now_s,
            "strangers": unknown,
            "events": by_kind(_events(house, found[vanaf : vanaf + PAGE], unknown)),
            "most_events": SHOWN_EVENTS,
            "machine": state,
            "plan_is_old": state.plan is None or now_s - state.plan.made_s > OLD_PLAN_S,
            "backup_is_old": any(
                one.made_s is None or now_s - one.made_s > OLD_BACKUP_S
                for one in state.backups.values()
            ),
            "erasures": waiting,
            "forecasts": house.forecasts.all(),
            "by_home": house.forecasts.homes(),
            "page_class": "board",
        }
        return sheets.show(request, visitor, "ops.html", values, title="title.ops", tab="gateways")

    @app.get("/api/v1/ops", tags=["operations"], summary="Broken links first, and every queue")
    def told(
        _: Annotated[Visitor, keeper], skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0
    ) -> OperationsAnswer:
        found = gateways(house)
        more = f"/api/v1/ops?skip={skip + PAGE}" if len(found) > skip + PAGE else None
        return _answer(house, found, found[skip : skip + PAGE], machine(house, chains), more)


def _causes(broken: list[GatewayHealth]) -> list[tuple[Link, list[GatewayHealth]]]:
    """Return the broken links, each cause once with its gateways: one fault, one line."""
    return [
        (link, [one for one in broken if one.broken is link])
        for link in Link
        if any(one.broken is link for one in broken)
    ]


def _answer(
    house: House,
    found: list[GatewayHealth],
    shown: list[GatewayHealth],
    state: Machine,
    more: str | None,
) -> OperationsAnswer:
    now_s, unknown = int(house.clock.now_s()), strangers(house)[:PAGE]
    plan, counts = state.plan, state.counts
    return OperationsAnswer(
        moment_time(now_s),
        sum(one.broken is not Link.NONE for one in found),
        time_or_none(min((one.heard_s for one in found if one.heard_s), default=None)),
        tuple(map(_gateway, shown)),
        tuple(StrangerAnswer(name, time_or_none(at_s)) for name, at_s in unknown),
        tuple(map(event_answer, _events(house, shown, unknown))),
        None
        if plan is None
        else PlanAgeAnswer(moment_time(plan.made_s), now_s - plan.made_s, plan.status),
        dict(state.messages),
        dict(state.sizes),
        RecordAnswer(
            counts.points,
            counts.blocks,
            counts.dead_letters,
            counts.conflicts,
            counts.steps_back,
        ),
        tuple(
            GrantAnswer(one.account, one.home, time_or_none(one.until_s)) for one in state.grants
        ),
        {chain.name: chain.whole for chain in state.chains},
        tuple(
            BackupAnswer(name, time_or_none(one.made_s), time_or_none(one.drilled_s))
            for name, one in state.backups.items()
        ),
        tuple(map(_forecast, house.forecasts.all())),
        _of_homes(house.forecasts.homes()),
        more,
    )


def _events(
    house: House, shown: list[GatewayHealth], unknown: list[tuple[GatewayId, EpochS | None]]
) -> list[Happening]:
    """Return what happened of late on the gateways of a page, enrolled or not, newest first."""
    return house.records.happenings({one.gateway for one in shown} | {name for name, _ in unknown})


def _forecast(one: Subject) -> ForecastAnswer:
    return ForecastAnswer(
        one.name,
        one.method,
        one.why,
        moment_time(one.chosen_s),
        one.weather,
        one.score.error,
        one.score.bias,
        one.score.coverage,
        one.score.quarters,
        one.soon.error,
        one.soon.bias,
        one.soon.coverage,
        one.soon.quarters,
    )


def _of_homes(state: HomesState | None) -> HomesForecastAnswer | None:
    if state is None:
        return None
    return HomesForecastAnswer(
        state.homes, state.ready, state.methods, round(state.work_s, 1), state.held
    )


def _gateway(one: GatewayHealth) -> GatewayAnswer:
    return GatewayAnswer(
        one.gateway,
        one.homes,
        one.broken,
        time_or_none(one.heard_s),
        one.quarters,
        one.online,
        one.backlog,
        one.dead_letters,
        one.version,
        one.epoch,
        one.offset_s,
    )
