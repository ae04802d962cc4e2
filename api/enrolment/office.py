"""The desk at which gateways are let in and put out: book, authority and broker together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography import x509
from sqlalchemy import select

from api.enrolment.authority import RequestRefusedError, Signer, key_of
from api.enrolment.ca_folder import ISSUING, ROOT, pem, read_certificate, read_older, read_signer
from api.enrolment.certificates import give, in_force, key_in, revoked, take_back
from api.enrolment.claims import GATEWAY, KEPT_S, Shown, claim_of_mark, claim_of_ticket, show
from api.enrolment.cutting import tell_to_read, write_list
from api.enrolment.jobs import LIVE, Job, JobState, end_job, job_of
from api.enrolment.settings import EnrolmentSettings
from api.enrolment.signed_requests import WINDOW_S, keep_handover, once, read_signed
from api.people.acts import record
from api.people.book import PeopleBook, PeopleDesk
from api.people.errors import DeniedError
from api.people.tables import CertificateRow
from gateway.enrol.code import Code
from gateway.enrol.identity import Enrolled
from gateway.enrol.office import HANDOVER, RENEW
from kwartier.clock import Clock
from kwartier.errors import ContractError
from kwartier.identity import CoopId, GatewayId
from kwartier.wire import Json

ANEW_S = 86_400
"""How often the list is written anew even when nothing changed: it runs out [s]."""
AGAIN_S = 300
"""How long after it was revoked a gateway's connection is cut again and again [s]."""
OWNER_WORDS = (
    "Dit kastje leest uw slimme meter en uw zonnepanelen. U ziet uw kwartierwaarden. Het bestuur "
    "ziet ze alleen met een reden, en u leest terug wie keek. De coöperatie gebruikt ze om stroom "
    "te verdelen en af te rekenen. U kunt dit stoppen."
)


@dataclass(frozen=True, slots=True)
class Let:
    """What a gateway that is let in gets.

    Attributes:
        enrolled: What it is told.
        chain: Its certificate and the one that signed it, in PEM.
        roots: The root that vouches for the broker, in PEM.
    """

    enrolled: Enrolled
    chain: str
    roots: str


