"""What keepers do with accounts: invite, give a card or a role, and end them."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Need, Require
from api.mail import Mail
from api.pages.qr import qr_picture
from api.pages.sheets import go, language_of
from api.people.accounts import account_of, add_account, add_stay, end_account, live_grants
from api.people.acts import record
from api.people.cards import card_for_home, give_card
from api.people.errors import PeopleError, UnknownError
from api.people.grants import end_grant, give_role
from api.people.invitations import invite
from api.people.mail_links import email_checked
from api.people.sessions import end_sessions
from api.people.visitor import PRIVILEGED, Role, Visitor
from api.problems import ProofNeededError, RefusedError
from api.routes.entry.entrance import Entrance
from api.routes.forms import Form


def add_acts(app: FastAPI, entrance: Entrance) -> None:
    """Add every write below ``/accounts``."""
    _add_inviting(app, entrance)
    _add_cards(app, entrance)
    _add_ending(app, entrance)
    _add_roles(app, entrance)


@contextmanager
def _found() -> Iterator[None]:
    """Have what is not there be a 404."""
    try:
        yield
    except UnknownError as error:
        raise RefusedError(HTTPStatus.NOT_FOUND, str(error)) from error


def _check_fresh(entrance: Entrance, visitor: Visitor) -> None:
    if not visitor.is_fresh(entrance.door.now_s()):
        raise ProofNeededError("confirm", "show your second factor for this")


def _code_page(
    entrance: Entrance, request: Request, visitor: Visitor, kind: str, code: str, path: str
) -> Response:
    """Return the page that shows a code once; the picture brings it behind a ``#``.

    What stands behind a ``#`` is sent to no server, so it is in no log.
    """
    lang, link = language_of(request, visitor), f"{entrance.house.public_url}{path}#{code}"
    values = {
        "kind": kind,
        "code": code,
        "address": f"{entrance.house.public_url}{path}",
        "link": link,
        "picture": qr_picture(link, lang.say("accounts.code.picture")),
    }
    return entrance.page(
        request, visitor, "accounts_code.html", values, title=f"title.{kind}", tab="accounts"
    )


def _add_inviting(app: FastAPI, entrance: Entrance) -> None:
    house, door = entrance.house, entrance.door
    keeper = Depends(Require(door, Need.KEEPER))

    def invited(
        request: Request, visitor: Visitor, account: str, sent: Form, back: str
    ) -> Response:
        """Send an invitation by mail, or show its code once."""
        email = sent.get("email", "").strip()
        mailed = email_checked(email) if email and entrance.courier.sends else ""
        with _found(), house.people.writing() as desk:
            code = invite(desk, visitor.account, account, mailed)
        if not mailed:
            return _code_page(entrance, request, visitor, "invite", code, "/inloggen/code")
        lang = language_of(request, visitor)
        link = f"{house.public_url}/inloggen/code?code={code}"
        text = lang.say("mail.invite.text", link=link, name=house.community.name)
        subject = lang.say("mail.invite.subject", name=house.community.name)
        entrance.courier.send(lambda: Mail(mailed, subject, text, lang.tag))
        return go(back, done="invite.sent")

    @app.post("/accounts/nieuw", include_in_schema=False)
    def add(request: Request, visitor: Annotated[Visitor, keeper], sent: Form) -> Response:
        name, role, home = sent.get("name", "").strip(), sent.get("role", ""), sent.get("home", "")
        if not name:
            raise PeopleError("name: say who it is")
        if sent.get("email", "").strip():
            email_checked(sent["email"])
        if role:
            _check_fresh(entrance, visitor)
        with house.people.writing() as desk:
            account = add_account(desk, visitor.account, name=name[:80])
            if role:
                give_role(
                    desk,
                    visitor,
                    account,
                    _role(role),
                    home=_home(entrance, home) if role == Role.INSTALLER else "",
                    days=_days(sent.get("days", "")),
                    books=house.office is not None,
                )
            elif home and house.office is None:
                home = _home(entrance, home)
                add_stay(desk, visitor.account, account, home, int(door.now_s()), None)
        return invited(request, visitor, account, sent, f"/accounts/{account}")

    @app.post("/accounts/{account}/uitnodiging", include_in_schema=False)
    def again(
        request: Request, visitor: Annotated[Visitor, keeper], account: str, sent: Form
    ) -> Response:
        _check_fresh(entrance, visitor)
        with _found(), house.people.reading() as desk:
            if account_of(desk, account).id == visitor.account:
                raise RefusedError(HTTPStatus.FORBIDDEN, "nobody invites themselves")
            operates = any(each.role == Role.OPERATOR for each in live_grants(desk, account))
            if operates and Role.OPERATOR not in visitor.roles:
                raise RefusedError(HTTPStatus.FORBIDDEN, "only an operator invites an operator")
        return invited(request, visitor, account, sent, f"/accounts/{account}")


def _add_cards(app: FastAPI, entrance: Entrance) -> None:
    house, door = entrance.house, entrance.door
    keeper = Depends(Require(door, Need.KEEPER))

    @app.post("/accounts/kaart", include_in_schema=False)
    def card_of_home(request: Request, visitor: Annotated[Visitor, keeper], sent: Form) -> Response:
        home = _home(entrance, sent.get("home", ""))
        code = card_for_home(house.people, home, visitor.account)
        return _code_page(entrance, request, visitor, "card", code, "/inloggen")

    @app.post("/accounts/{account}/kaart", include_in_schema=False)
    def card(
        request: Request, visitor: Annotated[Visitor, keeper], account: str, _: Form
    ) -> Response:
        with _found(), house.people.reading() as desk:
            known = account_of(desk, account)
            if known.ended_at_s is not None:
                raise UnknownError("this account has ended")
        code = give_card(house.people, account, visitor.account)
        return _code_page(entrance, request, visitor, "card", code, "/inloggen")


def _add_ending(app: FastAPI, entrance: Entrance) -> None:
    house, door = entrance.house, entrance.door
    keeper = Depends(Require(door, Need.KEEPER))

    @app.post("/accounts/{account}/sessies/weg", include_in_schema=False)
    def end_all(visitor: Annotated[Visitor, keeper], account: str, _: Form) -> Response:
        with _found(), house.people.writing() as desk:
            account_of(desk, account)
            ended = end_sessions(desk, account)
            record(desk, visitor.account, "session.end", account, {"count": ended})
        return go(f"/accounts/{account}", done="sessions.gone")

    @app.post("/accounts/{account}/weg", include_in_schema=False)
    def end(visitor: Annotated[Visitor, keeper], account: str, sent: Form) -> Response:
        _check_fresh(entrance, visitor)
        if sent.get("sure") != "ja":
            return go(f"/accounts/{account}", done="account.unsure")
        with _found(), house.people.writing() as desk:
            end_account(desk, visitor.account, account)
        return go("/accounts", done="account.gone")


def _add_roles(app: FastAPI, entrance: Entrance) -> None:
    house, door = entrance.house, entrance.door
    keeper = Depends(Require(door, Need.KEEPER))

    @app.post("/accounts/{account}/rol", include_in_schema=False)
    def give(visitor: Annotated[Visitor, keeper], account: str, sent: Form) -> Response:
        _check_fresh(entrance, visitor)
        role = _role(sent.get("role", ""))
        with _found(), house.people.writing() as desk:
            give_role(
                desk,
                visitor,
                account,
                role,
                home=_home(entrance, sent.get("home", "")) if role is Role.INSTALLER else "",
                days=_days(sent.get("days", "")),
                books=house.office is not None,
            )
        return go(f"/accounts/{account}", done="grant.given")

    @app.post("/accounts/rollen/{number}/weg", include_in_schema=False)
    def take(visitor: Annotated[Visitor, keeper], number: int, _: Form) -> Response:
        with _found(), house.people.writing() as desk:
            mine = {each.id for each in live_grants(desk, visitor.account)}
            if number in mine:
                raise RefusedError(HTTPStatus.FORBIDDEN, "ask somebody else to end your own role")
            end_grant(desk, visitor.account, number)
        return go("/accounts", done="grant.gone")


def _role(text: str) -> Role:
    if text not in {role.value for role in PRIVILEGED}:
        raise PeopleError("role: choose one of the list")
    return Role(text)


def _home(entrance: Entrance, home: str) -> str:
    if home not in entrance.house.community.connections:
        raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such home")
    return home


def _days(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0
