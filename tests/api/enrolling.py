"""An authority, a broker that knows it, and a desk that lets gateways in."""

from __future__ import annotations

import getpass
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from api.broker import mosquitto_program
from api.enrolment.authority import Signer, certify_gateway
from api.enrolment.broker_files import CA_FILE, CONF_FILE, BrokerPlan, write_broker
from api.enrolment.ca_folder import ISSUING, init, pem, read_signer
from api.enrolment.claims import draw
from api.enrolment.cutting import take_over
from api.enrolment.jobs import ask_job, judge_job
from api.enrolment.office import Enrolment, Let
from api.enrolment.settings import EnrolmentSettings
from api.people.book import PeopleBook
from gateway.enrol.identity import Identity
from kwartier.broker import Broker, Tls
from kwartier.clock import Clock

COOP = "street"
PASSPHRASE = "vijf natte geiten"
WAIT_S = 60.0


def spare_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def authority(folder: Path, now: datetime) -> Path:
    """Return the folder of a new authority."""
    init(folder / "ca", "De Straat", PASSPHRASE, now)
    return folder / "ca"


def issuing_of(ca: Path) -> Signer:
    """Return what signs day by day."""
    return read_signer(ca, ISSUING)


def box(
    folder: Path, ca: Path, name: str, *, begin: datetime | None = None, days: int = 365
) -> Identity:
    """Return the identity of a gateway that has a certificate, without a claim."""
    identity, issuing = Identity(folder / name), issuing_of(ca)
    begun = begin or datetime.now(UTC)
    made = certify_gateway(issuing, identity.csr(), name, begun, days)
    identity.install(pem(made, issuing.certificate), (ca / "root.crt").read_bytes())
    return identity


def known_box(desk: Enrolment, people: PeopleBook, folder: Path, name: str) -> Identity:
    """Return a gateway that was let in by an approved job and a code, as the desk does it."""
    identity, ticket = Identity(folder / name), f"{name:-<24}"
    with people.writing() as book:
        job = ask_job(book, "a-operator", name, "home-1")
        judge_job(book, "a-board", job, approved=True)
        drawn = draw(book, "a-installer", job)
    desk.show(drawn.code, ticket, identity.csr())
    let = desk.look(ticket)
    assert isinstance(let, Let)
    identity.install(let.chain.encode(), let.roots.encode())
    return identity


@dataclass(slots=True)
class KnowingBroker:
    """A mosquitto that runs by the settings we write."""

    plan: BrokerPlan
    process: subprocess.Popen[bytes]

    @classmethod
    def started(cls, folder: Path, ca: Path) -> KnowingBroker:
        """Write its settings and start it on spare ports."""
        program = mosquitto_program()
        assert program is not None
        state = folder / "state"
        state.mkdir(parents=True)
        plan = BrokerPlan(
            COOP,
            folder / "broker",
            spare_port(),
            "127.0.0.1",
            spare_port(),
            state=state,
            user=getpass.getuser(),
        )
        write_broker(plan, ca, ["127.0.0.1"], datetime.now(UTC) - timedelta(minutes=1))
        log = (folder / "mosquitto.log").open("wb")
        with log:
            process = subprocess.Popen(
                [program, "-c", str(plan.folder / CONF_FILE)], stdout=log, stderr=log
            )
        made = cls(plan, process)
        (plan.folder / "mosquitto.pid").write_text(str(process.pid))
        made.wait()
        return made

    def wait(self) -> None:
        """Return once it takes connections."""
        end_s = time.monotonic() + WAIT_S
        while time.monotonic() < end_s:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.plan.services_port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("the broker does not take connections")

    def for_gateway(self, identity: Identity) -> Broker:
        """Return the broker as a gateway reaches it."""
        return Broker("127.0.0.1", self.plan.port, identity.tls())

    def for_service(self, name: str) -> Broker:
        """Return the broker as one of our own services reaches it."""
        folder = self.plan.folder
        tls = Tls(folder / CA_FILE, folder / f"{name}.crt", folder / f"{name}.key")
        return Broker("127.0.0.1", self.plan.services_port, tls)

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(WAIT_S)


def desk_of(
    people: PeopleBook, clock: Clock, ca: Path, broker: KnowingBroker | None = None
) -> Enrolment:
    """Return a desk; with a broker it cuts gateways off there."""
    folder = None if broker is None else broker.plan.folder
    settings = EnrolmentSettings(
        ca,
        "mqtts://127.0.0.1:8883",
        folder,
        None if folder is None else folder / "mosquitto.pid",
    )
    cut = None if broker is None else partial(take_over, broker.for_service("server"))
    return Enrolment(settings, COOP, people, clock, cut)
