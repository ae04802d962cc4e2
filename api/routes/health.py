"""How the server itself is doing: for whoever watches over it, without a word about people."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.metrics import Metrics
from api.people.visitor import Visitor
from api.problems import RefusedError
from collectors.power import FRESH_S, meters_of
from collectors.sqlite_schema import StoreDamagedError
from kwartier.errors import TemporaryError
from kwartier.interval import instant_text


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """The process answers."""

    status: str
    version: str


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """The record can be read and is fresh."""

    status: str
    data_age_s: int


def add_health(app: FastAPI, house: House, door: Doorkeeper, metrics: Metrics) -> None:
    """Add ``/healthz``, ``/readyz``, ``/metrics`` and ``/openapi.json``."""
    anyone = Depends(Require(door, Need.ANYONE))

    @app.get("/healthz", tags=["health"], summary="Whether the process answers")
    def healthz(_: Annotated[Visitor, anyone]) -> HealthAnswer:
        return HealthAnswer("ok", house.version)

    @app.get("/readyz", tags=["health"], summary="Whether the record is there and fresh")
    def readyz(_: Annotated[Visitor, anyone]) -> ReadyAnswer:
        try:
            newest_s = house.live.instants().newest_s(meters_of(house.community))
        except (TemporaryError, StoreDamagedError) as error:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, f"the record cannot be read: {error}"
            ) from error
        if newest_s is None:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "no reading was ever stored: look whether a gateway is on line",
            )
        age_s = int(house.clock.now_s()) - newest_s
        if age_s > FRESH_S:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"the newest reading is of {instant_text(newest_s)}, {age_s} s ago "
                f"(at most {FRESH_S} is fresh): look at the collector and the gateways",
            )
        return ReadyAnswer("ready", max(0, age_s))

    @app.get("/metrics", include_in_schema=False)
    def prometheus(_: Annotated[Visitor, anyone]) -> Response:
        metrics.look(house)
        return Response(
            generate_latest(metrics.registry),
            media_type=None,
            headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"},
        )

    @app.get("/openapi.json", include_in_schema=False)
    def openapi(_: Annotated[Visitor, anyone]) -> Response:
        if app.openapi_schema is None:
            app.openapi_schema = get_openapi(
                title="kwartier",
                version=house.version,
                description="Times are Amsterdam times with their offset; energy is in Wh, "
                "power in W. Sums cover at least five homes. Errors are RFC 9457 problems.",
                routes=app.routes,
            )
        return JSONResponse(app.openapi_schema)
