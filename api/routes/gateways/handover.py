"""A home's handover, for the board and for who lives there."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.enrolment.handovers import Handover, newest_handover
from api.house import House
from api.pages.sheets import Sheets, language_of
from api.papers.handover import Told, handover_pdf, handover_told
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.gateways.boxes import GatewayName
from api.schemas import moment_time
from kwartier.errors import ContractError

PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class HandoverAnswer:
    """A handover as its gateway signed it (RFC 7515, 7.2.2), and when the server got it."""

    gateway: str
    home: str
    received: datetime
    hash: str
    protected: str
    payload: str
    signature: str


def add_handover(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/gateways/{gateway}/overdracht`` and what programs read of it."""
    account = Depends(Require(door, Need.ACCOUNT))

    @app.get("/gateways/{gateway}/overdracht", include_in_schema=False)
    def page(
        request: Request, visitor: Annotated[Visitor, account], gateway: GatewayName
    ) -> Response:
        found = _seen(house, visitor, gateway)
        values = {"handover": found, "lines": found.lines(), "told": _told(found, request, visitor)}
        return sheets.show(request, visitor, "jobs_handover.html", values, title="title.handover")

    @app.get("/gateways/{gateway}/overdracht.pdf", include_in_schema=False)
    def paper(
        request: Request, visitor: Annotated[Visitor, account], gateway: GatewayName
    ) -> Response:
        found = _seen(house, visitor, gateway)
        tag = language_of(request, visitor).tag
        try:
            printed = handover_pdf(found.record, tag, house.public_url)
        except ContractError as error:
            raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error
        name = f'attachment; filename="overdracht-{gateway}.pdf"'
        return Response(printed, headers={"Content-Disposition": name}, media_type=PDF)

    @app.get("/api/v1/gateways/{gateway}/handover", tags=["gateways"], summary="A home's handover")
    def told(visitor: Annotated[Visitor, account], gateway: GatewayName) -> HandoverAnswer:
        found = _seen(house, visitor, gateway)
        parts = (str(found.signed.get(name)) for name in ("protected", "payload", "signature"))
        return HandoverAnswer(gateway, found.home, moment_time(found.at_s), found.hash, *parts)


def _told(found: Handover, request: Request, visitor: Visitor) -> Told | None:
    """Return a handover in words; None for one of another edition, which has its lines only."""
    try:
        return handover_told(found.record, language_of(request, visitor).tag)
    except ContractError:
        return None


def _seen(house: House, visitor: Visitor, gateway: str) -> Handover:
    """Return the newest handover of a gateway, for who may see it; else there is none.

    It names who lived there when it was made: who moved in later does not see it.
    """
    with house.people.reading() as desk:
        found = newest_handover(desk, gateway)
    if found is None or not (visitor.on_board or visitor.lived_in(found.home, found.at_s)):
        raise RefusedError(HTTPStatus.NOT_FOUND, f"there is no handover of {gateway!r} for you")
    return found
