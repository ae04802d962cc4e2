"""Requests that a gateway signed with the key of its certificate in force."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import delete, func, select

from api.enrolment.certificates import in_force, key_in
from api.people.book import PeopleDesk
from api.people.errors import DeniedError
from api.people.sessions import hash_of
from api.people.tables import CertificateRow, HandoverRow, NonceRow
from gateway.enrol.signed import Signed, canonical, is_signed_by, opened
from kwartier.identity import GatewayId
from kwartier.wire import Json

WINDOW_S = 300
"""How far a gateway's clock may be from ours [s]."""
MOST_A_DAY = 20
"""How many handovers one gateway leaves in a day; every change of a step is one."""
_NO = "this request is not signed by a certificate in force: enrol this gateway anew"


def read_signed(
    desk: PeopleDesk, gateway: GatewayId, purpose: str, sent: Mapping[str, Json]
) -> tuple[Signed, CertificateRow]:
    """Return what a gateway signed, and with which certificate.

    Raises:
        ContractError: It is no signed message.
        DeniedError: It is somebody else's, for something else, or no certificate in force fits.
    """
    told = opened(sent)
    rows = in_force(desk, gateway)
    found = next((row for row in rows if is_signed_by(sent, key_in(row))), None)
    if found is None or told.gateway != gateway or told.purpose != purpose:
        raise DeniedError(_NO)
    return told, found


def check_time(desk: PeopleDesk, told: Signed) -> None:
    """Refuse a message that was not signed about now.

    Raises:
        DeniedError: It is old, or of the future.
    """
    if abs(told.at_s - desk.at_s) > WINDOW_S:
        raise DeniedError(
            f"this request is {told.at_s - desk.at_s} s off our clock: set the gateway's clock"
        )


def once(desk: PeopleDesk, told: Signed) -> None:
    """Take a message once, and only about when it was signed.

    Raises:
        DeniedError: It is old, of the future, or was taken before.
    """
    check_time(desk, told)
    desk.session.execute(delete(NonceRow).where(NonceRow.until_s < desk.at_s))
    mark = hash_of(f"{told.gateway} {told.nonce}")
    if desk.session.get(NonceRow, mark) is not None:
        raise DeniedError("this request was taken before: sign a new one")
    desk.session.add(NonceRow(hash=mark, until_s=desk.at_s + 2 * WINDOW_S))
    desk.session.flush()


def keep_handover(
    desk: PeopleDesk, gateway: GatewayId, home: str, sent: Mapping[str, Json]
) -> HandoverRow:
    """Keep a signed handover as it came, sealed; the same one again is the same row.

    The mark is of what was signed: a signature can be written in more than one way, and an old
    handover with its signature written anew must not become the newest.

    Raises:
        DeniedError: The gateway sent too many today.
    """
    text = canonical(dict(sent)).decode()
    mark = hashlib.sha256(f"{sent['protected']}.{sent['payload']}".encode()).hexdigest()
    found = desk.session.query(HandoverRow).filter_by(hash=mark).first()
    if found is not None:
        return found
    lately = HandoverRow.at_s > desk.at_s - 86_400
    wanted = select(func.count()).where(HandoverRow.gateway == gateway, lately)
    if desk.session.scalars(wanted).one() >= MOST_A_DAY:
        raise DeniedError(f"gateway {gateway} sent {MOST_A_DAY} handovers today: come back later")
    row = HandoverRow(
        at_s=desk.at_s, gateway=gateway, home=home, hash=mark, record=desk.keys.seal(text)
    )
    desk.session.add(row)
    desk.session.flush()
    return row
