"""What a gateway fetches: whether there is a new program for it, and that program piece by piece.

Who asks signs with the key of a certificate in force. Both only read, so a question that somebody
overheard may come again for as long as it is fresh: it gets what the gateway got.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Response
from fastapi.responses import JSONResponse

from api.auth import Doorkeeper, Need, Require
from api.enrolment.signed_requests import check_time, read_signed
from api.fleet.updates import NotReleasedError, Updates
from api.house import House
from api.people.errors import DeniedError
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.gateways.boxes import GatewayName, SignedAsked, plain_of
from api.routes.gateways.desk import enrolment_of
from gateway.care.bundle import MAX_FILE_BYTES
from gateway.care.offer import ASK, PART
from kwartier.errors import ContractError
from kwartier.wire import Json

OCTETS = "application/octet-stream"
_DOWNLOAD: dict[int | str, dict[str, object]] = {
    200: {"content": {OCTETS: {}}, "description": "At most 1 MiB from that place on"}
}
_NOTHING: dict[int | str, dict[str, object]] = {
    204: {"description": "There is nothing newer for this gateway"}
}


@dataclass(frozen=True, slots=True)
class OfferAnswer:
    """An update that the gateway may take: its version, its file's length [bytes] and SHA-256."""

    version: str
    size: int
    sha256: str


def add_updates(app: FastAPI, house: House, door: Doorkeeper) -> None:
    """Add the two questions; signatures prove who asks, not sessions."""
    anyone = Depends(Require(door, Need.ANYONE))

    @app.post(
        "/api/v1/gateways/{gateway}/update",
        tags=["gateways"],
        summary="Whether there is a new program",
        response_model=OfferAnswer,
        responses=_NOTHING,
    )
    def ask(_: Annotated[Visitor, anyone], gateway: GatewayName, sent: SignedAsked) -> Response:
        body, updates = _signed(house, gateway, ASK, sent)
        try:
            found = updates.offer(gateway, _text(body, "running"), _text(body, "machine"))
        except ContractError as error:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
        if found is None:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return JSONResponse(asdict(OfferAnswer(found.version, found.size, found.sha256)))

    @app.post(
        "/api/v1/gateways/{gateway}/update/part",
        tags=["gateways"],
        summary="A piece of a new program",
        response_class=Response,
        responses=_DOWNLOAD,
    )
    def part(_: Annotated[Visitor, anyone], gateway: GatewayName, sent: SignedAsked) -> Response:
        body, updates = _signed(house, gateway, PART, sent)
        start = body.get("from")
        if type(start) is not int or not 0 <= start <= MAX_FILE_BYTES:
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"'from' must be 0 to {MAX_FILE_BYTES} bytes"
            )
        if wait_s := updates.wait_s(gateway):
            raise RefusedError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"gateway {gateway} asked for too many pieces: come back in {wait_s:.0f} s",
                {"Retry-After": str(math.ceil(wait_s))},
            )
        try:
            content = updates.piece(gateway, _text(body, "sha256"), start)
        except NotReleasedError as error:
            raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error
        return Response(content, media_type=OCTETS)


def _signed(
    house: House, gateway: str, purpose: str, sent: SignedAsked
) -> tuple[Mapping[str, Json], Updates]:
    """Return what a gateway signed just now, and the desk that answers it."""
    enrolment_of(house)
    try:
        with house.people.reading() as desk:
            told, _ = read_signed(desk, gateway, purpose, plain_of(sent))
            check_time(desk, told)
    except (DeniedError, ContractError) as error:
        raise RefusedError(HTTPStatus.FORBIDDEN, str(error)) from error
    if house.updates is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, "no programs are released here")
    return told.body, house.updates


def _text(body: Mapping[str, Json], key: str) -> str:
    found = body.get(key)
    if not isinstance(found, str) or len(found) > 64:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"{key!r} must be a text of at most 64 characters"
        )
    return found
