"""The door: a card, a password, a letter by mail; and the way out."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.mail import Mail
from api.pages.language import Language
from api.pages.sheets import Sheets, go, language_of
from api.people.cards import card_of
from api.people.errors import DeniedError, TooOftenError
from api.people.factors import CARD
from api.people.invitations import accept
from api.people.mail_links import keep_email, login_code
from api.people.passwords import email_fingerprint, is_right, whose
from api.people.tokens import LETTERS, Purpose, Token, token_of, use_token
from api.people.visitor import Visitor
from api.problems import safe_path
from api.routes.entry.door_begin import add_begin
from api.routes.entry.door_elsewhere import add_elsewhere
from api.routes.entry.door_second import add_second
from api.routes.entry.entrance import Entrance, address_of, told_to_wait
from api.routes.entry.passkeys import add_passkeys
from api.routes.forms import Form

_BY_LETTER = (Purpose.MAIL, Purpose.INVITE, Purpose.EMAIL)


def add_door(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add every way in, the second factor, the first start, and the way out."""
    entrance = Entrance(house, door, sheets)
    _add_ways_in(app, entrance)
    _add_codes(app, entrance)
    add_second(app, entrance)
    add_passkeys(app, entrance)
    add_elsewhere(app, entrance)
    add_begin(app, entrance)


class _LoginPage:
    """The page with every way in; one of them may say what went wrong."""

    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance

    def form(
        self,
        request: Request,
        visitor: Visitor,
        values: Mapping[str, str],
        status: int = HTTPStatus.OK,
    ) -> Response:
        there = self._entrance.house.elsewhere
        further = values.get("verder") or request.query_params.get("verder", "/")
        told = {
            "problem": values.get("problem"),
            "way": values.get("way", "card"),
            "typed": values.get("login", "")[:64],
            "further": safe_path(further),
            "mails": self._entrance.courier.sends,
            "elsewhere": None if there is None else there.name,
            "failed": there is not None and "dienst" in request.query_params,
        }
        return self._entrance.page(
            request, visitor, "login.html", told, title="title.login", status=status
        )

    def refused(
        self, request: Request, visitor: Visitor, sent: Mapping[str, str], way: str, why: str
    ) -> Response:
        told = {**sent, "way": way, "problem": language_of(request, visitor).say(why)}
        return self.form(request, visitor, told, HTTPStatus.UNPROCESSABLE_ENTITY)

    def waits(
        self,
        request: Request,
        visitor: Visitor,
        sent: Mapping[str, str],
        way: str,
        error: TooOftenError,
    ) -> Response:
        said, headers = told_to_wait(request, error, visitor)
        told = {**sent, "way": way, "problem": said}
        answer = self.form(request, visitor, told, HTTPStatus.TOO_MANY_REQUESTS)
        answer.headers.update(headers)
        return answer


def _add_ways_in(app: FastAPI, entrance: Entrance) -> None:
    anyone = Depends(Require(entrance.door, Need.ANYONE))
    page = _LoginPage(entrance)

    @app.get("/inloggen", include_in_schema=False)
    def ask(request: Request, visitor: Annotated[Visitor, anyone]) -> Response:
        return page.form(request, visitor, {})

    @app.post("/inloggen", include_in_schema=False)
    def card(request: Request, visitor: Annotated[Visitor, anyone], sent: Form) -> Response:
        return _by_card(entrance, page, request, visitor, sent)

    @app.post("/inloggen/wachtwoord", include_in_schema=False)
    def password(request: Request, visitor: Annotated[Visitor, anyone], sent: Form) -> Response:
        return _by_password(entrance, page, request, visitor, sent)

    @app.post("/inloggen/mail", include_in_schema=False)
    def mail(request: Request, visitor: Annotated[Visitor, anyone], sent: Form) -> Response:
        return _by_mail(entrance, page, request, visitor, sent)

    @app.post("/uitloggen", include_in_schema=False)
    def let_out(request: Request, _: Annotated[Visitor, anyone]) -> Response:
        answer = go("/")
        entrance.door.let_out(request, answer)
        return answer


def _by_card(
    entrance: Entrance, page: _LoginPage, request: Request, visitor: Visitor, sent: Form
) -> Response:
    code = sent.get("code", "")[:64]
    letters = "".join(filter(str.isalnum, code.upper()))
    if len(letters) == LETTERS:
        return go("/inloggen/code", code=code)
    address, key = address_of(request), f"card {letters[:4]}"
    try:
        entrance.door.rates.count(address, key)
        found = card_of(entrance.house.people, code)
    except TooOftenError as error:
        return page.waits(request, visitor, sent, "card", error)
    if found is None:
        return page.refused(request, visitor, sent, "card", "login.wrong")
    entrance.door.rates.right(address, key)
    further = sent.get("verder", "/")
    return entrance.let_in(request, found.account, CARD, further, card=found.number)


