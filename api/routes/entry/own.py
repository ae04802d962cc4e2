"""One's own account: name, mail, what proves it, sessions, and the office in the books."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Need, Require
from api.mail import Mail
from api.pages.sheets import go, language_of
from api.people.accounts import Account, account_of, rename
from api.people.acts import record
from api.people.errors import PeopleError
from api.people.factors import Proofs, proofs_of
from api.people.mail_links import drop_email, email_code
from api.people.passwords import login_of
from api.people.sessions import OpenSession, end_sessions, sessions_of
from api.people.visitor import PRIVILEGED, Visitor
from api.routes.entry.entrance import Entrance
from api.routes.entry.own_office import add_own_office
from api.routes.entry.own_proofs import add_own_proofs, check_may_change
from api.routes.forms import Form
from api.schemas import moment_time


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A browser that is logged in; times are ISO 8601."""

    way: str
    begun: str
    seen: str
    this: bool


@dataclass(frozen=True, slots=True)
class OwnPasskey:
    """A passkey."""

    label: str
    made: str
    used: str | None


@dataclass(frozen=True, slots=True)
class Me:
    """One's own account; personal."""

    account: str
    name: str
    email: str
    login: str
    language: str
    roles: list[str]
    roles_with_second_factor: list[str]
    officer: str
    homes: list[str]
    password: bool
    app: bool
    passkeys: list[OwnPasskey]
    recovery_codes: int
    sessions: list[OwnSession]


@dataclass(frozen=True, slots=True)
class _Own:
    """What the page and the programs are told."""

    account: Account
    login: str
    proofs: Proofs
    sessions: list[OpenSession]


def add_own(app: FastAPI, entrance: Entrance) -> None:
    """Add ``/mijn`` and what hangs below it."""
    house, door = entrance.house, entrance.door
    account = Depends(Require(door, Need.ACCOUNT))

    def own(visitor: Visitor) -> _Own:
        with house.people.reading() as desk:
            return _Own(
                account_of(desk, visitor.account),
                login_of(desk, visitor.account),
                proofs_of(desk, visitor.account),
                sessions_of(desk, visitor.account),
            )

    def page(
        request: Request,
        visitor: Visitor,
        problem: str | None = None,
        typed: Mapping[str, str] | None = None,
        status: int = HTTPStatus.OK,
    ) -> Response:
        known = own(visitor)
        values = {
            "account": known.account,
            "login": known.login,
            "proofs": known.proofs,
            "sessions": known.sessions,
            "needs_second": bool(visitor.possible & PRIVILEGED) and not known.proofs.second,
            "books": house.office is not None,
            "mails": entrance.courier.sends,
            "problem": problem,
            "typed": typed or {"email": ""},
        }
        return entrance.page(
            request, visitor, "account.html", values, title="title.own", status=status
        )

    @app.get("/mijn", include_in_schema=False)
    def mine(request: Request, visitor: Annotated[Visitor, account]) -> Response:
        return page(request, visitor)

    @app.get("/api/v1/me")
    def me(visitor: Annotated[Visitor, account]) -> Me:
        """Return one's own account."""
        return _me(own(visitor), visitor)

    @app.post("/mijn/naam", include_in_schema=False)
    def name(visitor: Annotated[Visitor, account], sent: Form) -> Response:
        with house.people.writing() as desk:
            rename(desk, visitor.account, visitor.account, sent.get("name", ""))
        return go("/mijn", done="own.name")

    @app.post("/mijn/mail", include_in_schema=False)
    def email(request: Request, visitor: Annotated[Visitor, account], sent: Form) -> Response:
        check_may_change(entrance, request, visitor)
        lang, address = language_of(request, visitor), sent.get("email", "").strip()
        if not address:
            with house.people.writing() as desk:
                drop_email(desk, visitor.account, visitor.account)
            return go("/mijn", done="email.gone")
        try:
            door.rates.count(visitor.account, f"email {visitor.account}")
            with house.people.writing() as desk:
                code = email_code(desk, visitor.account, address)
        except PeopleError:
            said, status = lang.say("own.email.wrong"), HTTPStatus.UNPROCESSABLE_ENTITY
            return page(request, visitor, said, {"email": address[:254]}, status)
        link = f"{house.public_url}/inloggen/code?code={code}"
        text = lang.say("mail.email.text", link=link, name=house.community.name)
        subject = lang.say("mail.email.subject", name=house.community.name)
        entrance.courier.send(lambda: Mail(address, subject, text, lang.tag))
        return go("/mijn", done="email.sent")

    @app.post("/mijn/uitloggen", include_in_schema=False)
    def everywhere(request: Request, visitor: Annotated[Visitor, account]) -> Response:
        with house.people.writing() as desk:
            ended = end_sessions(desk, visitor.account)
            record(desk, visitor.account, "session.end", visitor.account, {"count": ended})
        answer = go("/inloggen", done="own.everywhere")
        door.let_out(request, answer)
        return answer

    add_own_proofs(app, entrance)
    add_own_office(app, entrance)


def _me(own: _Own, visitor: Visitor) -> Me:
    return Me(
        own.account.id,
        own.account.name,
        own.account.email,
        own.login,
        own.account.language,
        sorted(visitor.roles),
        sorted(visitor.possible),
        own.account.officer,
        [stay.home for stay in visitor.stays],
        own.proofs.password,
        own.proofs.app,
        [
            OwnPasskey(
                each.label,
                moment_time(each.made_at_s).isoformat(),
                None if each.used_at_s is None else moment_time(each.used_at_s).isoformat(),
            )
            for each in own.proofs.passkeys
        ],
        own.proofs.codes,
        [
            OwnSession(
                each.way,
                moment_time(each.made_at_s).isoformat(),
                moment_time(each.seen_at_s).isoformat(),
                each.hash == visitor.session,
            )
            for each in own.sessions
        ],
    )
