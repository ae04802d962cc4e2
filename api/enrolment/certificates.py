"""Certificates that were given to gateways, and taken back."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from api.enrolment.authority import Revoked, Signer, certify_gateway, key_of
from api.enrolment.ca_folder import pem
from api.enrolment.claims import GATEWAY
from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.tables import CertificateRow
from kwartier.identity import GatewayId


def give(
    desk: PeopleDesk, issuing: Signer, job: int, gateway: GatewayId, csr: bytes
) -> x509.Certificate:
    """Sign a certificate for a gateway, write it down and return it.

    Those it has for other keys are taken back: a gateway is one box.

    Raises:
        RequestRefusedError: The request is not one we sign.
    """
    key = key_of(csr)
    for row in in_force(desk, gateway):
        if key_in(row) != key:
            row.revoked_at_s = desk.at_s
    made = certify_gateway(issuing, csr, gateway, datetime.fromtimestamp(desk.at_s, UTC))
    desk.session.add(
        CertificateRow(
            serial=f"{made.serial_number:x}",
            gateway=gateway,
            job=job,
            from_s=int(made.not_valid_before_utc.timestamp()),
            until_s=int(made.not_valid_after_utc.timestamp()),
            pem=pem(made).decode(),
            revoked_at_s=None,
        )
    )
    desk.session.flush()
    record(desk, GATEWAY, "certificate.give", gateway, {"serial": f"{made.serial_number:x}"})
    return made


def take_back(desk: PeopleDesk, by: str, gateway: GatewayId) -> int:
    """Take every certificate of a gateway back, and return how many there were."""
    rows = in_force(desk, gateway)
    for row in rows:
        row.revoked_at_s = desk.at_s
    desk.session.flush()
    if rows:
        record(desk, by, "certificate.end", gateway, {"count": len(rows)})
    return len(rows)


def in_force(desk: PeopleDesk, gateway: GatewayId) -> list[CertificateRow]:
    """Return the certificates with which a gateway is let in now, the newest first."""
    wanted = select(CertificateRow).where(
        CertificateRow.gateway == gateway,
        CertificateRow.revoked_at_s.is_(None),
        CertificateRow.until_s > desk.at_s,
    )
    return list(desk.session.scalars(wanted.order_by(CertificateRow.from_s.desc())))


def revoked(desk: PeopleDesk) -> list[Revoked]:
    """Return the certificates that were taken back and would hold otherwise."""
    wanted = select(CertificateRow).where(
        CertificateRow.revoked_at_s.is_not(None), CertificateRow.until_s > desk.at_s - 86_400
    )
    return [
        Revoked(int(row.serial, 16), datetime.fromtimestamp(row.revoked_at_s or 0, UTC))
        for row in desk.session.scalars(wanted.order_by(CertificateRow.serial))
    ]


def key_in(row: CertificateRow) -> ec.EllipticCurvePublicKey:
    """Return the key of a certificate in the book."""
    key = x509.load_pem_x509_certificate(row.pem.encode()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key
