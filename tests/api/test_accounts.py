"""Accounts: who lets whom in, who gives which role, and what ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.cooperative.registry import confirm, propose_new_secret, renew_secret
from api.people.book import PeopleBook
from api.people.cards import card_of
from api.people.errors import DeniedError, PeopleError
from api.people.first_start import first_code, has_operator, make_first_operator
from api.people.grants import give_role, roles_to_give
from api.people.opening import open_people
from api.people.passwords import Weakness, weakness_of
from api.people.sessions import visitor_of
from api.people.visitor import ANYBODY, Role, Visitor
from kwartier.clock import VirtualClock
from tests.api.cooperative.stages import BOARD, TREASURER, Stage
from tests.api.doors import PASSWORD, Door, code_in, door_of
from tests.api.town import Towns

DAY_S = 86_400


@pytest.fixture(scope="module")
def shared(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with door_of(towns, tmp_path_factory.mktemp("accounts"), Stage.READY) as made:
        yield made


@pytest.fixture
def door(shared: Door) -> Door:
    shared.later()
    return shared


@pytest.fixture
def operator(door: Door) -> httpx.Client:
    return door.browser(door.town.operator())


def visitor(door: Door, session: str) -> Visitor:
    return visitor_of(door.town.house.people, session)


def test_an_invitation_is_shown_once_and_opens_once(door: Door, operator: httpx.Client) -> None:
    shown = operator.post("/accounts/nieuw", data={"name": "Truus"})
    code = code_in(shown.text)
    guest = door.browser()

    first = guest.post("/inloggen/code", data={"code": code.lower().replace("-", " ")})
    second = door.browser().post("/inloggen/code", data={"code": code})

    assert shown.headers["cache-control"] == "no-store"
    assert "<svg" in shown.text
    assert (first.headers["location"], second.status_code) == ("/mijn/wachtwoord", 422)
    assert guest.get("/api/v1/me").json()["name"] == "Truus"


def test_a_mailed_invitation_shows_no_code_and_proves_the_address(
    door: Door, operator: httpx.Client
) -> None:
    sent = operator.post("/accounts/nieuw", data={"name": "Fred", "email": "fred@voorbeeld.nl"})
    code = code_in(door.letters.newest().text)
    guest = door.browser()
    guest.post("/inloggen/code", data={"code": code})

    assert sent.headers["location"].endswith("?klaar=invite.sent")
    assert code not in sent.text
    assert guest.get("/api/v1/me").json()["email"] == "fred@voorbeeld.nl"


def test_a_card_is_shown_once_with_its_code_behind_a_hash(
    door: Door, operator: httpx.Client
) -> None:
    shown = operator.post("/accounts/kaart", data={"home": "home-3"})
    code = shown.text.partition('<p class="secret"><code>')[2].partition("<")[0]

    card = card_of(door.town.house.people, code)
    listed = operator.get("/api/v1/accounts").json()

    assert shown.headers["cache-control"] == "no-store"
    assert card is not None
    assert card.account in {each["id"] for each in listed}
    assert operator.post("/accounts/kaart", data={"home": "home-99"}).status_code == 404


def test_an_installer_works_at_one_home_for_at_most_fourteen_days(
    door: Door, operator: httpx.Client
) -> None:
    account = door.person("monteur")
    path = f"/accounts/{account}/rol"
    sent = {"role": "installer", "home": "home-2", "days": "14"}

    longer = operator.post(path, data=sent | {"days": "15"})
    given = operator.post(path, data=sent)
    session = door.session(account, strong=True)
    during = visitor(door, session)
    told = operator.get("/api/v1/grants").json()
    door.town.clock.advance(14 * DAY_S)
    session = door.session(account, strong=True)
    later = door.browser(door.town.operator()).get("/api/v1/grants").json()

    assert (longer.status_code, given.status_code) == (422, 303)
    assert during.works_at == {"home-2"}
    assert [each["home"] for each in told if each["account"] == account] == ["home-2"]
    assert not visitor(door, session).roles
    assert not visitor(door, session).works_at
    assert account not in {each["account"] for each in later}


def test_only_an_operator_makes_operators_and_nobody_gives_themselves_a_role(door: Door) -> None:
    people = door.town.house.people
    account = door.person("ander")
    board = visitor(door, door.town.officer("treasurer"))
    operator = visitor(door, door.town.operator())

    assert roles_to_give(board, books=True) == (Role.INSTALLER,)
    assert roles_to_give(operator, books=True) == (Role.INSTALLER, Role.OPERATOR)
    assert Role.BOARD in roles_to_give(operator, books=False)
    for by, whom, role in (
        (board, account, Role.OPERATOR),
        (operator, account, Role.BOARD),
        (operator, operator.account, Role.OPERATOR),
        (visitor(door, door.session(account, strong=True)), account, Role.INSTALLER),
    ):
        with pytest.raises(PeopleError), people.writing() as desk:
            give_role(desk, by, whom, role, home="home-1", days=1, books=True)


def test_the_board_invites_no_operator_again(door: Door) -> None:
    account = door.person("nieuwe beheerder", Role.OPERATOR)
    board = door.browser(door.town.officer("treasurer"))

    assert board.post(f"/accounts/{account}/uitnodiging").status_code == 403


def test_giving_a_role_asks_for_the_second_factor_again(door: Door) -> None:
    account = door.person("later")
    browser = door.browser(door.town.operator())
    door.town.clock.advance(601)

    reply = browser.post(f"/accounts/{account}/rol", data={"role": "operator"})

    assert reply.headers["location"].startswith("/bevestig")


def test_an_account_that_ended_opens_nothing_and_frees_its_party(
    door: Door, operator: httpx.Client
) -> None:
    session = door.town.resident("home-4")
    known = visitor(door, session)

    unsure = operator.post(f"/accounts/{known.account}/weg")
    sure = operator.post(f"/accounts/{known.account}/weg", data={"sure": "ja"})
    again = operator.post(f"/accounts/{known.account}/weg", data={"sure": "ja"})
    anew = visitor(door, door.town.resident("home-4"))

    assert unsure.headers["location"].endswith("account.unsure")
    assert (sure.status_code, again.status_code) == (303, 404)
    assert visitor(door, session) == ANYBODY
    assert operator.get(f"/accounts/{known.account}").status_code == 404
    assert (anew.party, anew.account != known.account) == (known.party, True)


def test_nobody_ends_their_own_account_or_role(door: Door) -> None:
    session = door.town.operator()
    own = visitor(door, session).account
    browser = door.browser(session)
    grant = next(e["id"] for e in browser.get("/api/v1/grants").json() if e["account"] == own)

    assert browser.post(f"/accounts/{own}/weg", data={"sure": "ja"}).status_code == 422
    assert browser.post(f"/accounts/rollen/{grant}/weg").status_code == 403
    assert browser.post(f"/accounts/{own}/uitnodiging").status_code == 403


@pytest.mark.parametrize("path", ["/accounts", "/api/v1/accounts", "/api/v1/grants"])
def test_a_resident_sees_no_accounts(door: Door, path: str) -> None:
    assert door.browser(door.town.resident("home-5")).get(path).status_code == 403
    assert door.browser().get(path).status_code in {303, 401}


def test_an_officer_shows_the_books_own_secret_and_then_decides_by_the_books(door: Door) -> None:
    books = door.town.books
    with books.desk(TREASURER) as desk:
        asked = propose_new_secret(desk, "board")
    with books.desk(BOARD) as desk:
        first = confirm(desk, asked.id, asked.body_hash)
    own = renew_secret(books, "board", first.secret)
    account = door.person("bram")
    phone, _ = door.app(account)
    browser = door.browser(door.session(account))

    weak = browser.get("/mijn/functie")
    browser.post("/bevestig", data={"code": door.digits(phone)})
    wrong = browser.post("/mijn/functie", data={"officer": "board", "secret": "x" * 29})
    used = browser.post("/mijn/functie", data={"officer": "board", "secret": first.secret})
    right = browser.post("/mijn/functie", data={"officer": "board", "secret": own.secret})
    me = browser.get("/api/v1/me").json()

    assert weak.headers["location"].startswith("/bevestig")
    assert (wrong.status_code, used.status_code, right.status_code) == (422, 422, 303)
    assert (me["officer"], me["roles"]) == ("board", ["board"])


def test_an_officer_has_one_account(door: Door) -> None:
    from api.people.accounts import set_officer

    door.town.officer("treasurer")
    with pytest.raises(PeopleError, match="another account"), door.town.house.people.writing() as d:
        set_officer(d, door.person("dief"), "treasurer", "anna")


@pytest.fixture
def people(tmp_path: Path) -> Iterator[PeopleBook]:
    book = open_people(tmp_path, VirtualClock(1_800_000_000))
    yield book
    book.close()


def test_the_first_operator_is_made_once_with_the_newest_code(people: PeopleBook) -> None:
    old, code = first_code(people), first_code(people)
    assert old is not None
    assert code is not None

    with pytest.raises(DeniedError):
        make_first_operator(people, old, "Ina", "ina", PASSWORD)
    account = make_first_operator(people, code, "Ina", "ina", PASSWORD)

    with people.reading() as desk:
        assert has_operator(desk)
    assert account.startswith("a-")
    assert first_code(people) is None
    with pytest.raises(DeniedError):
        make_first_operator(people, code, "Boef", "boef", PASSWORD)


def test_the_first_code_opens_for_a_day(people: PeopleBook) -> None:
    code = first_code(people)
    assert code is not None
    assert isinstance(people.clock, VirtualClock)
    people.clock.advance(DAY_S)

    with pytest.raises(DeniedError):
        make_first_operator(people, code, "Ina", "ina", PASSWORD)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elf tekens!", Weakness.SHORT),
        ("x" * 129, Weakness.LONG),
        ("123456789012", Weakness.COMMON),
        ("aaaaaaaaaaaaaa", Weakness.COMMON),
        ("Wachtwoord123", Weakness.COMMON),
        ("Welkom2026Welkom", Weakness.COMMON),
        ("qwertyuiopasdf", Weakness.COMMON),
        ("Gerda de Vries!", Weakness.OWN_NAME),
        ("twaalfteken!", None),
        ("drie natte geiten zingen", None),
        ("ééééééçççüüïïöö", None),
    ],
)
def test_a_password_is_long_not_common_and_not_ones_name(
    password: str, why: Weakness | None
) -> None:
    assert weakness_of(password, ("Gerda de Vries", "gerda@voorbeeld.nl")) is why