class Enrolment:
    """Lets gateways in and puts them out; safe to share between threads."""

    def __init__(
        self,
        settings: EnrolmentSettings,
        coop: CoopId,
        people: PeopleBook,
        clock: Clock,
        cut: Callable[[GatewayId], bool] | None = None,
    ) -> None:
        """Open the desk.

        Args:
            settings: Where the authority and the broker's files are.
            coop: Whose topics gateways get.
            people: The book.
            clock: What time it is.
            cut: Ends a gateway's living connection; None where nothing can.

        Raises:
            CaFolderError: The authority is away.
        """
        self.settings = settings
        self._coop, self._people, self._clock, self._cut = coop, people, clock, cut
        self._issuing: Signer = read_signer(settings.ca, ISSUING)
        self._older = read_older(settings.ca)
        self._root: x509.Certificate = read_certificate(settings.ca, ROOT)
        self._lock = threading.Lock()
        self._written: tuple[frozenset[int], float] = (frozenset(), float("-inf"))

    def show(self, code: Code, ticket: str, csr: bytes) -> Shown:
        """Return what comes of showing a code; a spoiled one puts out who had it before."""
        with self._people.writing() as desk:
            shown = show(desk, code, ticket, csr)
            if shown is Shown.SPOILED:
                self._put_out_spoiled(desk, code.mark)
        if shown is Shown.SPOILED:
            self.apply()
        return shown

    def look(self, ticket: str) -> Let | JobState | None:
        """Return what a gateway gets, or how its job stands; None for no claim of ours."""
        with self._people.reading() as desk:
            if claim_of_ticket(desk, ticket) is None:
                return None  # a stranger's guess keeps nobody from writing
        with self._people.writing() as desk:
            row = claim_of_ticket(desk, ticket)
            if row is None or row.spoiled or row.shown_at_s is None:
                return None
            job = job_of(desk, row.job)
            if job.state is not JobState.APPROVED:
                late = job.state is JobState.ASKED and desk.at_s - row.shown_at_s > KEPT_S
                return None if late else job.state
            known = [each for each in in_force(desk, job.gateway) if each.job == job.id]
            csr = row.csr.encode()
            key = x509.load_pem_x509_csr(csr).public_key()
            found = next((each.pem for each in known if key_in(each) == key), None)
            if found is None and known:
                return None  # another box was let in for this job
            new = found is None
            if found is None:
                found = pem(give(desk, self._issuing, job.id, job.gateway, csr)).decode()
        if new:
            self.apply()
        return Let(self._told(job), found + self._between(), self._roots())

    def renew(self, gateway: GatewayId, sent: Mapping[str, Json]) -> tuple[str, str]:
        """Return a new certificate with its chain, and the roots, for one in force.

        Raises:
            DeniedError: No certificate in force signed it, or not now.
            ContractError: It is no signed message.
            RequestRefusedError: The request is not one we sign, or for another key.
        """
        with self._people.reading() as desk:
            read_signed(desk, gateway, RENEW, sent)  # a stranger keeps nobody from writing
        with self._people.writing() as desk:
            told, row = read_signed(desk, gateway, RENEW, sent)
            once(desk, told)
            job = job_of(desk, row.job)
            csr = str(told.body.get("csr")).encode()
            if key_of(csr) != key_in(row):
                raise RequestRefusedError("'csr' is for another key: ask with the box's own")
            if job.state is not JobState.APPROVED:
                raise DeniedError("this gateway's job is over: enrol it anew")
            made = pem(give(desk, self._issuing, job.id, gateway, csr)).decode()
        return made + self._between(), self._roots()

    def hand_over(self, gateway: GatewayId, sent: Mapping[str, Json]) -> str:
        """Keep a signed handover, and return its hash.

        Raises:
            DeniedError: No certificate in force signed it, or it sent too many today.
            ContractError: It is no signed message, or tells of another gateway.
        """
        with self._people.reading() as desk:
            read_signed(desk, gateway, HANDOVER, sent)  # a stranger keeps nobody from writing
        with self._people.writing() as desk:
            told, row = read_signed(desk, gateway, HANDOVER, sent)
            home = told.body.get("home")
            if isinstance(home, dict) and home.get("gateway", gateway) not in ("", gateway):
                raise ContractError("this handover tells of another gateway than the one it is of")
            if told.at_s > desk.at_s + WINDOW_S:
                raise DeniedError("this handover is of the future: set the gateway's clock")
            job = job_of(desk, row.job)
            kept = keep_handover(desk, gateway, job.home, sent)
            if kept.at_s == desk.at_s:
                record(desk, GATEWAY, "handover.keep", gateway, {"hash": kept.hash})
            return kept.hash

    def revoke(self, by: str, number: int) -> bool:
        """End a job, take its gateway's certificates back and cut it off.

        Returns whether the broker knows; where it does not yet, ``KeepingUp`` tries again.

        Raises:
            UnknownError: There is no such job.
            PeopleError: It is over already.
        """
        with self._people.writing() as desk:
            gateway = job_of(desk, number).gateway
            end_job(desk, by, number)
            take_back(desk, by, gateway)
        return self.apply()

    def apply(self) -> bool:
        """Write the list when the book has others than it, and cut who was put out just now."""
        with self._people.reading() as desk:
            wanted, at_s = revoked(desk), desk.at_s
            fresh = self._put_out_lately(desk)
        serials = frozenset(each.serial for each in wanted)
        with self._lock:
            same = serials == self._written[0] and at_s - self._written[1] < ANEW_S
            if not same and self.settings.broker_folder is not None:
                issuers = [self._issuing, *self._older]
                write_list(self.settings.broker_folder, issuers, wanted, self._clock)
                if self.settings.pid_file is not None:
                    tell_to_read(self.settings.pid_file)
            self._written = (serials, self._written[1] if same else at_s)
        # All are cut, also when one is not reached.
        reached = [self._cut(gateway) for gateway in fresh] if self._cut else []
        return len(reached) == len(fresh) and all(reached)

    def _put_out_spoiled(self, desk: PeopleDesk, mark: str) -> None:
        row = claim_of_mark(desk, mark)
        job = None if row is None else job_of(desk, row.job)
        if job is not None and job.state in LIVE:
            end_job(desk, GATEWAY, job.id)
            take_back(desk, GATEWAY, job.gateway)

    def _put_out_lately(self, desk: PeopleDesk) -> list[GatewayId]:
        """Return the gateways without a certificate in force that had one until just now."""
        wanted = select(CertificateRow.gateway).where(
            CertificateRow.revoked_at_s > desk.at_s - AGAIN_S
        )
        out = sorted(set(desk.session.scalars(wanted)))
        return [gateway for gateway in out if not in_force(desk, gateway)]

    def _told(self, job: Job) -> Enrolled:
        return Enrolled(
            job.gateway,
            self._coop,
            self.settings.broker_url,
            job.address,
            job.home,
            job.meter,
            job.steering,
            self.settings.owner_words or OWNER_WORDS,
        )

    def _between(self) -> str:
        return pem(self._issuing.certificate).decode()

    def _roots(self) -> str:
        return pem(self._root).decode()
