"""One-time codes of an authenticator app.

Source:
    RFC 6238 with HMAC-SHA-1, six digits, steps of 30 s; one step late or early is taken, and no
    step twice.
"""

from __future__ import annotations

import hmac

import pyotp
from sqlalchemy import delete

from api.cooperative.errors import TamperedError
from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import DeniedError
from api.people.tables import TotpRow

STEP_S = 30
"""How long a code holds [s]."""
LATE_STEPS = 1
"""How many steps a phone's clock may be off."""


def draw_totp(desk: PeopleDesk, account: str) -> tuple[str, str]:
    """Return a new secret for an app, and the same sealed for the form that brings its code.

    Nothing is written down: it counts once a code of it was shown.
    """
    secret = pyotp.random_base32()
    return secret, desk.keys.seal(f"{account} {secret}")


def drawn_again(desk: PeopleDesk, account: str, sealed: str) -> str:
    """Return the secret that was drawn for an account and came back with a form.

    Raises:
        DeniedError: It is not what was drawn for this account.
    """
    try:
        whose, _, secret = desk.keys.open(sealed).partition(" ")
    except TamperedError:
        whose = secret = ""
    if not secret or whose != account:
        raise DeniedError("this form is not the one that was shown: open the page anew")
    return secret


def confirm_totp(desk: PeopleDesk, account: str, sealed: str, code: str) -> bool:
    """Keep an app when it shows the right code, and return whether it did.

    Raises:
        DeniedError: The account has an app already, or this secret was not drawn for it.
    """
    if desk.session.get(TotpRow, account) is not None:
        raise DeniedError("there is an app already: take it away first")
    secret = drawn_again(desk, account, sealed)
    row = TotpRow(
        account=account, secret=desk.keys.seal(secret), last_step=0, confirmed_at_s=desk.at_s
    )
    if not _use_step(desk, row, code):
        return False
    desk.session.add(row)
    desk.session.flush()
    record(desk, account, "totp.add", account)
    return True


def code_now(desk: PeopleDesk, secret: str) -> str:
    """Return what an app with this secret shows now."""
    return pyotp.TOTP(secret, interval=STEP_S).at(desk.at_s)


def check_totp(desk: PeopleDesk, account: str, code: str) -> bool:
    """Return whether a code is the app's of now; it is right only once."""
    row = desk.session.get(TotpRow, account)
    if row is None or not _use_step(desk, row, code):
        return False
    desk.session.flush()
    return True


def has_totp(desk: PeopleDesk, account: str) -> bool:
    """Return whether an account has an app that counts."""
    return desk.session.get(TotpRow, account) is not None


def drop_totp(desk: PeopleDesk, by: str, account: str) -> None:
    """Forget an account's app."""
    desk.session.execute(delete(TotpRow).where(TotpRow.account == account))
    record(desk, by, "totp.end", account)


def app_address(secret: str, name: str, house: str) -> str:
    """Return what an app reads from a picture: the secret, and what to call it."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=house)


def _use_step(desk: PeopleDesk, row: TotpRow, code: str) -> bool:
    typed = "".join(filter(str.isdigit, code))[:6].encode()
    reckoned = pyotp.TOTP(desk.keys.open(row.secret), interval=STEP_S)
    now = desk.at_s // STEP_S
    for step in range(now - LATE_STEPS, now + LATE_STEPS + 1):
        right = hmac.compare_digest(reckoned.generate_otp(step).encode(), typed)
        if right and step > row.last_step:
            row.last_step = step
            return True
    return False
