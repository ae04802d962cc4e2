"""What proves one's own account: a password, an app, passkeys and codes on paper."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Need, Require
from api.pages.qr import qr_picture
from api.pages.sheets import go, language_of
from api.people.accounts import account_of
from api.people.errors import DeniedError, PeopleError, TooOftenError
from api.people.factors import (
    drop_codes_without_factor,
    proofs_of,
    read_proofs,
    refusal_to_change,
)
from api.people.passkeys import drop_passkey
from api.people.passwords import (
    LONGEST,
    SHORTEST,
    LoginTakenError,
    WeakPasswordError,
    is_right,
    login_of,
    set_password,
    whose,
)
from api.people.recovery import new_codes
from api.people.sessions import end_sessions, hash_of, renew_session
from api.people.totp import app_address, confirm_totp, draw_totp, drawn_again, drop_totp
from api.people.visitor import PRIVILEGED, Visitor
from api.problems import ProofNeededError, RefusedError
from api.routes.entry.entrance import Entrance, address_of, told_to_wait
from api.routes.forms import Form

_OTHER_PROOF = frozenset({"mail", "invite", "begin"})
"""Ways in after which the old password is not asked: it may be lost."""


def check_may_change(entrance: Entrance, request: Request, visitor: Visitor) -> None:
    """Refuse a session that may not change what proves its account."""
    session = entrance.door.session(request)
    assert session is not None, "a visitor with an account has a session"
    proofs = read_proofs(entrance.house.people, visitor.account)
    refusal = refusal_to_change(proofs, visitor, session, entrance.door.now_s())
    if refusal == "confirm":
        raise ProofNeededError("confirm", "show your second factor for this")
    if refusal is not None:
        raise RefusedError(HTTPStatus.FORBIDDEN, "log in with a password or by mail for this")


def add_own_proofs(app: FastAPI, entrance: Entrance) -> None:
    """Add the pages below ``/mijn`` that change what proves an account."""
    _add_password(app, entrance)
    _add_app(app, entrance)
    _add_rest(app, entrance)


def _renewed(entrance: Entrance, request: Request, answer: Response, *, strong: bool) -> None:
    """End the account's other sessions, and give this one a new id."""
    known = entrance.door.session(request)
    assert known is not None, "a visitor with an account has a session"
    with entrance.house.people.writing() as desk:
        session = renew_session(desk, known.hash, strong=strong)
        end_sessions(desk, known.account, but=hash_of(session))
    entrance.door.let_in(answer, session)


