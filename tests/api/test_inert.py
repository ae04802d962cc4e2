"""What people type stays words: on every page, in every file, in letters and in headers.

The fields are not listed by hand. They are read from the forms of the pages themselves, and from
what the handlers take out of a form; what no form reaches is written into the books.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from lxml import html

from api.people.accounts import SYSTEM, add_account
from api.people.companions import companions, invite
from api.people.questions import answer, ask
from api.people.sessions import hash_of
from api.people.sessions import session_of as still_open
from api.people.tables import CompanionRow, PasskeyRow, SessionRow
from tests.api.conftest import served
from tests.api.matrix import MEETS, Values, Who, Whose, need_of, paths_of, session_of
from tests.api.payloads import MARK, PAYLOADS, live_parts, marks_in
from tests.api.test_the_matrix import ENDLESS, PRINTS, known, routes_of, town
from tests.api.town import Town

__all__ = ["known", "town"]
TYPED = {"text", "search", "email", "password", "tel", "url", None}
"""Kinds of fields in which people type."""
WRITERS = (Who.PUBLIC, Who.RESIDENT, Who.TREASURER, Who.OPERATOR, Who.INSTALLER)
READERS = (Who.PUBLIC, Who.RESIDENT, Who.TREASURER, Who.INSTALLER)
NO_PAGES = ("/api/", "/static/", "/sw.js", "/openapi", "/healthz", "/readyz", "/metrics")
LAST = ("weg", "uitloggen", "stop", "einde", "overdragen", "overnemen", "lid")
"""Forms that take something away: they are sent when all others were."""
_READ = re.compile(r"""(?:sent|form|filled|typed)(?:\.get\(|\[)\s*f?["']([a-z_.]+)["']""")
"""How a handler takes a field out of a form."""


@dataclass(frozen=True, slots=True)
class Written:
    """A town in whose every field something bad was typed, and what its answers did with it."""

    town: Town
    client: httpx.Client
    values: Mapping[str, Values]
    wrong: list[str] = field(default_factory=list)
    sent: dict[str, set[str]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    home: list[str] = field(default_factory=list)

    def cookie(self, who: Who) -> dict[str, str]:
        """Return somebody's cookie: a resident's until a form closed it, as a card takes long."""
        if who is Who.RESIDENT:
            people = self.town.house.people
            if not self.home or still_open(people, self.home[-1]) is None:
                self.home.append(self.town.resident())
            session: str | None = self.home[-1]
        else:
            session = session_of(self.town, who)
        return {} if session is None else {"Cookie": f"kwartier={session}"}


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[httpx.Client]:
    with served(town) as found:
        limits = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(base_url=found.base_url, timeout=60, limits=limits) as made:
            yield made


@pytest.fixture(scope="module")
def written(town: Town, client: httpx.Client, known: Mapping[str, Values]) -> Written:
    """The town after everybody filled in every form with payloads."""
    made = Written(town, client, known)
    seed(town)
    turn = itertools.count()
    for who in (Who.PUBLIC, Who.RESIDENT, Who.TREASURER):
        for path, fields in forms_of(made, who):
            if path.endswith(PRINTS):
                continue  # nobody types anything there
            payload = PAYLOADS[next(turn) % len(PAYLOADS)]
            filled = {
                name: payload if is_typed else value for name, (value, is_typed) in fields.items()
            }
            send(made, who, path, filled)
    return made


def test_no_answer_to_a_form_does_what_was_typed_in_it(written: Written) -> None:
    assert written.wrong == []
    assert len(written.sent) >= 20, "forms with words in them were not found"


def test_no_page_does_what_people_typed(written: Written) -> None:
    seen, wrong = set(), []
    for who in READERS:
        for path, reply in pages(written, who):
            wrong += faults(path, reply)
            seen |= marks_in(reply.text)

    assert wrong == []
    assert len(seen) >= 30, f"only {sorted(seen)} were shown anywhere"


@pytest.mark.nightly
def test_a_form_may_hold_anything_in_every_field_it_reads(written: Written) -> None:
    names = sorted(field_names() | written.names)
    turn = itertools.count(7)
    for route in sorted(routes_of(written.town, "POST"), key=lambda one: one.path.endswith(LAST)):
        able = [who for who in reversed(WRITERS) if who in MEETS[need_of(route)]]
        path = own_path(route, written.values)
        for who in able[:1] if not path.startswith(("/api/", "/uitloggen")) else ():
            payload = PAYLOADS[next(turn) % len(PAYLOADS)][:100]
            for part in (names[:45], names[45:90], names[90:135]):
                send(written, who, path, dict.fromkeys(part, payload))

    assert written.wrong == []
    assert len(names) > 60


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_every_field_of_every_form_may_hold_each_payload(written: Written) -> None:
    for payload in PAYLOADS:
        for who in WRITERS:
            for path, fields in forms_of(written, who):
                if path.endswith(LAST):
                    continue
                filled = {
                    name: payload if is_typed else value
                    for name, (value, is_typed) in fields.items()
                }
                send(written, who, path, filled)
                send(written, who, path, dict.fromkeys(filled, payload))

    assert written.wrong == []


def test_no_question_in_an_address_does_anything(written: Written) -> None:
    wrong, turn = [], itertools.count(3)
    for route in routes_of(written.town, "GET"):
        able = [who for who in WRITERS if who in MEETS[need_of(route)]]
        for who in able[:1] if route.path not in {ENDLESS, "/metrics"} else ():
            payload = PAYLOADS[next(turn) % len(PAYLOADS)][:400]
            asked = {each.alias: payload for each in route.dependant.query_params}
            asked |= dict.fromkeys(("verder", "klaar", "lang", "huis", "dienst", "code"), payload)
            path = own_path(route, written.values)
            reply = written.client.get(path, params=asked, headers=written.cookie(who))
            wrong += faults(f"{path} {asked}", reply)

    assert wrong == []


def seed(town: Town) -> None:
    """Write payloads where no form of ours brings them."""
    people = town.house.people
    with people.writing() as desk:
        account = desk.session.get_one(SessionRow, hash_of(town.resident())).account
        for at, payload in enumerate(PAYLOADS):
            add_account(desk, SYSTEM, name=payload[:80])
            asked = ask(desk, account, "lid-1", "2026-10/1", payload[:500] or "?")
            answer(desk, SYSTEM, asked.number, payload[:500])
            desk.session.add(
                PasskeyRow(
                    id=f"{at:064}",
                    credential=bytes([at]),
                    account=account,
                    public_key=b"",
                    sign_count=0,
                    label=desk.keys.seal(payload[:60]),
                    made_at_s=desk.at_s,
                    used_at_s=None,
                )
            )
        for each in companions(desk, account):
            row = desk.session.get_one(CompanionRow, each.id)
            row.name = desk.keys.seal(PAYLOADS[each.id % len(PAYLOADS)])
        invite(desk, account, account, "home-1", PAYLOADS[0][:60])


def forms_of(place: Written, who: Who) -> Iterator[tuple[str, dict[str, tuple[str, bool]]]]:
    """Yield the forms that somebody's pages hold: where they go, and each field's value.

    A field comes with whether people type in it.
    """
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    for path, reply in pages(place, who):
        for form in html.document_fromstring(reply.text).iter("form"):
            if form.get("method", "").upper() != "POST":
                continue
            fields = {
                str(each.get("name")): (
                    str(each.get("value") or _first_choice(each) or ""),
                    each.tag == "textarea" or (each.tag == "input" and each.get("type") in TYPED),
                )
                for each in form.iter("input", "textarea", "select")
                if each.get("name")
            }
            found.setdefault(str(form.get("action") or path).partition("?")[0], fields)
    yield from sorted(found.items(), key=lambda one: one[0].endswith(LAST))


def _first_choice(field: html.HtmlElement) -> str | None:
    options = [each.get("value", "") for each in field.iter("option")]
    return next(filter(None, options), None)


def pages(place: Written, who: Who) -> Iterator[tuple[str, httpx.Response]]:
    """Yield every page that somebody may read, of their own things."""
    headers = place.cookie(who)
    for route in routes_of(place.town, "GET"):
        path = own_path(route, place.values)
        if who not in MEETS[need_of(route)] or path.startswith(NO_PAGES) or path in place.files:
            continue
        reply = place.client.get(path, headers=headers)
        if "html" in reply.headers.get("content-type", ""):
            yield path, reply
        elif reply.status_code == 200:
            place.files.add(path)


def own_path(route: APIRoute, values: Mapping[str, Values]) -> str:
    return next(path for whose, path in paths_of(route, values) if whose is Whose.OWN)


def send(place: Written, who: Who, path: str, filled: Mapping[str, str]) -> None:
    """Send a form, and remember what its answer does wrong."""
    headers = place.cookie(who) | {"Origin": place.town.house.public_url}
    reply = place.client.post(path, data=dict(filled), headers=headers)
    place.names.update(filled)
    for value in filled.values():
        if MARK in value:
            place.sent.setdefault(path, set()).update(marks_in(value))
    place.wrong.extend(faults(f"POST {path} {str(filled)[:300]}", reply))


def faults(what: str, reply: httpx.Response) -> list[str]:
    """Return what an answer does that it should not."""
    found = [f"{what} fails with {reply.status_code}"] if reply.status_code >= 500 else []
    kind = reply.headers.get("content-type", "")
    for name in ("location", "refresh"):
        where = reply.headers.get(name, "/").rpartition("url=")[2]
        if not re.match(r"(/(?![/\\])|\d+$)", where) or not where.isprintable():
            found.append(f"{what} leads to {where}")
    if "bcc" in reply.headers or "default-src 'none'" not in reply.headers.get(
        "content-security-policy", ""
    ):
        found.append(f"{what} answers with other headers: {dict(reply.headers)}")
    if reply.headers.get("x-content-type-options") != "nosniff":
        found.append(f"{what} may be taken for another kind")
    if "html" in kind and reply.text:
        found += [f"{what}: {fault}" for fault in live_parts(reply.text)]
    return found


def field_names() -> set[str]:
    """Return every name that a handler takes out of a form."""
    folders = [Path(str(files("api") / name)) for name in ("routes", "pages")]
    texts = [each.read_text() for folder in folders for each in folder.rglob("*.py")]
    return {name for text in texts for name in _READ.findall(text)}
