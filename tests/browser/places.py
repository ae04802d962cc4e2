"""Towns at addresses of their own, furnished so that no page of them stands empty."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx

from api.app import create_app
from api.cooperative.database import Books
from api.cooperative.readings import DayValues
from api.cooperative.registry import propose_new_secret
from api.enrolment.claims import draw
from api.enrolment.jobs import ask_job, judge_job
from api.mail import Mail
from api.people.accounts import account_of_party
from api.people.companions import companions, invite
from api.people.privacy import erase_account
from api.people.questions import ask
from api.people.sessions import hash_of
from api.people.tables import SessionRow
from api.server import WebServer, open_port, port_of
from gateway.enrol.identity import Identity
from tests.api.blocked_town import computed_in_silence
from tests.api.cooperative.stages import BOARD, Stage
from tests.api.cooperative.street import NOVEMBER_S, readings
from tests.api.enrolling import authority, desk_of, known_box
from tests.api.matrix import Values, Who, session_of
from tests.api.past import summed
from tests.api.test_handover_paper import record
from tests.api.town import Town, Towns


@dataclass(slots=True)
class Letterbox:
    """Keeps the letters that were sent."""

    letters: list[Mail] = field(default_factory=list)

    def send(self, mail: Mail) -> str:
        """Keep a letter and return its name."""
        self.letters.append(mail)
        return f"<{len(self.letters)}@house>"


@dataclass(frozen=True, slots=True)
class Place:
    """A town that is served.

    Attributes:
        town: The town.
        address: Where a browser finds it.
        letterbox: What it sent.
    """

    town: Town
    address: str
    letterbox: Letterbox
    _sessions: dict[Who, str | None] = field(default_factory=dict)

    def session(self, who: Who) -> str | None:
        """Return somebody's session, the same one each time; None for the public."""
        if who is Who.RESIDENT:
            # A helper comes with a new card of the same home, which ends what an old one opened.
            self.session(Who.HELPER)
        if who not in self._sessions:
            self._sessions[who] = session_of(self.town, who)
        return self._sessions[who]

    def fetch(self, path: str, who: Who, language: str = "nl") -> httpx.Response:
        """Return what somebody's browser would get first."""
        session = self.session(who)
        cookies = {} if session is None else {"kwartier": session}
        headers = {"Accept-Language": language}
        return httpx.get(self.address + path, headers=headers, cookies=cookies, timeout=60)

    def send(self, path: str, who: Who, form: dict[str, str]) -> str:
        """Send a form as somebody and return where it leads."""
        session = self.session(who)
        assert session is not None
        reply = httpx.post(
            self.address + path,
            data=form,
            headers={"Origin": self.address},
            cookies={"kwartier": session},
            timeout=60,
        )
        assert reply.status_code == 303, reply.text[:500]
        return str(reply.headers["location"])


@contextmanager
def place(
    towns: Towns,
    folder: Path,
    stage: Stage,
    *,
    now_s: int = NOVEMBER_S,
    then: Callable[[Books], None] | None = None,
    days: list[DayValues] | None = None,
    host: str = "127.0.0.1",
) -> Iterator[Place]:
    """Yield a town that is served.

    Args:
        towns: Where towns come from.
        folder: Where its files go.
        stage: How far October is settled.
        now_s: What time it is [s].
        then: What was done in the books after that.
        days: What was read before today; the books' own October when None.
        host: The name by which it is found; passkeys are made for ``localhost`` only.
    """
    port = open_port("127.0.0.1", 0)
    address = f"http://{host}:{port_of(port)}"
    letterbox = Letterbox()
    past = tuple(readings() if days is None else days)
    made = towns.at(stage, folder, public_url=address, now_s=now_s, then=then, past=past)
    with made as town:
        name = "" if then is None else then.__name__
        overview = summed(towns, town, folder, (stage, name, now_s, past))
        house = replace(town.house, mailer=letterbox)
        ca = authority(folder, datetime.fromtimestamp(now_s - 3600, UTC))
        enrolment = desk_of(house.people, town.clock, ca)
        house = replace(house, overview=overview, enrolment=enrolment)
        app = create_app(house)
        server = WebServer(app, "127.0.0.1", 0, opened=port)
        server.start()
        yield Place(replace(town, house=house, app=app), address, letterbox)
        house.live.close()
        server.stop()
        overview.close()


def silent_month(books: Books) -> None:
    """Compute October with two homes that were not read for days: two blockers."""
    computed_in_silence(books)


