"""Passkeys: what a device proves without a secret leaving it.

A passkey counts as both factors: the device, and the finger, face or code that opened it. The
challenge that a device signs is a one-time token of the book.

Source:
    W3C Web Authentication level 3, sections 7.1 and 7.2; the library checks each of their steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import DeniedError, PeopleError, UnknownError
from api.people.sessions import hash_of
from api.people.tables import PasskeyRow
from api.people.tokens import Purpose, keep_token, use_token
from kwartier.units import EpochS

LIFE_S = 300
"""How long a device has to answer [s]."""
MOST = 10
"""How many passkeys one account has."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where passkeys are made and shown; they hold nowhere else.

    Attributes:
        id: The host's name.
        name: What the device calls it.
        origins: The addresses of its pages.
    """

    id: str
    name: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey, as its owner sees it."""

    id: str
    label: str
    made_at_s: EpochS
    used_at_s: EpochS | None


@dataclass(frozen=True, slots=True)
class MadeKey:
    """What a device answers when it makes a passkey; all of it base64url."""

    credential: str
    client_data: str
    attestation: str


@dataclass(frozen=True, slots=True)
class ShownKey:
    """What a device answers when it shows a passkey; all of it base64url."""

    credential: str
    client_data: str
    authenticator: str
    signature: str


def ask_new(desk: PeopleDesk, site: Site, account: str, name: str) -> str:
    """Return what a browser asks a device to make a passkey for an account, as JSON.

    Raises:
        PeopleError: The account has as many as there may be.
    """
    known = _rows(desk, account)
    if len(known) >= MOST:
        raise PeopleError(f"there are {MOST} passkeys already: take one away first")
    options = generate_registration_options(
        rp_id=site.id,
        rp_name=site.name,
        user_name=name or account,
        user_id=account.encode(),
        user_display_name=name or account,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=row.credential) for row in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    challenge = bytes_to_base64url(options.challenge)
    keep_token(desk, challenge, Purpose.PASSKEY_NEW, LIFE_S, account=account)
    return options_to_json(options)


def add_passkey(desk: PeopleDesk, site: Site, account: str, made: MadeKey, label: str) -> None:
    """Keep a passkey that a device made.

    Raises:
        DeniedError: It does not answer what was asked just now, or not on our own page.
    """
    challenge = _asked(desk, made.client_data, Purpose.PASSKEY_NEW, account)
    try:
        proven = verify_registration_response(
            credential={
                "id": made.credential,
                "rawId": made.credential,
                "type": "public-key",
                "response": {
                    "clientDataJSON": made.client_data,
                    "attestationObject": made.attestation,
                },
            },
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=list(site.origins),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise DeniedError("this passkey was not made for this page: try again") from error
    key = hash_of(bytes_to_base64url(proven.credential_id))
    if desk.session.get(PasskeyRow, key) is not None:
        raise DeniedError("this passkey is known already")
    desk.session.add(
        PasskeyRow(
            id=key,
            credential=proven.credential_id,
            account=account,
            public_key=proven.credential_public_key,
            sign_count=proven.sign_count,
            label=desk.keys.seal(label.strip()[:60]),
            made_at_s=desk.at_s,
            used_at_s=None,
        )
    )
    desk.session.flush()
    record(desk, account, "passkey.add", account, {"passkey": key[:12]})


def ask_shown(desk: PeopleDesk, site: Site, account: str = "") -> str:
    """Return what a browser asks a device to show a passkey, as JSON; of anybody without one."""
    known = _rows(desk, account) if account else []
    options = generate_authentication_options(
        rp_id=site.id,
        allow_credentials=[PublicKeyCredentialDescriptor(id=row.credential) for row in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    keep_token(desk, bytes_to_base64url(options.challenge), Purpose.PASSKEY_SHOW, LIFE_S)
    return options_to_json(options)


def check_passkey(desk: PeopleDesk, site: Site, shown: ShownKey) -> str:
    """Return whose passkey a device showed.

    Raises:
        DeniedError: It is nobody's, or does not answer what was asked just now.
    """
    challenge = _asked(desk, shown.client_data, Purpose.PASSKEY_SHOW)
    row = desk.session.get(PasskeyRow, hash_of(shown.credential.rstrip("=")))
    if row is None:
        raise DeniedError("this passkey is not known here")
    try:
        proven = verify_authentication_response(
            credential={
                "id": shown.credential,
                "rawId": shown.credential,
                "type": "public-key",
                "response": {
                    "clientDataJSON": shown.client_data,
                    "authenticatorData": shown.authenticator,
                    "signature": shown.signature,
                },
            },
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=list(site.origins),
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise DeniedError("this passkey does not fit: try again") from error
    row.sign_count = proven.new_sign_count
    row.used_at_s = desk.at_s
    desk.session.flush()
    return row.account


def passkeys(desk: PeopleDesk, account: str) -> list[Passkey]:
    """Return an account's passkeys, the oldest first."""
    return [
        Passkey(row.id, desk.keys.open(row.label), row.made_at_s, row.used_at_s)
        for row in _rows(desk, account)
    ]


def drop_passkey(desk: PeopleDesk, by: str, account: str, passkey: str) -> None:
    """Forget one passkey of an account.

    Raises:
        UnknownError: The account has no such passkey.
    """
    row = desk.session.get(PasskeyRow, passkey)
    if row is None or row.account != account:
        raise UnknownError("there is no such passkey")
    desk.session.delete(row)
    desk.session.flush()
    record(desk, by, "passkey.end", account, {"passkey": passkey[:12]})


def drop_passkeys(desk: PeopleDesk, account: str) -> None:
    """Forget every passkey of an account."""
    desk.session.execute(delete(PasskeyRow).where(PasskeyRow.account == account))


def _rows(desk: PeopleDesk, account: str) -> list[PasskeyRow]:
    wanted = select(PasskeyRow).where(PasskeyRow.account == account)
    return list(desk.session.scalars(wanted.order_by(PasskeyRow.made_at_s, PasskeyRow.id)))


def _asked(desk: PeopleDesk, client_data: str, purpose: Purpose, account: str = "") -> bytes:
    """Return the challenge that a device says it signed, if it was asked and not answered yet."""
    try:
        challenge = parse_client_data_json(base64url_to_bytes(client_data)).challenge
    except (WebAuthnException, ValueError) as error:
        raise DeniedError("what the device answered cannot be read: try again") from error
    token = use_token(desk, bytes_to_base64url(challenge), purpose)
    if token.account != account:
        raise DeniedError("the device was asked for somebody else: try again")
    return challenge
