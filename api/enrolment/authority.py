"""The certificates of the house: a root that lies in a safe, and one that signs day by day.

All keys are EC P-256. What signs may name only its own organisation, may make no other authority,
and vouches for gateways (clients of the broker) and for the broker itself.

Source:
    RFC 5280: sections 4.2.1.9 (path length), 4.2.1.10 (name constraints), 4.2.1.12 (key use), 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kwartier.errors import InputError
from kwartier.identity import GatewayId, checked_name

ROOT_DAYS, ISSUING_DAYS = 7_305, 1_826
"""Twenty years and five years [days]."""
GATEWAY_DAYS = SERVER_DAYS = 365
CRL_DAYS = 30
"""How long a list of revoked certificates holds; the server writes a new one every day [days]."""
_SKEW = timedelta(minutes=5)
"""How far back a certificate begins, for who is a little behind."""
_MOST_CSR = 4_096
_CURVE = ec.SECP256R1.name
_HOST_NAME = re.compile(r"[A-Za-z0-9_.*-]{1,253}", re.ASCII)


class RequestRefusedError(InputError):
    """A request for a certificate is not one we sign."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate and its key.

    Attributes:
        certificate: The certificate.
        key: Its key.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"Signer({self.certificate.subject.rfc4514_string()!r})"


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that was taken back, and when."""

    serial: int
    at: datetime


def new_root(organisation: str, now: datetime) -> Signer:
    """Return a new root; its key belongs in a safe."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(organisation, "root")
    builder = _builder(name, name, key.public_key(), now, ROOT_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
    builder = builder.add_extension(_key_use(of_authority=True), critical=True)
    return Signer(builder.sign(key, hashes.SHA256()), key)


def new_issuing(root: Signer, now: datetime) -> Signer:
    """Return a new authority below the root, which signs day by day."""
    key = ec.generate_private_key(ec.SECP256R1())
    organisation = organisation_of(root.certificate)
    name = _name(organisation, f"issuing {now.astimezone(UTC):%Y-%m}")
    own = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)])
    builder = _builder(name, root.certificate.subject, key.public_key(), now, ISSUING_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_use(of_authority=True), critical=True)
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    limits = x509.NameConstraints([x509.DirectoryName(own)], None)
    builder = builder.add_extension(limits, critical=True)
    return Signer(_signed(builder, root), key)


def certify_gateway(
    issuing: Signer, csr: bytes, gateway: GatewayId, now: datetime, days: int = GATEWAY_DAYS
) -> x509.Certificate:
    """Return a certificate for a gateway's own key; the name comes from us, not from the request.

    Raises:
        RequestRefusedError: It is no request, or not for an EC P-256 key that signed it.
    """
    return _client(issuing, key_of(csr), checked_name(gateway, "gateway"), now, days)


def certify_service(issuing: Signer, service: str, now: datetime) -> Signer:
    """Return a key and certificate of one of our own services, such as the collector."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = checked_name(service, "service")
    return Signer(_client(issuing, key.public_key(), name, now, SERVER_DAYS), key)


def certify_server(issuing: Signer, hosts: Iterable[str], now: datetime) -> Signer:
    """Return a key and certificate for a broker under its host names or addresses.

    Raises:
        InputError: One is no name or address that a certificate can hold.
    """
    wanted = list(hosts)
    names = x509.SubjectAlternativeName([_host(each) for each in wanted])
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(organisation_of(issuing.certificate), wanted[0][:64])
    builder = _builder(subject, issuing.certificate.subject, key.public_key(), now, SERVER_DAYS)
    builder = builder.add_extension(names, critical=False)
    use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return Signer(_signed(_leaf(builder).add_extension(use, critical=True), issuing), key)


def revocation_list(issuing: Signer, revoked: Iterable[Revoked], now: datetime) -> bytes:
    """Return the list of revoked certificates, in PEM."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuing.certificate.subject)
        .last_update(now - _SKEW)
        .next_update(now + timedelta(days=CRL_DAYS))
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
        .add_extension(_authority_of(issuing), critical=False)
    )
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.serial)
        builder = builder.add_revoked_certificate(entry.revocation_date(each.at).build())
    made = builder.sign(issuing.key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def key_of(csr: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key of a request for a certificate.

    Raises:
        RequestRefusedError: It is no request, or not for an EC P-256 key that signed it.
    """
    if len(csr) > _MOST_CSR:
        raise RequestRefusedError(f"'csr' has more than {_MOST_CSR} bytes: make it anew")
    try:
        request = x509.load_pem_x509_csr(csr)
        key = request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != _CURVE:
            raise RequestRefusedError("'csr' is not for an EC P-256 key: make it anew")
        if not request.is_signature_valid:
            raise RequestRefusedError("'csr' is not signed by its own key: make it anew")
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise RequestRefusedError("'csr' is no certificate request in PEM: make it anew") from error
    return key


def organisation_of(certificate: x509.Certificate) -> str:
    """Return whose a certificate is."""
    (found,) = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(found.value)


def _client(
    issuing: Signer, key: ec.EllipticCurvePublicKey, name: str, now: datetime, days: int
) -> x509.Certificate:
    subject = _name(organisation_of(issuing.certificate), name)
    builder = _builder(subject, issuing.certificate.subject, key, now, days)
    use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return _signed(_leaf(builder).add_extension(use, critical=True), issuing)


def _leaf(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    plain = x509.BasicConstraints(ca=False, path_length=None)
    builder = builder.add_extension(plain, critical=True)
    return builder.add_extension(_key_use(of_authority=False), critical=True)


def _key_use(*, of_authority: bool) -> x509.KeyUsage:
    """Return what a key is for: an authority's signs certificates and lists, any other itself."""
    return x509.KeyUsage(
        digital_signature=not of_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=of_authority,
        crl_sign=of_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, by: Signer) -> x509.Certificate:
    told = builder.add_extension(_authority_of(by), critical=False)
    return told.sign(by.key, hashes.SHA256())


def _authority_of(by: Signer) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())


def _name(organisation: str, name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        if not _HOST_NAME.fullmatch(host):
            raise InputError(
                f"host {host!r} is no name or address: letters, digits, dots and dashes; "
                "write another alphabet as xn--…"
            ) from None
        return x509.DNSName(host)
