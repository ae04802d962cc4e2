"""The small authority: what it signs holds, and nothing else does."""

from __future__ import annotations

import json
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from api.enrolment.authority import (
    RequestRefusedError,
    Revoked,
    Signer,
    certify_gateway,
    certify_server,
    new_issuing,
    new_root,
    revocation_list,
)
from api.enrolment.ca_folder import (
    ISSUING,
    ROOT,
    CaFolderError,
    init,
    pem,
    read_older,
    read_signer,
    renew_issuing,
)
from api.enrolment.cutting import write_list
from gateway.enrol.identity import Identity, name_of
from kwartier.cli import main
from kwartier.clock import SystemClock
from kwartier.errors import InputError
from tests.api.enrolling import PASSPHRASE, authority, box, issuing_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPENSSL = ["openssl", "verify", "-x509_strict"]


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority(tmp_path_factory.mktemp("ca"), datetime.now(UTC))


def judged(*words: str) -> bool:
    """Return whether openssl, which is not ours, finds a chain right."""
    return subprocess.run([*OPENSSL, *words], check=False, capture_output=True).returncode == 0


def written(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def test_a_gateway_is_certified_for_a_year_as_a_client_under_the_name_we_gave(
    ca: Path, tmp_path: Path
) -> None:
    identity = Identity(tmp_path / "box")

    made = certify_gateway(issuing_of(ca), identity.csr(), "gw-07", NOW)

    uses = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert name_of(made) == "gw-07"
    assert made.not_valid_after_utc == NOW + timedelta(days=365)
    assert (uses.critical, list(uses.value)) == (True, [ExtendedKeyUsageOID.CLIENT_AUTH])


def test_another_program_finds_the_chain_right_and_each_use_its_own(
    ca: Path, tmp_path: Path
) -> None:
    issuing, now = issuing_of(ca), datetime.now(UTC)
    box = certify_gateway(issuing, Identity(tmp_path / "box").csr(), "gw-07", now)
    broker = certify_server(issuing, ["wijk.example", "192.0.2.7"], now).certificate
    client = written(tmp_path, "box.crt", pem(box))
    server = written(tmp_path, "broker.crt", pem(broker))
    chain = ["-CAfile", str(ca / "root.crt"), "-untrusted", str(ca / "issuing.crt")]

    assert judged(*chain, "-purpose", "sslclient", client)
    assert judged(*chain, "-purpose", "sslserver", "-verify_hostname", "wijk.example", server)
    assert judged(*chain, "-purpose", "sslserver", "-verify_ip", "192.0.2.7", server)
    assert not judged(*chain, "-purpose", "sslserver", client)
    assert not judged(*chain, "-purpose", "sslclient", server)


def test_what_signs_may_name_no_other_house_and_make_no_other_authority(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    root = new_root("De Straat", now)
    issuing = new_issuing(root, now)
    own, foreign = (_client_of(issuing, house, now) for house in ("De Straat", "Een ander"))
    limits = issuing.certificate.extensions.get_extension_for_class(x509.NameConstraints)
    basics = issuing.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    chain = [
        "-CAfile",
        written(tmp_path, "root.crt", pem(root.certificate)),
        "-untrusted",
        written(tmp_path, "issuing.crt", pem(issuing.certificate)),
    ]

    assert limits.critical
    assert basics.value.path_length == 0
    assert judged(*chain, written(tmp_path, "own.crt", pem(own)))
    assert not judged(*chain, written(tmp_path, "foreign.crt", pem(foreign)))


def test_a_revoked_certificate_is_refused_by_another_program(ca: Path, tmp_path: Path) -> None:
    issuing, now = issuing_of(ca), datetime.now(UTC)
    good, stolen = (
        certify_gateway(issuing, Identity(tmp_path / name).csr(), name, now)
        for name in ("good", "stolen")
    )
    listed = revocation_list(issuing, [Revoked(stolen.serial_number, now)], now)
    words = ["-CAfile", str(ca / "chain.crt"), "-crl_check", "-CRLfile"]
    words += [written(tmp_path, "revoked.crl", listed)]

    assert judged(*words, written(tmp_path, "good.crt", pem(good)))
    assert not judged(*words, written(tmp_path, "stolen.crt", pem(stolen)))


def test_requests_for_other_keys_or_with_a_broken_signature_are_refused(
    ca: Path, tmp_path: Path
) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gw-07")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    other_keys = (
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP384R1()),
    )
    requests = [
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        for key in other_keys
    ]
    broken = bytearray(
        x509.load_pem_x509_csr(Identity(tmp_path / "box").csr()).public_bytes(
            serialization.Encoding.DER
        )
    )
    broken[-1] ^= 1
    requests.append(
        ssl.DER_cert_to_PEM_cert(bytes(broken))
        .replace("CERTIFICATE", "CERTIFICATE REQUEST")
        .encode()
    )

    for request in requests:
        with pytest.raises(RequestRefusedError):
            certify_gateway(issuing_of(ca), request, "gw-07", NOW)


def test_the_root_opens_with_its_passphrase_only(ca: Path) -> None:
    assert (
        read_signer(ca, ROOT, PASSPHRASE).certificate.subject.rfc4514_string().startswith("CN=root")
    )
    with pytest.raises(InputError, match="does not open"):
        read_signer(ca, ROOT, "another passphrase")
    with pytest.raises(InputError, match="asks a passphrase"):
        read_signer(ca, ROOT)
    assert b"ENCRYPTED" in (ca / "root.key").read_bytes()
    assert (ca / "issuing.key").stat().st_mode & 0o777 == 0o600


