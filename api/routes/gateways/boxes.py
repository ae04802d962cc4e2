"""What a gateway asks: to be let in, how it stands, a new certificate, and to keep a handover."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Request
from pydantic import Field

from api.auth import Doorkeeper, Need, Require
from api.enrolment.authority import RequestRefusedError
from api.enrolment.claims import Shown
from api.enrolment.jobs import JobState
from api.enrolment.office import Let
from api.house import House
from api.people.errors import DeniedError
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.gateways.desk import enrolment_of
from gateway.enrol.claim import State
from gateway.enrol.code import Code
from kwartier.errors import ContractError
from kwartier.wire import Json

GatewayName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Packed = Annotated[str, Field(max_length=60_000, pattern=r"^[A-Za-z0-9_-]*$")]


@dataclass(frozen=True, slots=True)
class ClaimAsked:
    """A gateway shows a code."""

    mark: Annotated[str, Field(max_length=8)]
    proof: Annotated[str, Field(max_length=40)]
    ticket: Annotated[str, Field(min_length=20, max_length=64)]
    csr: Annotated[str, Field(max_length=4_096)]


@dataclass(frozen=True, slots=True)
class LookAsked:
    """A gateway asks how it stands, with the ticket it drew."""

    ticket: Annotated[str, Field(min_length=20, max_length=64)]


@dataclass(frozen=True, slots=True)
class SignedAsked:
    """A message signed by a gateway's key, as a JWS in flattened form (RFC 7515, 7.2.2)."""

    protected: Packed
    payload: Packed
    signature: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9_-]*$")]


@dataclass(frozen=True, slots=True)
class EnrolledAnswer:
    """What a gateway is told when it is let in."""

    gateway: str
    coop: str
    broker_url: str
    address: str
    home: str
    meter: str
    steering_allowed: bool
    owner_words: str


@dataclass(frozen=True, slots=True)
class ClaimAnswer:
    """How it stands; certificates in PEM once it is approved."""

    state: State
    enrolled: EnrolledAnswer | None = None
    chain: str = ""
    roots: str = ""


@dataclass(frozen=True, slots=True)
class RenewedAnswer:
    """A new certificate with the one that signed it, and the root, in PEM."""

    chain: str
    roots: str


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The SHA-256 under which a handover is kept."""

    hash: str


def add_boxes(app: FastAPI, house: House, door: Doorkeeper) -> None:
    """Add what gateways ask; codes and signatures prove who they are, not sessions."""
    _add_claim(app, house, door)
    _add_signed(app, house, door)


def _add_claim(app: FastAPI, house: House, door: Doorkeeper) -> None:
    anyone = Depends(Require(door, Need.ANYONE))

    @app.post("/api/v1/gateways/claim", tags=["gateways"], summary="Show a claim code")
    def claim(_: Annotated[Visitor, anyone], request: Request, sent: ClaimAsked) -> ClaimAnswer:
        address = request.client.host if request.client else ""
        desk = enrolment_of(house)
        door.rates.count(address, f"claim {address}")
        try:
            shown = desk.show(Code(sent.mark, sent.proof), sent.ticket, sent.csr.encode())
        except RequestRefusedError as error:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
        if shown in {Shown.WRONG, Shown.SPOILED}:
            raise RefusedError(
                HTTPStatus.FORBIDDEN, "this code opens nothing: it is wrong, was used, or ran out"
            )
        door.rates.right(address, f"claim {address}")
        return ClaimAnswer(State.EXPIRED if shown is Shown.LATE else State.WAITING)

    @app.post("/api/v1/gateways/claim/look", tags=["gateways"], summary="Ask how a claim stands")
    def look(_: Annotated[Visitor, anyone], sent: LookAsked) -> ClaimAnswer:
        found = enrolment_of(house).look(sent.ticket)
        if isinstance(found, Let):
            told = EnrolledAnswer(**asdict(found.enrolled))
            return ClaimAnswer(State.APPROVED, told, found.chain, found.roots)
        if found is JobState.ASKED:
            return ClaimAnswer(State.WAITING)
        if found is None:
            raise RefusedError(HTTPStatus.FORBIDDEN, "this ticket opens nothing: show a code")
        return ClaimAnswer(State.REFUSED)


def _add_signed(app: FastAPI, house: House, door: Doorkeeper) -> None:
    anyone = Depends(Require(door, Need.ANYONE))

    @app.post("/api/v1/gateways/{gateway}/renewal", tags=["gateways"], summary="A new certificate")
    def renewal(
        _: Annotated[Visitor, anyone], gateway: GatewayName, sent: SignedAsked
    ) -> RenewedAnswer:
        try:
            return RenewedAnswer(*enrolment_of(house).renew(gateway, plain_of(sent)))
        except (DeniedError, ContractError, RequestRefusedError) as error:
            raise RefusedError(HTTPStatus.FORBIDDEN, str(error)) from error

    @app.post("/api/v1/gateways/{gateway}/handover", tags=["gateways"], summary="Keep a handover")
    def handover(
        _: Annotated[Visitor, anyone], gateway: GatewayName, sent: SignedAsked
    ) -> KeptAnswer:
        try:
            return KeptAnswer(enrolment_of(house).hand_over(gateway, plain_of(sent)))
        except (DeniedError, ContractError) as error:
            raise RefusedError(HTTPStatus.FORBIDDEN, str(error)) from error


def plain_of(sent: SignedAsked) -> dict[str, Json]:
    """Return a signed message as it came."""
    return dict(asdict(sent))