def _add_password(app: FastAPI, entrance: Entrance) -> None:
    house, door = entrance.house, entrance.door
    account = Depends(Require(door, Need.ACCOUNT))

    def must_show(request: Request, visitor: Visitor) -> bool:
        session = door.session(request)
        assert session is not None, "a visitor with an account has a session"
        proofs = read_proofs(house.people, visitor.account)
        return proofs.password and not proofs.second and session.way not in _OTHER_PROOF

    def page(
        request: Request,
        visitor: Visitor,
        problem: str | None = None,
        typed: Mapping[str, str] | None = None,
        status: int = HTTPStatus.OK,
    ) -> Response:
        with house.people.reading() as desk:
            known = login_of(desk, visitor.account) or account_of(desk, visitor.account).email
        login = known if typed is None else typed.get("login", "")[:64]
        values = {
            "problem": problem,
            "login": login,
            "must_show": must_show(request, visitor),
            "shortest": SHORTEST,
            "longest": LONGEST,
        }
        return entrance.page(
            request, visitor, "account_password.html", values, title="title.password", status=status
        )

    @app.get("/mijn/wachtwoord", include_in_schema=False)
    def ask_password(request: Request, visitor: Annotated[Visitor, account]) -> Response:
        check_may_change(entrance, request, visitor)
        return page(request, visitor)

    @app.post("/mijn/wachtwoord", include_in_schema=False)
    def set_new(request: Request, visitor: Annotated[Visitor, account], sent: Form) -> Response:
        check_may_change(entrance, request, visitor)
        lang = language_of(request, visitor)
        try:
            if must_show(request, visitor):
                _check_old(entrance, request, visitor.account, sent.get("old", ""))
            login, password = sent.get("login", ""), sent.get("password", "")
            set_password(house.people, visitor.account, visitor.account, login, password)
        except TooOftenError as error:
            said, headers = told_to_wait(request, error, visitor)
            answer = page(request, visitor, said, sent, HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers.update(headers)
            return answer
        except WeakPasswordError as error:
            said = lang.say(f"password.{error.weakness}")
        except LoginTakenError:
            said = lang.say("password.login.taken")
        except DeniedError:
            said = lang.say("password.old.wrong")
        else:
            second = read_proofs(house.people, visitor.account).second
            leads_on = bool(visitor.possible & PRIVILEGED) and not second
            done = go("/mijn/app" if leads_on else "/mijn", done="password.set")
            _renewed(entrance, request, done, strong=False)
            return done
        return page(request, visitor, said, sent, HTTPStatus.UNPROCESSABLE_ENTITY)


def _check_old(entrance: Entrance, request: Request, account: str, old: str) -> None:
    """Check the present password.

    Raises:
        DeniedError: It is wrong.
        TooOftenError: There were too many tries.
    """
    people, rates, key = entrance.house.people, entrance.door.rates, f"account {account}"
    rates.count(address_of(request), key, password=True)
    with people.reading() as desk:
        known = whose(desk, login_of(desk, account))
    if not is_right(people, known, old):
        raise DeniedError("the present password is not this one")
    rates.right(address_of(request), key, password=True)


def _add_app(app: FastAPI, entrance: Entrance) -> None:
    house, door = entrance.house, entrance.door
    account = Depends(Require(door, Need.ACCOUNT))

    def page(
        request: Request,
        visitor: Visitor,
        problem: str | None = None,
        status: int = HTTPStatus.OK,
        drawn: str = "",
    ) -> Response:
        with house.people.reading() as desk:
            if drawn:
                secret, sealed = drawn_again(desk, visitor.account, drawn), drawn
            else:
                secret, sealed = draw_totp(desk, visitor.account)
            name = login_of(desk, visitor.account) or account_of(desk, visitor.account).name
        lang = language_of(request, visitor)
        address = app_address(secret, name or visitor.account, house.community.name)
        values = {
            "problem": problem,
            "drawn": sealed,
            "picture": qr_picture(address, lang.say("app.picture")),
            "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        }
        return entrance.page(
            request, visitor, "account_app.html", values, title="title.app", status=status
        )

    @app.get("/mijn/app", include_in_schema=False)
    def ask_app(request: Request, visitor: Annotated[Visitor, account]) -> Response:
        if read_proofs(house.people, visitor.account).app:
            return go("/mijn")
        check_may_change(entrance, request, visitor)
        return page(request, visitor)

    @app.post("/mijn/app", include_in_schema=False)
    def keep_app(request: Request, visitor: Annotated[Visitor, account], sent: Form) -> Response:
        if read_proofs(house.people, visitor.account).app:
            return go("/mijn")
        check_may_change(entrance, request, visitor)
        key, address = f"second {visitor.account}", address_of(request)
        try:
            door.rates.count(address, key)
        except TooOftenError as error:
            said, headers = told_to_wait(request, error, visitor)
            answer = page(request, visitor, said, HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers.update(headers)
            return answer
        drawn = sent.get("drawn", "")[:500]
        with house.people.writing() as desk:
            right = confirm_totp(desk, visitor.account, drawn, sent.get("code", "")[:20])
            codes = new_codes(desk, visitor.account) if right else []
        if not right:
            said = language_of(request, visitor).say("app.wrong")
            return page(request, visitor, said, HTTPStatus.UNPROCESSABLE_ENTITY, drawn)
        door.rates.right(address, key)
        answer = _codes_page(entrance, request, visitor, codes)
        _renewed(entrance, request, answer, strong=True)
        return answer

    @app.post("/mijn/app/weg", include_in_schema=False)
    def end_app(request: Request, visitor: Annotated[Visitor, account], _: Form) -> Response:
        check_may_change(entrance, request, visitor)
        if _is_needed(entrance, visitor):
            return go("/mijn", done="proof.last")
        with house.people.writing() as desk:
            drop_totp(desk, visitor.account, visitor.account)
            drop_codes_without_factor(desk, visitor.account)
        answer = go("/mijn", done="app.gone")
        _renewed(entrance, request, answer, strong=False)
        return answer


def _add_rest(app: FastAPI, entrance: Entrance) -> None:
    house, door = entrance.house, entrance.door
    account = Depends(Require(door, Need.ACCOUNT))

    @app.post("/mijn/sleutels/{passkey}/weg", include_in_schema=False)
    def end_key(
        request: Request, visitor: Annotated[Visitor, account], passkey: str, _: Form
    ) -> Response:
        check_may_change(entrance, request, visitor)
        if _is_needed(entrance, visitor):
            return go("/mijn", done="proof.last")
        try:
            with house.people.writing() as desk:
                drop_passkey(desk, visitor.account, visitor.account, passkey)
                drop_codes_without_factor(desk, visitor.account)
        except PeopleError as error:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such passkey") from error
        answer = go("/mijn", done="passkey.gone")
        _renewed(entrance, request, answer, strong=False)
        return answer

    @app.get("/mijn/codes", include_in_schema=False)
    def ask_codes(request: Request, visitor: Annotated[Visitor, account]) -> Response:
        check_may_change(entrance, request, visitor)
        return _codes_page(entrance, request, visitor, [])

    @app.post("/mijn/codes", include_in_schema=False)
    def draw_codes(request: Request, visitor: Annotated[Visitor, account], _: Form) -> Response:
        check_may_change(entrance, request, visitor)
        with house.people.writing() as desk:
            if not proofs_of(desk, visitor.account).second:
                raise RefusedError(HTTPStatus.CONFLICT, "add an app or a passkey first")
            codes = new_codes(desk, visitor.account)
        return _codes_page(entrance, request, visitor, codes)


def _is_needed(entrance: Entrance, visitor: Visitor) -> bool:
    """Return whether somebody's only second factor must stay, as they may more than a resident.

    Without it whoever invites them again could make one in their place.
    """
    proofs = read_proofs(entrance.house.people, visitor.account)
    return bool(visitor.possible & PRIVILEGED) and proofs.app + len(proofs.passkeys) <= 1


def _codes_page(
    entrance: Entrance, request: Request, visitor: Visitor, codes: list[str]
) -> Response:
    return entrance.page(
        request, visitor, "account_codes.html", {"codes": codes}, title="title.codes"
    )