def test_the_server_needs_no_root_key(tmp_path: Path) -> None:
    made = authority(tmp_path, datetime.now(UTC))
    (made / "root.key").unlink()

    assert read_signer(made, ISSUING).certificate is not None
    with pytest.raises(CaFolderError, match=r"root\.key"):
        read_signer(made, ROOT, PASSPHRASE)


def test_the_commands_make_show_and_renew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = written(tmp_path, "passphrase", b"vijf natte geiten\n")
    folder = ["--folder", str(tmp_path / "ca")]
    made = ["ca", "init", *folder, "--organisation", "De Straat", "--passphrase-file", secret]

    codes = [main(made), main(made)]
    advice = capsys.readouterr().err
    codes.append(main(["ca", "intermediate", *folder, "--passphrase-file", secret]))
    codes.append(main(["ca", "service", "collector", *folder, "--to", str(tmp_path / "to")]))
    capsys.readouterr()
    codes.append(main(["ca", "show", *folder]))

    assert codes == [0, 1, 0, 0, 0]
    assert "Take root.key off this machine" in advice
    assert "there is a root already" in advice
    shown = json.loads(capsys.readouterr().out)
    assert shown["root"]["key_here"] is True
    assert len(list((tmp_path / "ca").glob("issuing-*.crt"))) == 1
    assert (tmp_path / "to" / "collector.key").stat().st_mode & 0o777 == 0o600


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    secret = written(tmp_path, "passphrase", b"kort\n")
    words = ["ca", "init", "--folder", str(tmp_path / "ca"), "--organisation", "De Straat"]

    assert main([*words, "--passphrase-file", secret]) == 1
    assert not (tmp_path / "ca").exists()


def _client_of(issuing: Signer, house: str, now: datetime) -> x509.Certificate:
    """Return a certificate that what signs made for somebody of a house."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    names = ((NameOID.ORGANIZATION_NAME, house), (NameOID.COMMON_NAME, "gw-07"))
    authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(*each) for each in names]))
        .issuer_name(issuing.certificate.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(authority_key, critical=False)
        .sign(issuing.key, hashes.SHA256())
    )


def test_what_was_signed_before_a_new_authority_holds_until_its_key_is_taken_away(
    tmp_path: Path,
) -> None:
    folder, now = authority(tmp_path, datetime.now(UTC)), datetime.now(UTC)
    before = box(tmp_path, folder, "gw-old")
    stolen = box(tmp_path, folder, "gw-stolen")
    found = stolen.certificate()
    assert found is not None
    renew_issuing(folder, PASSPHRASE, now)
    after = box(tmp_path, folder, "gw-new")
    (older,) = read_older(folder)
    revoked = [Revoked(found.serial_number, now)]

    write_list(tmp_path, [issuing_of(folder), older], revoked, SystemClock())

    def may_enter(one: Identity) -> bool:
        sent = str(one.tls().certificate_file)
        words = ("-crl_check", "-CAfile", str(folder / "chain.crt"), "-untrusted", sent)
        return judged(*words, "-CRLfile", str(tmp_path / "revoked.crl"), sent)

    assert [may_enter(each) for each in (before, after, stolen)] == [True, True, False]
    write_list(tmp_path, [issuing_of(folder)], revoked, SystemClock())
    assert [may_enter(each) for each in (before, after)] == [False, True]
    (kept,) = folder.glob("issuing-*.key")
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("host", ["", "a b", "bröker.wijk.example"])
def test_a_host_that_is_none_is_refused_in_one_line(
    ca: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    code = main(["ca", "server", "--folder", str(ca), "--host", host, "--to", str(tmp_path / "to")])

    told = capsys.readouterr().err
    assert (code, told.count("\n")) == (1, 1)
    assert f"host {host!r} is no name or address" in told


def test_a_folder_that_cannot_be_made_is_named(
    ca: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = Path(written(tmp_path, "file", b"")) / "to"

    code = main(["ca", "server", "--folder", str(ca), "--host", "broker", "--to", str(to)])

    assert code == 1
    assert f"{to} cannot be written" in capsys.readouterr().err


def test_a_server_needs_three_files_of_the_authority_only(tmp_path: Path) -> None:
    folder, to = authority(tmp_path, datetime.now(UTC)), tmp_path / "to"
    chain = (folder / "chain.crt").read_bytes()
    for name in ("chain.crt", "root.key"):
        (folder / name).unlink()

    code = main(["ca", "server", "--folder", str(folder), "--host", "broker", "--to", str(to)])

    assert (code, (to / "ca.crt").read_bytes()) == (0, chain)


def test_a_new_authority_says_what_is_missing_of_the_old_one(tmp_path: Path) -> None:
    folder = authority(tmp_path, datetime.now(UTC))
    (folder / "issuing.key").unlink()

    with pytest.raises(CaFolderError, match=r"issuing\.key"):
        renew_issuing(folder, PASSPHRASE, NOW)


@pytest.mark.parametrize("name", [" ", "x" * 65])
def test_an_authority_is_somebodys(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="1 to 64 characters"):
        init(tmp_path / "ca", name, PASSPHRASE, NOW)
