"""What a thief, a neighbour and a box that lies come up with against letting gateways in."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from pypdf import PdfReader

from api.enrolment.authority import RequestRefusedError, certify_gateway, key_of
from api.enrolment.handovers import newest_handover
from api.enrolment.office import Enrolment
from api.enrolment.signed_requests import MOST_A_DAY
from api.papers.handover import handover_html
from api.people.book import PeopleBook
from api.people.errors import DeniedError
from api.people.opening import open_people
from api.people.tables import HandoverRow
from gateway.enrol.identity import Identity
from gateway.enrol.signed import canonical
from kwartier.clock import VirtualClock
from kwartier.errors import ContractError
from kwartier.interval import epoch_s, parse_instant
from kwartier.packing import LAST_INSTANT_S, Json
from tests.api.enrol_town import Served
from tests.api.enrolling import authority, box, desk_of, issuing_of, known_box
from tests.api.test_handover_paper import record

NOON = parse_instant("2026-11-02T12:00:00Z")
NOON_S = epoch_s(NOON)
P256 = bytes.fromhex("06082a8648ce3d030107")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256 (SEC 2, 2.4.2)."""
MALICE = "<script src=//evil.example></script><img src='http://evil.example/x.png'>"


@dataclass(frozen=True, slots=True)
class Besieged:
    """A desk, its book and its authority, and gw-01 that was let in there."""

    office: Enrolment
    people: PeopleBook
    ca: Path
    own: Identity


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    folder = tmp_path_factory.mktemp("attacks")
    ca, clock = authority(folder, NOON), VirtualClock(NOON_S)
    people = open_people(folder / "state", clock)
    made = desk_of(people, clock, ca)
    yield Besieged(made, people, ca, known_box(made, people, folder, "gw-01"))
    people.close()


def request_of(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
    name: str = "box",
) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    is_edwards = isinstance(key, ed25519.Ed25519PrivateKey)
    return builder.sign(key, None if is_edwards else hashes.SHA256())


def pem_of(der: bytes) -> bytes:
    body = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE REQUEST-----\n" + body + b"-----END CERTIFICATE REQUEST-----\n"


def test_a_request_with_a_strange_key_or_form_is_refused_in_words() -> None:
    good = request_of(ec.generate_private_key(ec.SECP256R1())).public_bytes(
        serialization.Encoding.DER
    )
    strange = [
        good.replace(P256, P256[:-1] + b"\x63"),  # a curve that nobody knows
        good.replace(b"\x02\x01\x00", b"\x02\x01\x0a", 1),  # version 10
        good[:-1] + bytes([good[-1] ^ 1]),  # signed by somebody else
        *(
            request_of(key).public_bytes(serialization.Encoding.DER)
            for key in (
                rsa.generate_private_key(65_537, 2_048),
                ed25519.Ed25519PrivateKey.generate(),
                ec.generate_private_key(ec.SECP384R1()),
                ec.generate_private_key(ec.SECP256K1()),
            )
        ),
    ]
    assert key_of(pem_of(good)) is not None

    for der in strange:
        with pytest.raises(RequestRefusedError, match="'csr'"):
            key_of(pem_of(der))


def test_a_request_cannot_choose_its_name(desk: Besieged) -> None:
    asked = request_of(ec.generate_private_key(ec.SECP256R1()), "collector\n<b>")
    csr = asked.public_bytes(serialization.Encoding.PEM)

    made = certify_gateway(issuing_of(desk.ca), csr, "gw-07", NOON)

    assert made.subject.rfc4514_string() == "CN=gw-07,O=De Straat"


def test_a_renewal_is_for_the_key_that_asks(desk: Besieged, tmp_path: Path) -> None:
    office, own = desk.office, desk.own
    foreign = Identity(tmp_path / "thief").csr().decode()

    with pytest.raises(RequestRefusedError, match="another key"):
        office.renew("gw-01", own.signed("renew", {"csr": foreign}, NOON_S))


