"""The authority as files: the root's key sealed with a passphrase, the issuing key open.

``root.key`` belongs on a stick in a safe. What signs day by day (``issuing.key``) stays beside the
server, readable by its account only.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.enrolment.authority import Signer, new_issuing, new_root
from gateway.enrol.kept import IdentityWriteError, write_whole
from kwartier.errors import InputError, SettingsError

ROOT, ISSUING = "root", "issuing"
CHAIN_FILE = "chain.crt"
"""The issuing certificate and the root: who vouches for gateways and for the broker."""
SHORTEST_PASSPHRASE = 12
LONGEST_ORGANISATION = 64
"""As RFC 5280 has it (ub-organization-name)."""


class CaFolderError(SettingsError):
    """The authority's folder misses a file, or one cannot be read."""


def init(folder: Path, organisation: str, passphrase: str, now: datetime) -> None:
    """Make a root and what signs below it.

    Raises:
        InputError: There is a root already, or the passphrase or the name is too short or long.
        IdentityWriteError: The disk takes nothing.
    """
    if (folder / f"{ROOT}.key").exists() or (folder / f"{ROOT}.crt").exists():
        raise InputError(f"{folder}: there is a root already: every certificate would be void")
    if not organisation.strip() or len(organisation) > LONGEST_ORGANISATION:
        raise InputError(f"an organisation has 1 to {LONGEST_ORGANISATION} characters: name it")
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise InputError(f"a passphrase has {SHORTEST_PASSPHRASE} characters or more: take words")
    root = new_root(organisation, now)
    make_folder(folder)
    folder.chmod(0o700)
    _write(folder, ROOT, root, passphrase)
    _issue(folder, root, now)


def renew_issuing(folder: Path, passphrase: str, now: datetime) -> None:
    """Make a new authority below the root; certificates of the old one hold as long as they say.

    The old one's key stays beside it, for its own list of revoked certificates only: a broker
    refuses whatever it has no list for. Who takes that key away ends all it ever signed.

    Raises:
        CaFolderError: The root's key is away, or the old one's.
        InputError: The passphrase is not the one.
    """
    root = read_signer(folder, ROOT, passphrase)
    if (folder / f"{ISSUING}.crt").exists():
        old = read_signer(folder, ISSUING)
        _write(folder, f"{ISSUING}-{old.certificate.serial_number:x}", old, "")
    _issue(folder, root, now)


def read_signer(folder: Path, which: str, passphrase: str = "") -> Signer:
    """Return a certificate with its key.

    Raises:
        CaFolderError: A file is away or is not what it should be.
        InputError: The passphrase is not the one.
    """
    secret = passphrase.encode() or None
    try:
        content = (folder / f"{which}.key").read_bytes()
        key = serialization.load_pem_private_key(content, secret)
    except OSError as error:
        raise CaFolderError(f"{folder / which}.key: {error.strerror}") from error
    except TypeError as error:
        raise InputError(f"{folder / which}.key: asks a passphrase, or has none") from error
    except ValueError as error:
        raise InputError(f"{folder / which}.key: the passphrase does not open it") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CaFolderError(f"{folder / which}.key: is no EC key")
    return Signer(read_certificate(folder, which), key)


def read_older(folder: Path) -> list[Signer]:
    """Return the authorities of before, whose certificates may still hold.

    Raises:
        CaFolderError: A certificate is away or is none.
    """
    return [read_signer(folder, each.stem) for each in sorted(folder.glob(f"{ISSUING}-*.key"))]


def read_certificate(folder: Path, which: str) -> x509.Certificate:
    """Return a certificate of the folder.

    Raises:
        CaFolderError: It is away or is none.
    """
    file = folder / f"{which}.crt"
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as error:
        raise CaFolderError(
            f"{file}: {error.strerror}; make it with 'kwartier ca init --folder {folder}'"
        ) from error
    except ValueError as error:
        raise CaFolderError(f"{file}: is no certificate") from error


def make_folder(folder: Path) -> None:
    """Make a folder where there is none.

    Raises:
        IdentityWriteError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise IdentityWriteError(folder, error) from error


def pem(*certificates: x509.Certificate) -> bytes:
    """Return certificates in PEM, one after the other."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def key_pem(key: ec.EllipticCurvePrivateKey, passphrase: str = "") -> bytes:
    """Return a key in PEM, sealed when there is a passphrase."""
    seal: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        seal = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, seal)


def _issue(folder: Path, root: Signer, now: datetime) -> None:
    issuing = new_issuing(root, now)
    _write(folder, ISSUING, issuing, "")
    write_whole(folder / CHAIN_FILE, pem(issuing.certificate, root.certificate))


def _write(folder: Path, which: str, signer: Signer, passphrase: str) -> None:
    write_whole(folder / f"{which}.key", key_pem(signer.key, passphrase), 0o600)
    write_whole(folder / f"{which}.crt", pem(signer.certificate))