def secret_asked(books: Books) -> None:
    """Let the board ask for a new secret of its treasurer: a proposal that waits."""
    with books.desk(BOARD) as desk:
        propose_new_secret(desk, "treasurer")


TARIFF = {
    "name": "tarief-2027",
    "decision": "2026-02",
    "from": "2027-01-01",
    "buy": "0,17",
    "sell": "0,12",
    "levy": "0,01",
    "grid_sell": "0",
    "fee_per_month": "3,00",
    "reference": "0,10",
    "vat_code": "high",
    "against": "then",
}
"""A tariff that the board would like."""


def furnish(at: Place) -> dict[str, Values]:
    """Let everybody do something, and return what each part of a path may name here."""
    people = at.town.house.people
    resident = at.session(Who.RESIDENT)
    assert resident is not None
    with people.writing() as desk:
        account = desk.session.get_one(SessionRow, hash_of(resident)).account
        asked = ask(desk, account, "lid-1", "2026-10/1", "Klopt deze regel wel?")
        invite(desk, account, account, "home-1", "mijn dochter")
        companion = companions(desk, account)[0].id
    at.town.resident("home-7")
    with people.writing() as desk:
        leaving = account_of_party(desk, "lid-7")
        assert leaving is not None
        erase_account(desk, leaving)
    job, mark = _boxes(at)
    tried = _try(at, TARIFF)
    wanted = _try(at, TARIFF | {"name": "tarief-2028", "from": "2028-01-01"})
    page = at.fetch(wanted, Who.TREASURER).text
    seen = re.search(r'name="hash" value="([0-9a-f]{64})"', page)
    assert seen is not None
    led = at.send(wanted, Who.TREASURER, {"hash": seen[1]})
    proposal = urlsplit(led).path.rpartition("/")[2]
    return {
        "account": _same(account),
        "home": _same("home-1"),
        "party": _same("lid-1"),
        "month": _same("2026-10"),
        "version": _same("1"),
        "line": _same("2"),
        "day": _same("2026-10-25"),
        "kind": _same("csv"),
        "act": _same("goedkeuren"),
        "act@/bestuur/maanden/{month}/{act}": _same("verbeteren"),
        "key": _same(_finding(at)),
        "key@/bestuur/regels/proef/{key}": _same(tried.rpartition("/")[2]),
        "key@/bestuur/regels/proef/{key}/stop": _same(tried.rpartition("/")[2]),
        "name": _same("style.css"),
        "gateway": _same("gw-handed"),
        "job": _same(job),
        "mark": _same(mark),
        "token": _same("nothing"),
        "passkey": _same("0" * 64),
        "proposal": _same(proposal),
        "number": _same(proposal),
        "number@/hulp/meekijken/{number}/stop": _same(str(companion)),
        "number@/i/klussen/{job}/stap/{number}": _same("4"),
        "number@/afrekening/vraag/{number}": _same(str(asked.number)),
    }


def _boxes(at: Place) -> tuple[str, str]:
    """Plan gateways, let one in and hand its home over; return a job that waits, and its mark."""
    people, office = at.town.house.people, at.town.house.enrolment
    assert office is not None
    with TemporaryDirectory() as folder:
        box = known_box(office, people, Path(folder), "gw-handed")
        told = record() | {"home": {"gateway": "gw-handed", "coop": "street", "address": "Laan 1"}}
        office.hand_over(box.gateway, box.signed("handover", told, int(people.clock.now_s())))
        waiting = Identity(Path(folder) / "waiting")
        with people.writing() as desk:
            refused = ask_job(desk, "a-operator", "gw-refused", "home-2")
            judge_job(desk, "a-board", refused, approved=False)
            job = ask_job(desk, "a-operator", "gw-asked", "home-1", address="Laan 1", steering=True)
            drawn = draw(desk, "a-installer", job)
        office.show(drawn.code, "t" * 24, waiting.csr())
    return str(job), drawn.code.mark


def _try(at: Place, form: dict[str, str]) -> str:
    """Return the address of a replay that is over."""
    path = at.send("/bestuur/regels/tarief", Who.TREASURER, form)
    while "Refresh" in at.fetch(path, Who.TREASURER).headers:
        pass
    return path


def _finding(at: Place) -> str:
    """Return the key of a finding of the run."""
    page = at.fetch("/bestuur/runs/2026-10/1", Who.TREASURER).text
    found = re.search(r"/bevinding/([^\"]+)", page)
    assert found is not None
    return found[1]


def _same(value: str) -> Values:
    return Values(value, None, value)
