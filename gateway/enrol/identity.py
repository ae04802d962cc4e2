"""A gateway's own key and certificate, in a folder of its own.

The key is made on the device, once, and never leaves it. A new certificate is for the same key,
so that no cut of the power can leave a key beside a certificate that is not its own.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.enrol.kept import IdentityWriteError, write_whole
from gateway.enrol.signed import Signed, sign
from kwartier.broker import Tls
from kwartier.errors import ContractError, InputError
from kwartier.identity import CoopId, GatewayId, MeterId, checked_name
from kwartier.packing import Json
from kwartier.units import EpochS

NOBODY: GatewayId = "new"
"""What a gateway calls itself before it has a name."""
RENEW_AT = 2, 3
"""After which part of its life a certificate is renewed."""
_KEY_MODE = 0o600


class IdentityError(InputError):
    """A file of the gateway's identity is not what it should be."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the server told when the gateway was let in.

    Attributes:
        gateway: Its name, as it stands in topics and in its certificate.
        coop: The cooperative's name in topics.
        broker_url: Where the broker is.
        address: The home in words for who stands in front of it; empty when nobody gave any.
        home: The home's id in the community.
        meter: The meter id of the contract; empty when it is not known. Personal data.
        steering_allowed: Whether batteries may be steered here, once the signs were checked.
        owner_words: What the resident is asked to agree with, in plain words.
    """

    gateway: GatewayId
    coop: CoopId
    broker_url: str
    address: str
    home: str
    meter: MeterId
    steering_allowed: bool
    owner_words: str

    def __repr__(self) -> str:
        return f"Enrolled({self.gateway!r})"


class Identity:
    """The key, the certificate and what the server told, as files of one folder."""

    def __init__(self, folder: Path) -> None:
        """Open a folder; the key is made when there is none.

        Raises:
            IdentityError: The key there cannot be read.
            IdentityWriteError: The disk takes nothing.
        """
        self.folder = folder
        self.key_file = folder / "gateway.key"
        self.certificate_file = folder / "gateway.crt"
        self.ca_file = folder / "ca.crt"
        self._enrolled_file = folder / "enrolled.json"
        self._key = self._kept_key()

    @property
    def gateway(self) -> GatewayId:
        """Its name, of its certificate; ``new`` before it has one."""
        found = self.certificate()
        return NOBODY if found is None else name_of(found)

    @property
    def fingerprint(self) -> str:
        """Eight letters and digits of its key, to compare with the job's page."""
        return key_fingerprint(self._key.public_key())

    def csr(self) -> bytes:
        """Return the request for a certificate, in PEM; the server gives the name."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.gateway)])
        request = x509.CertificateSigningRequestBuilder().subject_name(name)
        return request.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def certificate(self) -> x509.Certificate | None:
        """Return its certificate; None when it has none yet.

        Raises:
            IdentityError: The file cannot be read, is no certificate, or is for another key.
        """
        try:
            content = self.certificate_file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(self.certificate_file, error) from error
        return self._own(content)

    def install(self, chain: bytes, roots: bytes = b"") -> None:
        """Keep a certificate, with those that vouch for it, in PEM.

        Args:
            chain: Its certificate first, then those between it and the root.
            roots: The root that vouches for the broker; those of before stay without one.

        Raises:
            IdentityError: It is for another key, or no certificate.
            IdentityWriteError: The disk takes nothing; what was kept before still holds.
        """
        self._own(chain)
        if roots:
            _loaded(roots)
            write_whole(self.ca_file, roots)
        write_whole(self.certificate_file, chain)

    def enrolled(self) -> Enrolled | None:
        """Return what the server told; None before it did.

        Raises:
            IdentityError: The file cannot be read.
        """
        try:
            told = json.loads(self._enrolled_file.read_bytes())
            return enrolled_of(told) if isinstance(told, dict) else None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(self._enrolled_file, error) from error
        except (ValueError, ContractError) as error:
            raise IdentityError(
                f"{self._enrolled_file}: {error}; enrol this gateway anew"
            ) from error

    def keep_enrolled(self, enrolled: Enrolled) -> None:
        """Keep what the server told.

        Raises:
            IdentityWriteError: The disk takes nothing.
        """
        told = json.dumps(asdict(enrolled), ensure_ascii=False)
        write_whole(self._enrolled_file, told.encode(), _KEY_MODE)

    def needs_renewal(self, now: datetime) -> bool:
        """Return whether two thirds of its certificate's life are over."""
        found = self.certificate()
        if found is None:
            return False
        life = found.not_valid_after_utc - found.not_valid_before_utc
        part, whole = RENEW_AT
        return now >= found.not_valid_before_utc + life * part / whole

    def is_valid(self, now: datetime) -> bool:
        """Return whether it has a certificate that holds now."""
        found = self.certificate()
        return found is not None and (
            found.not_valid_before_utc <= now.astimezone(UTC) < found.not_valid_after_utc
        )

    def signed(self, purpose: str, body: dict[str, Json], at_s: EpochS) -> dict[str, Json]:
        """Return a message signed with its key, as it travels."""
        nonce = secrets.token_urlsafe(16)
        return sign(self._key, Signed(self.gateway, purpose, at_s, nonce, body))

    def tls(self) -> Tls:
        """Return the files with which the broker and this gateway prove themselves."""
        ca_file = self.ca_file if self.ca_file.exists() else None
        return Tls(ca_file, self.certificate_file, self.key_file)

    def _kept_key(self) -> ec.EllipticCurvePrivateKey:
        try:
            content = self.key_file.read_bytes()
        except FileNotFoundError:
            return self._new_key()
        except OSError as error:
            raise _unreadable(self.key_file, error) from error
        try:
            key = serialization.load_pem_private_key(content, None)
        except (ValueError, TypeError) as error:
            raise IdentityError(
                f"{self.key_file}: is no key: take it away and enrol anew"
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise IdentityError(f"{self.key_file}: is no P-256 key: take it away and enrol anew")
        return key

    def _new_key(self) -> ec.EllipticCurvePrivateKey:
        key = ec.generate_private_key(ec.SECP256R1())
        content = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IdentityWriteError(self.folder, error) from error
        write_whole(self.key_file, content, _KEY_MODE)
        return key

    def _own(self, chain: bytes) -> x509.Certificate:
        found = _loaded(chain)[0]
        if found.public_key() != self._key.public_key():
            raise IdentityError(f"{self.certificate_file}: is for another key: enrol anew")
        name_of(found)
        return found


def enrolled_of(told: dict[str, Json]) -> Enrolled:
    """Return what a server told.

    Raises:
        ContractError: A part is away or wrong.
    """
    texts = {
        name: told.get(name)
        for name in ("gateway", "coop", "broker_url", "address", "home", "meter", "owner_words")
    }
    words = {name: value for name, value in texts.items() if isinstance(value, str)}
    steering = told.get("steering_allowed")
    if len(words) != len(texts) or not isinstance(steering, bool):
        raise ContractError("what the server told of this gateway misses a part")
    return Enrolled(
        checked_name(words["gateway"], "gateway"),
        checked_name(words["coop"], "cooperative"),
        words["broker_url"],
        words["address"],
        words["home"],
        words["meter"],
        steering,
        words["owner_words"],
    )


def name_of(certificate: x509.Certificate) -> GatewayId:
    """Return the gateway a certificate is for.

    Raises:
        ContractError: Its name is no gateway's.
    """
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return checked_name(str(names[0].value) if names else "", "name in the certificate")


def key_fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """Return eight letters and digits that stand for a key, in two groups of four."""
    plain = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(plain)
    text = digest.finalize().hex()[:8].upper()
    return f"{text[:4]}-{text[4:]}"


def _unreadable(path: Path, error: OSError) -> IdentityError:
    return IdentityError(f"{path}: cannot be read: {error.strerror}")


def _loaded(chain: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(chain)
    except ValueError as error:
        raise IdentityError("this is no certificate in PEM: ask the server again") from error
