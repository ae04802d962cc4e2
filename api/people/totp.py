"""One-time codes of an authenticator app.

Source:
    RFC 6238 with HMAC-SHA-1, six digits, steps of 30 s; one step late or early is taken, and no
    step twice.
"""

from __future__ import annotations

import hmac

import pyotp
from sqlalchemy import delete

from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import DeniedError
from api.people.tables import TotpRow

STEP_S = 30
"""How long a code holds [s]."""
LATE_STEPS = 1
"""How many steps a phone's clock may be off."""


def begin_totp(desk: PeopleDesk, account: str) -> str:
    """Return the secret for an app; it counts once a code of it was shown.

    The same secret is told until then, so that a page may be opened again.

    Raises:
        DeniedError: The account has an app already.
    """
    row = desk.session.get(TotpRow, account)
    if row is not None and row.confirmed_at_s is not None:
        raise DeniedError("there is an app already: take it away first")
    if row is not None:
        return desk.keys.open(row.secret)
    secret = pyotp.random_base32()
    desk.session.add(
        TotpRow(account=account, secret=desk.keys.seal(secret), last_step=0, confirmed_at_s=None)
    )
    desk.session.flush()
    return secret


def confirm_totp(desk: PeopleDesk, account: str, code: str) -> bool:
    """Have an app count when it shows the right code, and return whether it did."""
    row = desk.session.get(TotpRow, account)
    if row is None or row.confirmed_at_s is not None or not _use_step(desk, row, code):
        return False
    row.confirmed_at_s = desk.at_s
    desk.session.flush()
    record(desk, account, "totp.add", account)
    return True


def check_totp(desk: PeopleDesk, account: str, code: str) -> bool:
    """Return whether a code is the app's of now; it is right only once."""
    row = desk.session.get(TotpRow, account)
    return row is not None and row.confirmed_at_s is not None and _use_step(desk, row, code)


def has_totp(desk: PeopleDesk, account: str) -> bool:
    """Return whether an account has an app that counts."""
    row = desk.session.get(TotpRow, account)
    return row is not None and row.confirmed_at_s is not None


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
            desk.session.flush()
            return True
    return False
