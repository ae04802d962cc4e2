"""Somebody hostile in the house: old sessions, other people's pages, floods and forged names."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from api import live
from api.people.accounts import SYSTEM, end_account
from api.people.cards import card_for_home
from api.people.companions import companions, end_companion, invite
from api.people.sessions import end_sessions, hash_of, session_of
from api.people.tables import AccountRow, SessionRow
from api.people.tokens import Purpose, drawn_token, keep_token
from api.routes import stream
from tests.api.conftest import log_in, served
from tests.api.cooperative.stages import Stage
from tests.api.cooperative.street import HOMES, ean_of
from tests.api.doors import EMAIL, PASSWORD, Door, code_in, door_of
from tests.api.matrix import MEETS, Who, need_of
from tests.api.street import street
from tests.api.town import Town, Towns

FAR = ("-1", "0", "99999999999999999999", "1e9", "\u0663", "NaN", "0001-01-01", "9999-12-31")
ODD = (
    "2026-02-30",
    "2026-13",
    "\x00",
    "1 OR 1=1",
    "../..",
    "2026-10/1/1",
    "\ud83d".encode("utf-8", "surrogatepass").decode("latin1"),
    "%s%n",
    "A" * 2_000,
)


@pytest.fixture(scope="module")
def place(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with door_of(towns, tmp_path_factory.mktemp("abuse"), Stage.CLOSED) as opened:
        yield opened


@pytest.fixture
def door(place: Door) -> Door:
    place.later()
    return place


def routes(town: Town, method: str) -> list[APIRoute]:
    return [
        each
        for each in town.app.routes
        if isinstance(each, APIRoute) and method in (each.methods or ())
    ]


def test_another_persons_fingerprint_of_a_page_brings_ones_own_page(door: Door) -> None:
    first, second = (door.browser(door.town.resident(home)) for home in ("home-1", "home-2"))

    mine = first.get("/afrekening")
    theirs = second.get("/afrekening", headers={"If-None-Match": mine.headers["etag"]})

    assert theirs.status_code == 200
    assert theirs.headers["etag"] != mine.headers["etag"]


def test_nobody_between_keeps_a_page_of_somebody(door: Door) -> None:
    town, wrong = door.town, []
    resident = door.browser(town.resident())
    for route in routes(town, "GET"):
        if "{" in route.path or Who.RESIDENT not in MEETS[need_of(route)] or "stream" in route.path:
            continue
        kept = resident.get(route.path).headers.get("cache-control", "")
        if not route.path.startswith("/static/") and "private" not in kept and "no-" not in kept:
            wrong.append(f"{route.path}: {kept}")

    assert wrong == []


def test_a_browser_forgets_its_pages_when_somebody_comes_or_goes(door: Door) -> None:
    code = card_for_home(door.town.house.people, "home-2", SYSTEM)
    browser = door.browser()

    came = browser.post("/inloggen", data={"code": code})
    went = browser.post("/uitloggen")

    assert came.status_code == went.status_code == 303
    assert came.headers["clear-site-data"] == went.headers["clear-site-data"] == '"cache"'


def test_the_worker_forgets_the_last_pages_at_every_door(door: Door) -> None:
    worker = door.browser().get("/sw.js").text
    found = re.search(r"const DOORS = /(.*)/;", worker)
    assert found is not None
    doors = re.compile(found[1])
    modules = Path(str(files("api.routes"))).rglob("*.py")
    opening = [each for each in modules if re.search(r"\.let_(in|out)\(", each.read_text())]

    posts = [
        path
        for module in opening
        for path in re.findall(r'@app\.post\(\s*"([^"]+)"', module.read_text())
        if re.match(r"/(inloggen|uitloggen|meekijken|bevestig|begin|api)", path)
    ]

    assert len(posts) >= 9
    assert [path for path in posts if doors.match(path) is None] == []
    assert '"/inloggen/dienst/terug"' in worker


def test_a_stream_ends_with_its_session_or_its_helpers_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "AGAIN_S", 0.0)
    monkeypatch.setattr(live, "AT_LEAST_EVERY_S", 0.2)
    with street(tmp_path) as made, served(made) as resident:
        people, heard = made.house.people, []
        log_in(made, resident, "huis-02")
        with people.writing() as desk:
            account = desk.session.get_one(
                SessionRow, hash_of(resident.cookies["kwartier"])
            ).account
            code = invite(desk, account, account, "huis-02", "de buurvrouw")
            link = companions(desk, account)[0].id
        with httpx.Client(base_url=resident.base_url, timeout=30) as helper:
            helper.headers["Origin"] = made.house.public_url
            assert helper.post("/meekijken", data={"code": code}).status_code == 303
            for browser in (helper, resident):
                with browser.stream("GET", "/api/v1/stream") as reply:
                    parts = reply.iter_text()
                    heard.append(next(part for part in parts if "own" in part))
                    with people.writing() as desk:
                        if browser is helper:
                            end_companion(desk, account, account, link)
                        else:
                            end_sessions(desk, account)
                    heard.append("".join(parts))

    assert ['"own":{' in each.replace(" ", "") for each in heard] == [True, False, True, False]


def test_a_request_that_brings_too_much_is_refused_before_it_is_read(door: Door) -> None:
    browser = door.browser()

    said = browser.post("/api/v1/passkeys/show", content=b"[" * 70_000)
    dripped = browser.post("/api/v1/passkeys/show", content=(b"[" * 9_000 for _ in range(20)))
    odd = browser.post("/inloggen", headers={"Content-Length": "0"}, content=b"")

    assert said.status_code == dripped.status_code == 413
    assert said.headers["content-type"] == "application/problem+json"
    assert "default-src 'none'" in said.headers["content-security-policy"]
    assert odd.status_code == 422


def test_a_forged_host_stands_in_no_letter_and_on_no_page(door: Door) -> None:
    door.person("Gerda", email=EMAIL)
    evil = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "host=evil.example",
    }

    sent = door.browser().post("/inloggen/mail", data={"email": EMAIL}, headers=evil)
    page = door.browser().get("/inloggen", headers=evil)

    assert sent.status_code == 303
    assert f"{door.town.house.public_url}/inloggen/code?code=" in door.letters.newest().text
    assert "evil.example" not in door.letters.newest().text + page.text + str(sent.headers)


def test_a_code_opens_only_what_it_is_for(door: Door) -> None:
    account = door.person("Gerda")
    people, codes = door.town.house.people, {}
    for purpose in Purpose:
        codes[purpose] = drawn_token()
        with people.writing() as desk:
            facts = {"email": EMAIL, "login": "gerda"}
            keep_token(desk, codes[purpose], purpose, 900, account=account, facts=facts)
    opened = set()

    for purpose, code in codes.items():
        letter = door.browser().post("/inloggen/code", data={"code": code})
        if letter.status_code == 303:
            opened.add(purpose)
        begun = door.browser().post(
            "/begin", data={"code": code, "name": "x", "login": "hostile", "password": PASSWORD}
        )
        assert begun.status_code in {404, 422, 429, 403} or purpose is Purpose.BEGIN, purpose

    assert opened <= {Purpose.MAIL, Purpose.INVITE, Purpose.EMAIL}


def test_a_letter_that_eight_use_at_once_lets_one_in(door: Door) -> None:
    account = door.person("Gerda", email="race@voorbeeld.nl")
    door.browser().post("/inloggen/mail", data={"email": "race@voorbeeld.nl"})
    code = code_in(door.letters.newest().text)
    statuses: list[int] = []
    browsers = [door.browser() for _ in range(8)]

    def use(browser: httpx.Client) -> None:
        statuses.append(browser.post("/inloggen/code", data={"code": code}).status_code)

    threads = [threading.Thread(target=use, args=(browser,)) for browser in browsers]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert statuses.count(303) == 1, statuses
    assert account


def test_a_session_that_somebody_else_chose_is_never_taken_over(door: Door) -> None:
    code = card_for_home(door.town.house.people, "home-4", SYSTEM)
    browser = door.browser("a" * 43)

    browser.cookies.set("kwartier", "a" * 43)
    came = browser.post("/inloggen", data={"code": code})

    assert session_of(door.town.house.people, "a" * 43) is None
    assert "kwartier=" in came.headers["set-cookie"]
    assert "a" * 43 not in came.headers["set-cookie"]


def test_an_ended_account_grant_or_officer_is_out_at_the_next_request(door: Door) -> None:
    town = door.town
    installer, board = town.installer("home-1"), town.officer("board")
    people = town.house.people
    with people.reading() as desk:
        fitter = desk.session.get_one(SessionRow, hash_of(installer)).account
        officer = desk.session.get_one(SessionRow, hash_of(board)).account
    before = [
        door.browser(session).get(path).status_code
        for session, path in ((installer, "/api/v1/work"), (board, "/bestuur"))
    ]

    with people.writing() as desk:
        end_account(desk, SYSTEM, fitter)
        desk.session.get_one(AccountRow, officer).officer = "nobody-in-the-books"
    after = [
        door.browser(session).get(path).status_code
        for session, path in ((installer, "/api/v1/work"), (board, "/bestuur"))
    ]
    with people.writing() as desk:
        desk.session.get_one(AccountRow, officer).officer = "board"

    assert before == [200, 200]
    assert after[0] in {303, 401}
    assert after[1] == 403


def test_hidden_letters_never_get_into_what_people_write(door: Door) -> None:
    browser = door.browser(door.town.resident())
    written = "wie\u202e \u2066is\u2069 \x1b[31mdit\x00?"

    browser.post("/afrekening/vraag", data={"place": "2026-10/1", "text": written})
    browser.post("/mijn/naam", data={"name": written})

    for path in ("/hulp", "/mijn"):
        text = browser.get(path).text
        assert not set("\u202e\u2066\u2069\x1b\x00") & set(text), path


@pytest.mark.parametrize("who", [Who.RESIDENT, Who.TREASURER])
def test_numbers_and_days_from_far_away_break_no_page(door: Door, who: Who) -> None:
    town, wrong, at = door.town, [], 0
    session = town.resident() if who is Who.RESIDENT else town.officer("treasurer")
    browser = door.browser(session)
    for route in routes(town, "GET"):
        if who not in MEETS[need_of(route)] or route.path in {"/metrics", "/api/v1/stream"}:
            continue
        names = [each.alias for each in route.dependant.query_params]
        for _ in range(3 if names or route.dependant.path_params else 0):
            at += 1
            value = (*FAR, *ODD)[at % len((*FAR, *ODD))]
            path = route.path
            for part in route.dependant.path_params:
                fine = {"month": "2026-10", "version": "1", "line": "1", "party": "lid-1"}
                odd = value.replace("/", "%2F").replace("\x00", "%00").replace("%s", "%25")[:200]
                path = path.replace(f"{{{part.name}}}", fine.get(part.name, odd) if at % 2 else odd)
            reply = browser.get(path, params=dict.fromkeys(names, value))
            if reply.status_code >= 500 and reply.status_code != 503:
                wrong.append(f"{path[:120]} {names} {value[:30]!r}: {reply.status_code}")

    assert wrong == []


def test_what_a_watcher_reads_names_nobody(door: Door) -> None:
    browser = door.browser()
    browser.get("/api/v1/homes/home-3/quarters")
    browser.get("/home-3-was-here")

    told = browser.get("/metrics").text + browser.get("/readyz").text + browser.get("/healthz").text

    assert [home for home in HOMES if home in told] == []
    assert "lid-" not in told
    assert "home-3-was-here" not in told


def test_a_day_in_the_house_leaves_no_name_number_or_secret_in_the_log(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpcore", "httpx", "asyncio", "hpack"):
        logging.getLogger(name).setLevel(logging.WARNING)
    town = door.town
    code = card_for_home(town.house.people, "home-1", SYSTEM)
    account = door.person("Willemijn", email="willemijn@voorbeeld.nl", password=PASSWORD)
    resident, keeper = door.browser(), door.browser(town.officer("treasurer"))
    resident.post("/inloggen", data={"code": code})
    session = resident.cookies["kwartier"]
    for path in ("/", "/overzicht", "/afrekening/2026-10/1/1", "/hulp", "/mijn", "/api/v1/now"):
        resident.get(path)
    resident.post("/afrekening/vraag", data={"place": "2026-10/1", "text": "geheimzinnig"})
    door.browser().post("/inloggen/wachtwoord", data={"login": "Willemijn", "password": "fout"})
    door.browser().post("/inloggen/mail", data={"email": "willemijn@voorbeeld.nl"})
    letter = code_in(door.letters.newest().text)
    for path in ("/bestuur", "/bestuur/leden/lid-1", "/accounts", "/bestuur/logboek", "/ops"):
        keeper.get(path)
    keeper.post("/bestuur/leden/lid-1/rekening", data={"iban": "NL91ABNA0417164300"})

    said = "\n".join(f"{each.name} {each.getMessage()} {each.args}" for each in caplog.records)

    secrets = (code, session, letter, PASSWORD, "Willemijn", "willemijn@", "geheimzinnig")
    people = ("Bewoner", "NL91ABNA", *(ean_of(number) for number in range(1, 9)))
    assert [each for each in (*secrets, *people) if each in said] == []
    assert account


def test_nobody_learns_by_the_clock_of_our_answers_whether_a_name_exists(door: Door) -> None:
    door.person("klok-klok", password=PASSWORD)
    took: dict[str, list[float]] = {"klok-klok": [], "niemand-hier": []}

    for _ in range(3):
        for name, times in took.items():
            reply = door.browser().post(
                "/inloggen/wachtwoord", data={"login": name, "password": "fout fout fout"}
            )
            assert reply.status_code == 422
            times.append(reply.elapsed.total_seconds())

    known, unknown = (min(times) for times in took.values())
    assert 0.5 < known / unknown < 2, (known, unknown)