def _by_password(
    entrance: Entrance, page: _LoginPage, request: Request, visitor: Visitor, sent: Form
) -> Response:
    people, rates = entrance.house.people, entrance.door.rates
    typed, address = sent.get("login", "")[:254], address_of(request)
    with people.reading() as desk:
        known = whose(desk, typed)
        key = f"account {known.account or email_fingerprint(desk, typed)}"
    try:
        rates.count(address, key, password=True)
        right = is_right(people, known, sent.get("password", ""))
    except TooOftenError as error:
        return page.waits(request, visitor, sent, "password", error)
    if not right:
        return page.refused(request, visitor, sent, "password", "login.password.wrong")
    rates.right(address, key, password=True)
    return entrance.let_in(request, known.account, "password", sent.get("verder", "/"))


def _by_mail(
    entrance: Entrance, page: _LoginPage, request: Request, visitor: Visitor, sent: Form
) -> Response:
    """Answer the same, and as soon, whether somebody has this address or nobody has."""
    house, email, lang = entrance.house, sent.get("email", "")[:254], language_of(request, visitor)
    with house.people.reading() as desk:
        key = f"mail {email_fingerprint(desk, email)}"
    try:
        entrance.door.rates.count(address_of(request), key)
    except TooOftenError as error:
        return page.waits(request, visitor, sent, "mail", error)
    entrance.courier.send(lambda: _letter(house, email, lang))
    return go("/inloggen", done="login.mail")


def _add_codes(app: FastAPI, entrance: Entrance) -> None:
    """Add the page for a code from a letter: it shows a button, and only the button uses it."""
    house, door = entrance.house, entrance.door
    anyone = Depends(Require(door, Need.ANYONE))

    def page(
        request: Request, visitor: Visitor, code: str, problem: str | None, status: int
    ) -> Response:
        kind = _kind(house, code)
        values = {"code": code, "problem": problem, "kind": kind}
        return entrance.page(
            request, visitor, "door_code.html", values, title="title.code", status=status
        )

    @app.get("/inloggen/code", include_in_schema=False)
    def ask_code(request: Request, visitor: Annotated[Visitor, anyone], code: str = "") -> Response:
        return page(request, visitor, code[:64], None, HTTPStatus.OK)

    @app.post("/inloggen/code", include_in_schema=False)
    def by_code(request: Request, visitor: Annotated[Visitor, anyone], sent: Form) -> Response:
        code = sent.get("code", "")[:64]
        try:
            door.rates.count(address_of(request), f"code {code[:4]}")
            token, account = _used(house, code)
        except TooOftenError as error:
            said, headers = told_to_wait(request, error, visitor)
            answer = page(request, visitor, "", said, HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers.update(headers)
            return answer
        except DeniedError:
            said = language_of(request, visitor).say("code.wrong")
            return page(request, visitor, "", said, HTTPStatus.UNPROCESSABLE_ENTITY)
        door.rates.right(address_of(request), f"code {code[:4]}")
        if token.purpose is Purpose.EMAIL:
            return go("/mijn" if visitor.account == account else "/inloggen", done="email.kept")
        invited = token.purpose is Purpose.INVITE
        further = "/mijn/wachtwoord" if invited else sent.get("verder", "/")
        return entrance.let_in(request, account, token.purpose.value, further)


def _used(house: House, code: str) -> tuple[Token, str]:
    """Use a code from a letter, and return what it was for and whose.

    Raises:
        DeniedError: It opens nothing.
    """
    with house.people.writing() as desk:
        token = token_of(desk, code, *_BY_LETTER)
        if token.purpose is Purpose.INVITE:
            return token, accept(desk, code)
        if token.purpose is Purpose.EMAIL:
            return token, keep_email(desk, code)
        return use_token(desk, code, Purpose.MAIL), token.account


def _kind(house: House, code: str) -> str:
    """Return what a code is for: its purpose's name, ``typed`` without one, ``over`` for none."""
    if not code:
        return "typed"
    try:
        with house.people.reading() as desk:
            return token_of(desk, code, *_BY_LETTER).purpose.value
    except DeniedError:
        return "over"


def _letter(house: House, email: str, lang: Language) -> Mail | None:
    """Return the letter that logs somebody in; nobody's address gets none."""
    with house.people.writing() as desk:
        found = login_code(desk, email)
    if found is None:
        return None
    link = f"{house.public_url}/inloggen/code?code={found[1]}"
    text = lang.say("mail.login.text", link=link, name=house.community.name)
    subject = lang.say("mail.login.subject", name=house.community.name)
    return Mail(email.strip(), subject, text, lang.tag)
