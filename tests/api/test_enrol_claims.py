"""A gateway is let in once, by the one that holds the code, when the board agrees."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.enrolment.authority import RequestRefusedError
from api.enrolment.certificates import revoked
from api.enrolment.claims import LIFE_S, MOST_TRIES, Drawn, Shown, draw, show
from api.enrolment.jobs import JobState, ask_job, job_of, judge_job
from api.enrolment.office import Enrolment, Let
from api.people.book import PeopleBook
from api.people.errors import DeniedError, PeopleError
from api.people.opening import open_people
from api.people.tables import CertificateRow, ClaimRow
from gateway.enrol.code import ALPHABET, Code, qr_address, read_code
from gateway.enrol.identity import Identity
from kwartier.clock import VirtualClock
from kwartier.errors import ContractError, InputError
from kwartier.interval import epoch_s, parse_instant
from tests.api.enrolling import authority, desk_of

NOON_S = epoch_s(parse_instant("2026-11-02T12:00:00Z"))
TICKET, OTHER_TICKET = "t" * 24, "u" * 24


@dataclass(frozen=True, slots=True)
class Office:
    """A desk, its book and its clock."""

    desk: Enrolment
    people: PeopleBook
    clock: VirtualClock

    def job(self, gateway: str = "gw-01", *, approved: bool = True) -> int:
        with self.people.writing() as book:
            number = ask_job(book, "a-operator", gateway, "home-1", meter="E0047")
            if approved:
                judge_job(book, "a-board", number, approved=True)
        return number

    def code(self, job: int) -> Drawn:
        with self.people.writing() as book:
            return draw(book, "a-installer", job)

    def valid(self) -> int:
        """Return how many certificates let somebody in."""
        wanted = select(func.count()).where(CertificateRow.revoked_at_s.is_(None))
        with self.people.reading() as book:
            return book.session.scalars(wanted).one()


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority(tmp_path_factory.mktemp("ca"), parse_instant("2026-11-01T12:00:00Z"))


@pytest.fixture
def office(tmp_path: Path, ca: Path) -> Iterator[Office]:
    clock = VirtualClock(NOON_S)
    people = open_people(tmp_path / "state", clock)
    yield Office(desk_of(people, clock, ca), people, clock)
    people.close()


def csr(folder: Path, name: str = "box") -> bytes:
    """Return the request of a box."""
    return Identity(folder / name).csr()


def test_a_shown_code_of_an_approved_job_brings_one_certificate(
    office: Office, tmp_path: Path
) -> None:
    identity, drawn = Identity(tmp_path / "box"), office.code(office.job())

    shown = office.desk.show(drawn.code, TICKET, identity.csr())
    let, again = office.desk.look(TICKET), office.desk.look(TICKET)

    assert shown is Shown.TAKEN
    assert isinstance(let, Let)
    assert let == again
    assert (let.enrolled.gateway, let.enrolled.home, let.enrolled.meter) == (
        "gw-01",
        "home-1",
        "E0047",
    )
    identity.install(let.chain.encode(), let.roots.encode())
    assert identity.gateway == "gw-01"
    assert office.valid() == 1


def test_the_secret_of_a_qr_does_what_the_eight_letters_do(office: Office, tmp_path: Path) -> None:
    drawn = office.code(office.job())
    address = qr_address("https://wijk.example", drawn.code.mark, drawn.secret)

    shown = office.desk.show(read_code(address), TICKET, csr(tmp_path))

    assert shown is Shown.TAKEN
    assert len(drawn.secret) == 26
    assert len(ALPHABET) ** len(drawn.secret) > 2**128


def test_without_the_board_there_is_no_certificate(office: Office, tmp_path: Path) -> None:
    job = office.job(approved=False)
    office.desk.show(office.code(job).code, TICKET, csr(tmp_path))

    waiting = office.desk.look(TICKET)
    with office.people.writing() as book:
        judge_job(book, "a-board", job, approved=False)

    assert waiting is JobState.ASKED
    assert office.desk.look(TICKET) is JobState.REFUSED
    assert office.valid() == 0


@pytest.mark.parametrize("guesses", [500, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_guessing_brings_nothing(office: Office, tmp_path: Path, guesses: int) -> None:
    drawn, request = office.code(office.job()), csr(tmp_path)
    guess = random.Random(7)  # noqa: S311 - the same every time
    tried = set()

    with office.people.writing() as book:
        for number in range(guesses):
            mark = drawn.code.mark if number % 2 else "".join(guess.choices(ALPHABET, k=4))
            proof = "".join(guess.choices(ALPHABET, k=4))
            if proof != drawn.code.proof:
                tried.add(show(book, Code(mark, proof), TICKET, request))
        after = show(book, drawn.code, TICKET, request)
        tries = book.session.get_one(ClaimRow, drawn.code.mark).tries

    assert tried == {Shown.WRONG}
    assert tries == MOST_TRIES
    assert after is Shown.WRONG
    assert office.desk.look(TICKET) is None
    assert office.valid() == 0


def test_a_code_that_was_used_lets_no_second_box_in(office: Office, tmp_path: Path) -> None:
    job = office.job()
    drawn = office.code(job)
    office.desk.show(drawn.code, TICKET, csr(tmp_path, "first"))
    office.desk.look(TICKET)

    second = office.desk.show(drawn.code, OTHER_TICKET, csr(tmp_path, "second"))

    assert second is Shown.SPOILED
    assert office.desk.look(TICKET) is None
    assert office.desk.look(OTHER_TICKET) is None
    assert office.valid() == 0
    with office.people.reading() as book:
        assert job_of(book, job).state is JobState.ENDED
        assert len(revoked(book)) == 1


def test_of_two_that_race_before_the_board_decides_none_is_let_in(
    office: Office, tmp_path: Path
) -> None:
    job = office.job(approved=False)
    drawn = office.code(job)

    first = office.desk.show(drawn.code, TICKET, csr(tmp_path, "first"))
    second = office.desk.show(drawn.code, OTHER_TICKET, csr(tmp_path, "second"))

    assert (first, second) == (Shown.TAKEN, Shown.SPOILED)
    with office.people.writing() as book, pytest.raises(PeopleError, match="judged already"):
        judge_job(book, "a-board", job, approved=True)
    assert office.valid() == 0


def test_the_same_box_may_show_its_code_again_after_a_cut(office: Office, tmp_path: Path) -> None:
    drawn, request = office.code(office.job()), csr(tmp_path)
    office.desk.show(drawn.code, TICKET, request)

    again = office.desk.show(drawn.code, OTHER_TICKET, request)

    assert again is Shown.TAKEN
    assert office.desk.look(TICKET) is None
    assert isinstance(office.desk.look(OTHER_TICKET), Let)


def test_a_code_runs_out_after_half_an_hour(office: Office, tmp_path: Path) -> None:
    drawn = office.code(office.job())
    office.clock.advance(LIFE_S)

    assert office.desk.show(drawn.code, TICKET, csr(tmp_path)) is Shown.LATE
    assert office.desk.look(TICKET) is None


def test_a_new_code_ends_the_one_before(office: Office, tmp_path: Path) -> None:
    job = office.job()
    old, new = office.code(job), office.code(job)

    assert office.desk.show(old.code, TICKET, csr(tmp_path)) is Shown.WRONG
    assert office.desk.show(new.code, TICKET, csr(tmp_path)) is Shown.TAKEN


def test_no_code_and_no_secret_stands_in_the_book(office: Office, tmp_path: Path) -> None:
    drawn = office.code(office.job())

    with office.people.reading() as book:
        row = book.session.get_one(ClaimRow, drawn.code.mark)
        kept = " ".join(str(value) for value in vars(row).values())

    assert drawn.code.proof not in kept
    assert drawn.secret not in kept
    assert "E0047" not in (tmp_path / "state" / "people.db").read_bytes().decode("latin-1")


def test_another_box_needs_another_job(office: Office, tmp_path: Path) -> None:
    job = office.job()
    let_in(office, tmp_path, job)
    with pytest.raises(PeopleError, match="make a new one"):
        office.code(job)

    office.desk.revoke("a-board", job)
    second = let_in(office, tmp_path / "second", office.job())

    assert second.gateway == "gw-01"
    assert office.valid() == 1
    with office.people.reading() as book:
        assert len(revoked(book)) == 1


def test_of_two_boxes_with_two_codes_only_the_last_is_let_in(
    office: Office, tmp_path: Path
) -> None:
    job = office.job(approved=False)
    office.desk.show(office.code(job).code, TICKET, csr(tmp_path, "first"))
    office.desk.show(office.code(job).code, OTHER_TICKET, csr(tmp_path, "second"))
    with office.people.writing() as book:
        judge_job(book, "a-board", job, approved=True)

    assert office.desk.look(TICKET) is None
    assert isinstance(office.desk.look(OTHER_TICKET), Let)
    assert office.valid() == 1


def test_ending_a_job_takes_its_certificates_back(office: Office, tmp_path: Path) -> None:
    job, identity = office.job(), Identity(tmp_path / "box")
    office.desk.show(office.code(job).code, TICKET, identity.csr())
    let = office.desk.look(TICKET)
    assert isinstance(let, Let)
    identity.install(let.chain.encode(), let.roots.encode())

    office.desk.revoke("a-board", job)

    assert office.valid() == 0
    assert office.desk.look(TICKET) is JobState.ENDED
    message = identity.signed("renew", {"csr": identity.csr().decode()}, NOON_S)
    with pytest.raises(DeniedError, match="enrol this gateway anew"):
        office.desk.renew("gw-01", message)


def test_a_certificate_is_renewed_by_the_one_in_force_once_per_message(
    office: Office, tmp_path: Path
) -> None:
    identity = let_in(office, tmp_path)
    office.clock.advance(250 * 86_400)
    now_s = int(office.clock.now_s())
    message = identity.signed("renew", {"csr": identity.csr().decode()}, now_s)

    chain, roots = office.desk.renew("gw-01", message)
    identity.install(chain.encode(), roots.encode())

    found = identity.certificate()
    assert found is not None
    assert found.not_valid_after_utc.timestamp() == now_s + 365 * 86_400
    with pytest.raises(DeniedError, match="taken before"):
        office.desk.renew("gw-01", message)
    assert office.valid() == 2


@pytest.mark.parametrize("off_s", [-301, 301])
def test_a_renewal_far_from_our_clock_is_refused(
    office: Office, tmp_path: Path, off_s: int
) -> None:
    identity = let_in(office, tmp_path)
    body = {"csr": identity.csr().decode()}

    with pytest.raises(DeniedError, match="off our clock"):
        office.desk.renew("gw-01", identity.signed("renew", dict(body), NOON_S + off_s))


def test_a_certificate_that_ran_out_renews_nothing(office: Office, tmp_path: Path) -> None:
    identity = let_in(office, tmp_path)
    office.clock.advance(366 * 86_400)
    now_s = int(office.clock.now_s())
    message = identity.signed("renew", {"csr": identity.csr().decode()}, now_s)

    with pytest.raises(DeniedError, match="enrol this gateway anew"):
        office.desk.renew("gw-01", message)


def test_a_message_for_one_thing_serves_for_nothing_else(office: Office, tmp_path: Path) -> None:
    identity = let_in(office, tmp_path)
    message = identity.signed("handover", {"csr": identity.csr().decode()}, NOON_S)
    changed = dict(message) | {"payload": message["protected"]}

    for sent in (message, changed, {}, {"protected": "%"}):
        with pytest.raises((DeniedError, ContractError)):
            office.desk.renew("gw-01", sent)
    with pytest.raises(DeniedError):
        office.desk.renew("gw-02", message)


def test_a_handover_is_kept_once_as_it_was_signed(office: Office, tmp_path: Path) -> None:
    identity = let_in(office, tmp_path)
    message = identity.signed("handover", {"crc_percent": 99.5, "name": "Gerda"}, NOON_S)

    first, again = (office.desk.hand_over("gw-01", message) for _ in range(2))

    assert first == again
    with pytest.raises(DeniedError):
        office.desk.hand_over("gw-01", dict(message) | {"payload": "e30"})


@pytest.mark.parametrize(
    "request_text", [b"", b"nothing", b"-----BEGIN CERTIFICATE REQUEST-----\n", b"x" * 5_000]
)
def test_what_is_no_request_is_refused(office: Office, request_text: bytes) -> None:
    drawn = office.code(office.job())

    with pytest.raises(RequestRefusedError):
        office.desk.show(drawn.code, TICKET, request_text)


@pytest.mark.parametrize(
    "text", ["", "7K2M", "7K2M-9QX", "7K2M-9QXO", "7K2M-9QXF-1", "https://x/i/7#"]
)
def test_what_is_no_code_is_refused_before_it_is_sent(text: str) -> None:
    with pytest.raises(InputError, match="claim code"):
        read_code(text)


def test_a_code_is_read_as_people_type_it() -> None:
    assert read_code(" 7k2m 9qxf ") == Code("7K2M", "9QXF")


def let_in(office: Office, folder: Path, job: int | None = None) -> Identity:
    """Return a box that was let in as gw-01."""
    identity, number = Identity(folder / "box"), job or office.job()
    ticket = f"{number:024}"
    office.desk.show(office.code(number).code, ticket, identity.csr())
    let = office.desk.look(ticket)
    assert isinstance(let, Let)
    identity.install(let.chain.encode(), let.roots.encode())
    return identity
