"""Passkeys for programs: what a browser asks a device, and what the device answers."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from pydantic import Field

from api.auth import Need, Require
from api.people.accounts import account_of
from api.people.errors import DeniedError, TooOftenError
from api.people.factors import proofs_of, read_proofs, refusal_to_change
from api.people.passkeys import (
    MadeKey,
    ShownKey,
    add_passkey,
    ask_new,
    ask_shown,
    check_passkey,
)
from api.people.sessions import OpenSession, end_sessions, hash_of
from api.people.visitor import Visitor
from api.problems import ProofNeededError, RefusedError, safe_path
from api.routes.entry.entrance import Entrance, address_of

Encoded = Annotated[str, Field(max_length=8_000, pattern="^[A-Za-z0-9_-]*$")]
"""Bytes in base64url, without ``=`` at the end."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A passkey that a device made."""

    credential: Encoded
    client_data: Encoded
    attestation: Encoded
    label: Annotated[str, Field(max_length=60)] = ""


@dataclass(frozen=True, slots=True)
class OldKey:
    """A passkey that a device showed."""

    credential: Encoded
    client_data: Encoded
    authenticator: Encoded
    signature: Encoded
    further: Annotated[str, Field(max_length=500)] = "/"


@dataclass(frozen=True, slots=True)
class WayOn:
    """Where to go on."""

    path: str


def add_passkeys(app: FastAPI, entrance: Entrance) -> None:
    """Add the four addresses under ``/api/v1/passkeys``."""
    house, door = entrance.house, entrance.door
    anyone = Depends(Require(door, Need.ANYONE))
    account = Depends(Require(door, Need.ACCOUNT))

    def may_change(request: Request, visitor: Visitor) -> OpenSession:
        session = door.session(request)
        assert session is not None, "a visitor with an account has a session"
        proofs = read_proofs(house.people, visitor.account)
        refusal = refusal_to_change(proofs, visitor, session, door.now_s())
        if refusal == "confirm":
            raise ProofNeededError("confirm", "show your second factor for this")
        if refusal is not None:
            raise RefusedError(HTTPStatus.FORBIDDEN, "log in with a password or by mail for this")
        return session

    @app.post("/api/v1/passkeys/new")
    def begin(request: Request, visitor: Annotated[Visitor, account]) -> dict[str, object]:
        """Return what a browser asks a device to make a passkey for one's own account."""
        may_change(request, visitor)
        site = door.site(request, house.community.name)
        with house.people.writing() as desk:
            name = account_of(desk, visitor.account).name
            return _object(ask_new(desk, site, visitor.account, name))

    @app.post("/api/v1/passkeys")
    def keep(
        request: Request, response: Response, visitor: Annotated[Visitor, account], made: NewKey
    ) -> WayOn:
        """Keep a passkey; every other session of the account ends."""
        may_change(request, visitor)
        site = door.site(request, house.community.name)
        answer = MadeKey(made.credential, made.client_data, made.attestation)
        try:
            with house.people.writing() as desk:
                first = not proofs_of(desk, visitor.account).codes
                add_passkey(desk, site, visitor.account, answer, made.label)
        except DeniedError as error:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
        session = entrance.strengthen(request, visitor.account, "passkey")
        with house.people.writing() as desk:
            end_sessions(desk, visitor.account, but=hash_of(session))
        door.let_in(response, session)
        return WayOn("/mijn/codes" if first else "/mijn?klaar=passkey.add")

    @app.post("/api/v1/passkeys/ask")
    def ask(request: Request, _: Annotated[Visitor, anyone]) -> dict[str, object]:
        """Return what a browser asks a device to show a passkey."""
        _count(entrance, request)
        session = door.session(request)
        site = door.site(request, house.community.name)
        with house.people.writing() as desk:
            return _object(ask_shown(desk, site, "" if session is None else session.account))

    @app.post("/api/v1/passkeys/show")
    def show(
        request: Request, response: Response, _: Annotated[Visitor, anyone], shown: OldKey
    ) -> WayOn:
        """Log in with a passkey, or show it as a second factor again."""
        site = door.site(request, house.community.name)
        answer = ShownKey(shown.credential, shown.client_data, shown.authenticator, shown.signature)
        try:
            with house.people.writing() as desk:
                whose = check_passkey(desk, site, answer)
        except DeniedError as error:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
        address = address_of(request)
        door.rates.right(address, f"passkey {address}")
        door.let_in(response, entrance.strengthen(request, whose, "passkey"))
        return WayOn(safe_path(shown.further))


def _count(entrance: Entrance, request: Request) -> None:
    """Count a try: each leaves a token in the book for some minutes."""
    address = address_of(request)
    try:
        entrance.door.rates.count(address, f"passkey {address}")
    except TooOftenError as error:
        headers = {"Retry-After": str(int(error.wait_s) + 1)}
        raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, str(error), headers) from error


def _object(text: str) -> dict[str, object]:
    """Return the object of the library's own JSON."""
    found: dict[str, object] = json.loads(text)
    return found
