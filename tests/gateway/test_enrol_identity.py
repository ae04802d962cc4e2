"""A gateway's key is made once and stays its own, whatever happens to the power."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.enrol.claim import Claim
from gateway.enrol.identity import Enrolled, Identity, IdentityError, key_fingerprint
from gateway.enrol.kept import IdentityWriteError, write_whole
from gateway.enrol.settings import read_identity
from gateway.enrol.signed import Signed, is_signed_by, opened, sign
from kwartier.cli import main
from kwartier.errors import ContractError, SettingsError
from kwartier.settings import Table

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 300
CODE = "7K2M-9QXF"


def certificate(identity: Identity, name: str = "gw-01") -> bytes:
    """Return a certificate for an identity's key, signed by somebody else."""
    key = x509.load_pem_x509_csr(identity.csr()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key)
        .serial_number(7)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + timedelta(days=DAYS))
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first, again = Identity(tmp_path / "box"), Identity(tmp_path / "box")

    assert first.fingerprint == again.fingerprint
    assert stat.S_IMODE(first.key_file.stat().st_mode) == 0o600
    assert Identity(tmp_path / "other").fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--server", "https://wijk.example", "--code", "7K2M"), 1, "a claim code has 8 letters"),
        (("--code", CODE), 2, "no card says where to ask"),
        (("--server", "wijk.example", "--code", CODE), 78, "is no address"),
        (("--server", "https://wijk.example"), 2, "no question was asked before"),
    ],
)
def test_what_is_asked_wrongly_is_refused_before_a_key_is_made(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    box = tmp_path / "box"

    assert main(["gateway", "enrol", "--folder", str(box), *words]) == code
    assert said in capsys.readouterr().err
    assert not box.exists()


def test_a_request_is_signed_by_the_key_and_names_nobody_yet(tmp_path: Path) -> None:
    identity = Identity(tmp_path)

    request = x509.load_pem_x509_csr(identity.csr())

    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=new"
    key = request.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key_fingerprint(key) == identity.fingerprint


@pytest.mark.parametrize("name", ["gateway.key.new", "gateway.crt.new"])
def test_half_a_file_of_a_power_cut_is_written_over(tmp_path: Path, name: str) -> None:
    identity = Identity(tmp_path)
    identity.install(certificate(identity))
    (tmp_path / name).write_bytes(b"-----BEGIN")

    after = Identity(tmp_path)
    after.install(certificate(after, "gw-02"))

    assert after.fingerprint == identity.fingerprint
    assert after.gateway == "gw-02"


def test_a_power_cut_at_any_step_leaves_the_old_or_the_new_certificate(tmp_path: Path) -> None:
    identity = Identity(tmp_path)
    old, new = certificate(identity, "gw-01"), certificate(identity, "gw-02")
    for cut in range(0, len(new), 40):
        identity.install(old)
        (tmp_path / "gateway.crt.new").write_bytes(new[:cut])  # what a cut leaves before the rename

        assert Identity(tmp_path).gateway == "gw-01"

    identity.install(new)
    assert Identity(tmp_path).gateway == "gw-02"


def test_a_certificate_for_another_key_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    identity, other = Identity(tmp_path / "box"), Identity(tmp_path / "other")
    identity.install(certificate(identity))

    for strange in (certificate(other), b"nothing", b""):
        with pytest.raises(IdentityError):
            identity.install(strange)

    assert identity.gateway == "gw-01"


@pytest.mark.parametrize("content", [b"", b"nothing", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_key_that_cannot_be_read_is_not_replaced_in_silence(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "gateway.key").write_bytes(content)

    with pytest.raises(IdentityError, match="enrol anew"):
        Identity(tmp_path)
    assert (tmp_path / "gateway.key").read_bytes() == content


def test_it_is_renewed_after_two_thirds_of_its_life(tmp_path: Path) -> None:
    identity = Identity(tmp_path)
    assert not identity.needs_renewal(BEGIN)
    identity.install(certificate(identity))

    assert not identity.needs_renewal(BEGIN + timedelta(days=200, seconds=-1))
    assert identity.needs_renewal(BEGIN + timedelta(days=200))
    assert identity.is_valid(BEGIN + timedelta(days=300, seconds=-1))
    assert not identity.is_valid(BEGIN + timedelta(days=300))


def test_what_the_server_told_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    told = Enrolled("gw-01", "street", "mqtts://b:8883", "Zonlaan 1", "home-1", "E47", True, "ja")
    identity = Identity(tmp_path)

    identity.keep_enrolled(told)

    assert Identity(tmp_path).enrolled() == told
    assert stat.S_IMODE((tmp_path / "enrolled.json").stat().st_mode) == 0o600
    assert "Zonlaan" not in repr(told)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"gateway": "gw-01"}'])
def test_half_of_what_the_server_told_is_no_whole(tmp_path: Path, content: str) -> None:
    identity = Identity(tmp_path)
    (tmp_path / "enrolled.json").write_text(content)

    try:
        told = identity.enrolled()
    except (IdentityError, ContractError):
        told = None

    assert told is None


def test_a_signed_message_holds_as_it_is_and_not_changed(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    message = Signed("gw-01", "renew", 1_700_000_000, "n" * 20, {"crc": 99.5, "list": [1, None]})

    sent = json.loads(json.dumps(sign(key, message)))

    assert opened(sent) == message
    assert is_signed_by(sent, key.public_key())
    assert not is_signed_by(sent, ec.generate_private_key(ec.SECP256R1()).public_key())
    for part in ("protected", "payload", "signature"):
        text = sent[part]
        changed = sent | {part: ("A" if text[0] != "A" else "B") + text[1:]}
        assert not is_signed_by(changed, key.public_key())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(IdentityWriteError, match="cannot be written"):
        Identity(tmp_path)


def test_a_file_that_cannot_be_written_keeps_what_it_held(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    write_whole(path, b"old")
    (tmp_path / "kept.new").mkdir()

    with pytest.raises(IdentityWriteError, match="kept cannot be written"):
        write_whole(path, b"new")

    assert path.read_bytes() == b"old"


def test_settings_name_folder_and_server(tmp_path: Path) -> None:
    table = Table({"enrolled_folder": "id", "server": "https://wijk.example"})

    read = read_identity(table, tmp_path)

    assert read is not None
    assert (read.folder, read.server.url) == (tmp_path / "id", "https://wijk.example")
    assert read_identity(Table({}), tmp_path) is None
    with pytest.raises(SettingsError, match="https"):
        read_identity(Table({"enrolled_folder": "id", "server": "http://wijk.example"}), tmp_path)


@pytest.mark.parametrize("name", ["gateway.crt", "enrolled.json", "claim.json"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    identity = Identity(tmp_path)
    (tmp_path / name).mkdir()

    with pytest.raises(IdentityError, match=f"{name}: cannot be read: Is a directory"):
        _ = identity.certificate(), identity.enrolled(), Claim.resumed(identity)
