"""How people come in: a card, a password, a letter; the second factor; and the way out."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import httpx
import pytest

from api.people.acts import first_broken
from api.people.sessions import (
    HALF_S,
    STRONG_IDLE_S,
    STRONG_LIMIT_S,
    open_session,
    session_of,
    visitor_of,
)
from api.people.visitor import ANYBODY, Role
from tests.api.doors import EMAIL, PASSWORD, Door, code_in, door_of
from tests.api.town import Towns


@pytest.fixture(scope="module")
def shared(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with door_of(towns, tmp_path_factory.mktemp("door")) as made:
        made.person("gerda", email=EMAIL, password=PASSWORD)
        yield made


@pytest.fixture
def door(shared: Door) -> Door:
    """The house an hour later, so that nobody has tried anything lately."""
    shared.later()
    return shared


def log_in(
    door: Door, name: str, password: str = PASSWORD, **more: str
) -> tuple[httpx.Client, httpx.Response]:
    browser = door.browser()
    sent = {"login": name, "password": password, **more}
    return browser, browser.post("/inloggen/wachtwoord", data=sent)


def test_opening_a_page_with_a_code_in_its_address_logs_nobody_in(door: Door) -> None:
    browser = door.browser()

    reply = browser.get("/inloggen?code=7K2M-AAAA-BBBB")

    assert reply.status_code == 200
    assert "set-cookie" not in reply.headers
    assert "AAAA" not in reply.text
    assert reply.headers["cache-control"] == "no-store"


def test_a_password_opens_a_session_and_every_login_a_new_one(door: Door) -> None:
    browser, first = log_in(door, "Gerda", verder="/overzicht")
    old = browser.cookies["kwartier"]
    browser.post("/inloggen/wachtwoord", data={"login": EMAIL, "password": PASSWORD})

    assert (first.status_code, first.headers["location"]) == (303, "/overzicht")
    assert browser.cookies["kwartier"] != old
    assert visitor_of(door.town.house.people, old) == ANYBODY


def test_nobody_learns_from_an_answer_whether_a_name_is_known(door: Door) -> None:
    _, known = log_in(door, "gerda", "zes blauwe fietsen")
    _, unknown = log_in(door, "gerba", "zes blauwe fietsen")

    assert known.status_code == unknown.status_code == 422
    assert known.text.replace("gerda", "gerba") == unknown.text


def test_the_sixth_wrong_code_waits_and_so_does_the_right_one_after_it(door: Door) -> None:
    account = door.person("sam")
    phone, _ = door.app(account)
    browser = door.browser(door.session(account))
    tried = [browser.post("/bevestig", data={"code": "000000"}).status_code for _ in range(5)]

    reply = browser.post("/bevestig", data={"code": door.digits(phone)})

    assert (tried, reply.status_code) == ([422] * 5, 429)
    assert int(reply.headers["retry-after"]) > 800


def test_a_letter_logs_in_once_and_only_by_its_button(door: Door) -> None:
    browser = door.browser()

    asked = browser.post("/inloggen/mail", data={"email": EMAIL.lower()})
    letter = door.letters.newest()
    code = code_in(letter.text)
    looked = [browser.get(f"/inloggen/code?code={code}") for _ in range(2)]
    used = browser.post("/inloggen/code", data={"code": code})
    again = door.browser().post("/inloggen/code", data={"code": code})

    assert asked.headers["location"] == "/inloggen?klaar=login.mail"
    assert [reply.status_code for reply in looked] == [200, 200]
    assert "set-cookie" not in looked[1].headers
    assert (used.status_code, again.status_code) == (303, 422)
    assert browser.get("/api/v1/me").json()["name"] == "gerda"


def test_an_address_that_nobody_has_gets_the_same_answer_and_no_letter(door: Door) -> None:
    browser = door.browser()

    known = browser.post("/inloggen/mail", data={"email": EMAIL})
    unknown = browser.post("/inloggen/mail", data={"email": "niemand@voorbeeld.nl"})

    door.letters.newest()
    assert [letter.to for letter in door.letters.sent] == [EMAIL]
    assert known.status_code == unknown.status_code == 303
    assert known.headers["location"] == unknown.headers["location"]


def test_a_letter_opens_nothing_after_a_quarter_of_an_hour(door: Door) -> None:
    browser = door.browser()
    browser.post("/inloggen/mail", data={"email": EMAIL})
    code = code_in(door.letters.newest().text)

    door.town.clock.advance(900)

    assert browser.post("/inloggen/code", data={"code": code}).status_code == 422


def test_the_second_factor_comes_before_anything_opens(door: Door) -> None:
    account = door.person("ilse", Role.OPERATOR, email="ilse@voorbeeld.nl")
    phone, _ = door.app(account)
    people, browser = door.town.house.people, door.browser()
    browser.post("/inloggen/mail", data={"email": "ilse@voorbeeld.nl"})
    code = code_in(door.letters.newest().text)

    reply = browser.post("/inloggen/code", data={"code": code, "verder": "/accounts"})
    half = browser.cookies["kwartier"]
    before = visitor_of(people, half), browser.get("/api/v1/me").status_code
    wrong = browser.post("/bevestig", data={"code": "000000"})
    right = browser.post("/bevestig", data={"code": door.digits(phone), "verder": "/accounts"})

    assert reply.headers["location"] == "/bevestig?verder=%2Faccounts"
    assert before == (ANYBODY, 401)
    assert (wrong.status_code, right.status_code) == (422, 303)
    assert right.headers["location"] == "/accounts"
    assert session_of(people, half) is None, "the id before the second factor still opens something"
    assert visitor_of(people, browser.cookies["kwartier"]).roles == {Role.OPERATOR}
    assert browser.get("/accounts").status_code == 200


def test_half_a_login_is_over_after_ten_minutes(door: Door) -> None:
    account = door.person("bas")
    phone, _ = door.app(account)
    with door.town.house.people.writing() as desk:
        browser = door.browser(open_session(desk, account, "password", half=True))
    soon = browser.get("/bevestig").status_code

    door.town.clock.advance(HALF_S + 1)

    assert soon == 200
    late = browser.post("/bevestig", data={"code": door.digits(phone)})
    assert late.headers["location"].startswith("/inloggen")


def test_the_digits_of_an_app_are_right_once_and_half_a_minute_around(door: Door) -> None:
    account = door.person("noor")
    phone, _ = door.app(account)
    browser = door.browser(door.session(account))

    def shown(steps: int) -> int:
        return browser.post("/bevestig", data={"code": door.digits(phone, steps)}).status_code

    assert shown(2) == 422
    assert shown(1) == 303
    assert shown(1) == 422
    assert shown(0) == 422, "an older step after a newer one"
    door.town.clock.advance(60)
    assert shown(0) == 303


def test_a_code_on_paper_stands_in_once_for_a_lost_phone(door: Door) -> None:
    account = door.person("jan")
    _, codes = door.app(account)
    browser = door.browser(door.session(account))

    replies = [
        browser.post("/bevestig", data={"recovery": codes[3].lower()}).status_code for _ in range(2)
    ]

    assert replies == [303, 422]
    assert browser.get("/api/v1/me").json()["recovery_codes"] == 9


def test_a_second_factor_rests_after_half_an_hour_and_ends_after_twelve(door: Door) -> None:
    account = door.person("ria", Role.OPERATOR)
    session, people, clock = door.session(account, strong=True), door.town.house.people, door.town

    clock.clock.advance(STRONG_IDLE_S + 1)
    assert visitor_of(people, session).roles == frozenset()

    session = door.session(account, strong=True)
    for _ in range(STRONG_LIMIT_S // 1_200):
        clock.clock.advance(1_200)
        assert visitor_of(people, session).roles == {Role.OPERATOR}
    clock.clock.advance(1_200)
    assert visitor_of(people, session).roles == frozenset()


def test_who_may_more_without_a_second_factor_is_led_to_make_one(door: Door) -> None:
    account = door.person("piet", Role.OPERATOR)
    browser = door.browser(door.session(account))

    led = browser.get("/accounts")
    page = browser.get(led.headers["location"])

    assert led.headers["location"] == "/bevestig?verder=%2Faccounts"
    assert 'href="/mijn/app"' in page.text


def test_a_card_never_makes_the_second_factor_of_who_may_more(door: Door) -> None:
    account = door.person("lot", Role.INSTALLER, home="home-2")
    browser = door.browser(door.session(account, "card"))

    tried = [browser.get("/mijn/app"), browser.post("/mijn/app", data={"code": "123456"})]
    tried.append(browser.post("/api/v1/passkeys/new"))

    assert [reply.status_code for reply in tried] == [403] * 3


def test_an_app_is_added_with_its_digits_and_the_other_sessions_end(door: Door) -> None:
    import pyotp

    account = door.person("kees", Role.OPERATOR)
    other, browser = door.session(account), door.browser(door.session(account))
    page = browser.get("/mijn/app")
    secret = page.text.partition('<p class="secret"><code>')[2].partition("<")[0].replace(" ", "")

    drawn = page.text.partition('name="drawn" value="')[2].partition('"')[0]

    wrong = browser.post("/mijn/app", data={"code": "12 34 56", "drawn": drawn})
    strange = browser.post("/mijn/app", data={"code": "123456", "drawn": "made up"})
    digits = door.digits(pyotp.TOTP(secret))
    right = browser.post("/mijn/app", data={"code": digits, "drawn": drawn})

    assert "<svg" in page.text
    assert (wrong.status_code, strange.status_code) == (422, 422)
    assert secret in wrong.text.replace(" ", ""), "another secret than the phone has by now"
    assert right.text.count("<code>") == 10
    assert right.headers["cache-control"] == "no-store"
    assert visitor_of(door.town.house.people, other) == ANYBODY
    assert browser.get("/accounts").status_code == 200


def test_a_factor_is_taken_away_only_by_who_just_showed_it(door: Door) -> None:
    account = door.person("mies")
    phone, _ = door.app(account)
    browser = door.browser(door.session(account))

    before = browser.post("/mijn/app/weg", headers={"Referer": f"{door.address}/mijn"})
    browser.post("/bevestig", data={"code": door.digits(phone)})
    after = browser.post("/mijn/app/weg")

    assert before.headers["location"] == "/bevestig?verder=%2Fmijn"
    assert after.headers["location"] == "/mijn?klaar=app.gone"
    me = browser.get("/api/v1/me").json()
    assert (me["app"], me["recovery_codes"]) == (False, 0)


def test_who_may_more_keeps_the_only_second_factor(door: Door) -> None:
    account = door.person("ton", Role.OPERATOR)
    door.app(account)
    browser = door.browser(door.session(account, strong=True))

    reply = browser.post("/mijn/app/weg")

    assert reply.headers["location"] == "/mijn?klaar=proof.last"
    assert browser.get("/api/v1/me").json()["app"] is True


def test_a_new_password_asks_for_the_old_one_and_ends_the_other_sessions(door: Door) -> None:
    account = door.person("toos", password=PASSWORD)
    other, browser = door.session(account), door.browser(door.session(account))
    sent = {"login": "toos", "password": "vier gele tafels dansen"}

    without = browser.post("/mijn/wachtwoord", data=sent)
    right = browser.post("/mijn/wachtwoord", data=sent | {"old": PASSWORD})

    assert (without.status_code, right.status_code) == (422, 303)
    assert visitor_of(door.town.house.people, other) == ANYBODY
    assert browser.get("/api/v1/me").json()["login"] == "toos"


def test_logging_out_everywhere_ends_every_session(door: Door) -> None:
    account = door.person("bep")
    other, browser = door.session(account), door.browser(door.session(account))

    browser.post("/mijn/uitloggen")

    assert visitor_of(door.town.house.people, other) == ANYBODY
    assert browser.get("/api/v1/me").status_code == 401


def test_a_mail_address_is_used_only_once_it_was_shown_to_be_ones_own(door: Door) -> None:
    account = door.person("fien")
    browser = door.browser(door.session(account))

    browser.post("/mijn/mail", data={"email": "fien@voorbeeld.nl"})
    before = browser.get("/api/v1/me").json()["email"]
    code = code_in(door.letters.newest().text)
    browser.post("/inloggen/code", data={"code": code})

    assert before == ""
    assert browser.get("/api/v1/me").json()["email"] == "fien@voorbeeld.nl"


@pytest.mark.parametrize(
    "email", ["fien", "a@b", "a b@c.nl", "a@b.nl\nBcc: x@y.nl", "x" * 250 + "@b.nl"]
)
def test_what_is_no_mail_address_gets_no_letter(door: Door, email: str) -> None:
    browser = door.browser(door.session(door.person("joep")))

    assert browser.post("/mijn/mail", data={"email": email}).status_code == 422
    assert door.letters.sent == []


def test_no_log_and_no_act_holds_a_code_a_name_or_a_password(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account = door.person("Xanthippe", email="xant@voorbeeld.nl")
    browser = door.browser()
    browser.post("/inloggen/mail", data={"email": "xant@voorbeeld.nl"})
    code = code_in(door.letters.newest().text)
    browser.post("/inloggen/code", data={"code": code})

    from sqlalchemy import select

    from api.people.tables import ActRow

    with door.town.house.people.reading() as desk:
        acts = list(desk.session.scalars(select(ActRow)))
        broken = first_broken(desk)

    kept = "".join(one.getMessage() for one in caplog.records if one.name.startswith("api"))
    kept += "".join(f"{act.act} {act.subject} {act.facts}" for act in acts)
    assert not [secret for secret in ("anthippe", "xant@", code) if secret in kept]
    assert broken is None
    assert {"session.open", "mail.link", "account.add"} <= {
        act.act for act in acts if act.subject == account
    }