def test_who_was_certified_elsewhere_renews_nothing_and_hands_nothing_over(
    desk: Besieged, tmp_path: Path
) -> None:
    office = desk.office
    forged = box(tmp_path, desk.ca, "gw-01", begin=NOON)  # signed by us, but not in the book

    with pytest.raises(DeniedError, match="enrol this gateway anew"):
        office.renew("gw-01", forged.signed("renew", {"csr": forged.csr().decode()}, NOON_S))
    with pytest.raises(DeniedError, match="enrol this gateway anew"):
        office.hand_over("gw-01", forged.signed("handover", record(), NOON_S))


def test_an_old_handover_with_its_signature_written_anew_is_not_the_newest(
    desk: Besieged,
) -> None:
    office, own = desk.office, desk.own
    old = own.signed("handover", {"consent": True}, NOON_S)
    new = own.signed("handover", {"consent": False}, NOON_S + 1)
    both = base64.urlsafe_b64decode(str(old["signature"]) + "==")
    turned = (ORDER - int.from_bytes(both[32:], "big")).to_bytes(32, "big")
    anew = base64.urlsafe_b64encode(both[:32] + turned).rstrip(b"=").decode()
    marks = [office.hand_over("gw-01", each) for each in (old, new)]

    again = office.hand_over("gw-01", dict(old) | {"signature": anew})

    assert again == marks[0]
    with desk.people.reading() as book:
        found = newest_handover(book, "gw-01")
    assert found is not None
    assert found.record == {"consent": False}


def test_a_handover_tells_of_its_own_gateway_in_letters_that_can_be_written(
    desk: Besieged, tmp_path: Path
) -> None:
    office, own = desk.office, desk.own

    with pytest.raises(ContractError, match="another gateway"):
        office.hand_over("gw-01", own.signed("handover", record(), NOON_S))
    for text in ('{"name":"\\ud800"}', '{"watt":NaN}', '{"watt":1e999}', "[" * 20_000):
        packed = base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
        message = dict(own.signed("handover", {}, NOON_S)) | {"payload": packed}
        with pytest.raises(ContractError, match="no JSON"):
            office.hand_over("gw-01", message)


def test_a_box_that_goes_mad_leaves_a_few_handovers_a_day(
    tmp_path_factory: pytest.TempPathFactory, desk: Besieged
) -> None:
    office = desk.office
    mad = known_box(office, desk.people, tmp_path_factory.mktemp("mad"), "gw-mad")
    for number in range(MOST_A_DAY):
        office.hand_over("gw-mad", mad.signed("handover", {"at": number}, NOON_S))

    with pytest.raises(DeniedError, match="come back later"):
        office.hand_over("gw-mad", mad.signed("handover", {"at": "again"}, NOON_S))


def test_words_of_a_record_stay_words_and_what_is_missing_is_left_out() -> None:
    told = record()
    told["devices"] = [{"name": MALICE, "make": MALICE, "model": MALICE, "serial4": MALICE}]
    steps: dict[str, Json] = {
        "meter": {"mark": MALICE, "facts": {"telegrams": MALICE}},
        "signs": {"facts": {MALICE: {"slope": 10**4_000}, "kettle": "seen"}},
        "live": {"facts": {"acknowledged_after_s": [MALICE]}},
        "consent": {"facts": {"name": MALICE, "readings": MALICE}},
        MALICE: {"facts": {}},
    }
    told["steps"] = steps

    page = handover_html(told | {"home": {"address": MALICE, "gateway": MALICE, "coop": "x"}})

    assert "<script" not in page
    assert "http://evil" not in page.replace("&#x27;http://evil", "")
    with pytest.raises(ContractError, match="no time"):
        handover_html(record() | {"made_at_s": LAST_INSTANT_S + 1})


def test_the_handover_is_printed_for_who_lives_there_and_nobody_else(
    lets_in: Served, tmp_path: Path
) -> None:
    own = lets_in.let_in(tmp_path, "gw-21")
    told = record()
    home = told["home"]
    assert isinstance(home, dict)
    told["home"] = home | {"gateway": "gw-21", "address": "Zonlaan <b>14</b>"}
    message = own.signed("handover", told, int(lets_in.town.clock.now_s()))
    path = "/api/v1/gateways/gw-21/handover"

    with lets_in.browser(None) as box:
        foreign = box.post("/api/v1/gateways/gw-22/handover", json=message)
        wrong = box.post(path, json=message | {"signature": "A" * 86})
        huge = box.post(path, json=message | {"payload": "A" * 10_000_000})
        kept = box.post(path, json=message)
    with lets_in.browser(lets_in.town.resident("home-1")) as resident:
        page = resident.get("/gateways/gw-21/overdracht")
        paper = resident.get("/gateways/gw-21/overdracht.pdf")
    with lets_in.browser(lets_in.town.resident("home-2")) as neighbour:
        other = [neighbour.get(f"/gateways/{g}/overdracht.pdf") for g in ("gw-21", "gw-99")]
    with lets_in.browser(None) as public:
        stranger = public.get("/gateways/gw-21/overdracht.pdf")

    assert (foreign.status_code, wrong.status_code, huge.status_code) == (403, 403, 413)
    assert (kept.status_code, page.status_code, paper.status_code) == (200, 200, 200)
    assert "Zonlaan &lt;b&gt;14" in page.text
    words = PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()
    assert "Zonlaan <b>14</b>" in words
    assert "gw-21" in words
    assert [each.status_code for each in other] == [404, 404]
    assert stranger.status_code in {303, 401}


def test_who_moved_in_later_does_not_see_who_agreed_before(lets_in: Served, tmp_path: Path) -> None:
    signed = Identity(tmp_path).signed("handover", {"who": "Gerda"}, NOON_S)
    for gateway, day in (("gw-23", "2026-10-15"), ("gw-33", "2026-10-17")):
        with lets_in.town.house.people.writing() as book:
            book.session.add(
                HandoverRow(
                    at_s=epoch_s(parse_instant(f"{day}T12:00:00Z")),
                    gateway=gateway,
                    home="home-3",
                    hash=gateway,
                    record=book.keys.seal(canonical(signed).decode()),
                )
            )

    with lets_in.browser(lets_in.town.resident("home-3")) as moved_in:
        before = moved_in.get("/gateways/gw-23/overdracht")
        after = moved_in.get("/gateways/gw-33/overdracht")

    assert (before.status_code, after.status_code) == (404, 200)


def test_a_board_without_its_second_factor_approves_nothing(lets_in: Served) -> None:
    job = lets_in.job("gw-24", approved=False)

    with lets_in.browser(lets_in.town.officer("board", strong=False)) as weak:
        asked = weak.post(f"/ops/klussen/{job}/goed")
    with lets_in.browser(lets_in.town.officer("board")) as board:
        page = board.get("/api/v1/jobs?limit=200").json()

    assert "bevestig" in asked.headers["location"] or asked.status_code in {401, 403}
    assert next(each for each in page if each["id"] == job)["state"] == "asked"


def test_the_board_approves_the_key_it_saw(lets_in: Served, tmp_path: Path) -> None:
    job = lets_in.job("gw-25", approved=False)
    first = lets_in.claim(tmp_path / "first", lets_in.code(job))
    first.begin()
    seen = first.identity.fingerprint
    lets_in.claim(tmp_path / "second", lets_in.code(job)).begin()

    with lets_in.browser(lets_in.town.officer("board")) as board:
        stale = board.post(f"/ops/klussen/{job}/goed", data={"key": seen})
        page = board.get(f"/ops/klussen/{job}").text

    assert stale.status_code == 409
    assert seen not in page
    assert "Kastje is er" in page


def test_an_installer_learns_nothing_of_jobs_at_other_homes(lets_in: Served) -> None:
    job = lets_in.job("gw-26", home="home-3")
    mark = lets_in.code(job, "home-3")[:4]

    with lets_in.browser(lets_in.town.installer("home-1")) as other:
        there, nowhere = (other.post(f"/i/klussen/{n}/code") for n in (job, 99_999))
        known, unknown = (other.get(f"/i/{each}") for each in (mark, "ZZZZ"))

    assert {each.status_code for each in (there, nowhere, known, unknown)} == {404}
    assert "home-3" not in there.text + known.text
    assert known.text == unknown.text
    assert there.text == nowhere.text
