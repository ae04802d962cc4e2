"""Links by mail: one that logs in, and one that shows whose a mail address is."""

from __future__ import annotations

from email.utils import parseaddr

from sqlalchemy import select

from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import DeniedError, PeopleError
from api.people.passwords import email_fingerprint
from api.people.tables import AccountRow
from api.people.tokens import Purpose, drawn_token, drop_tokens, keep_token, use_token

LIFE_S = 900
"""How long a link to log in opens [s]."""
EMAIL_LIFE_S = 86_400
"""How long somebody has to show that a mail address is theirs [s]."""
LONGEST = 254


def login_code(desk: PeopleDesk, email: str) -> tuple[str, str] | None:
    """Return an account's id and a code that logs it in; None when nobody has this address."""
    account = account_of_email(desk, email)
    if account is None:
        return None
    drop_tokens(desk, Purpose.MAIL, account)
    code = drawn_token()
    keep_token(desk, code, Purpose.MAIL, LIFE_S, account=account)
    record(desk, account, "mail.link", account)
    return account, code


def account_of_email(desk: PeopleDesk, email: str) -> str | None:
    """Return whose a mail address is that was shown to be theirs, or None."""
    wanted = select(AccountRow.id).where(
        AccountRow.email_fingerprint == email_fingerprint(desk, email),
        AccountRow.ended_at_s.is_(None),
    )
    return desk.session.scalars(wanted).first()


def email_code(desk: PeopleDesk, account: str, email: str) -> str:
    """Return a code that, sent to a mail address, shows that it is the account's.

    Raises:
        PeopleError: It is no mail address.
    """
    address = email_checked(email)
    drop_tokens(desk, Purpose.EMAIL, account)
    code = drawn_token()
    facts = {"email": address}
    keep_token(desk, code, Purpose.EMAIL, EMAIL_LIFE_S, account=account, facts=facts)
    record(desk, account, "email.ask", account)
    return code


def keep_email(desk: PeopleDesk, code: str) -> str:
    """Keep the address a code was sent to, and return whose it is.

    Raises:
        DeniedError: The code opens nothing, or the address is somebody else's by now.
    """
    token = use_token(desk, code, Purpose.EMAIL)
    set_email(desk, token.account, token.account, token.facts["email"])
    return token.account


def set_email(desk: PeopleDesk, by: str, account: str, email: str) -> None:
    """Keep a mail address that was shown to be somebody's.

    Raises:
        DeniedError: It is somebody else's.
    """
    mark = email_fingerprint(desk, email)
    holder = desk.session.scalars(
        select(AccountRow.id).where(AccountRow.email_fingerprint == mark)
    ).first()
    if holder not in {None, account}:
        raise DeniedError("this code opens nothing: it was used, or it has run out")
    row = desk.session.get_one(AccountRow, account)
    row.email, row.email_fingerprint = desk.keys.seal(email.strip()), mark
    desk.session.flush()
    record(desk, by, "email.set", account)


def drop_email(desk: PeopleDesk, by: str, account: str) -> None:
    """Forget an account's mail address."""
    row = desk.session.get_one(AccountRow, account)
    row.email, row.email_fingerprint = desk.keys.seal(""), None
    desk.session.flush()
    record(desk, by, "email.end", account)


def email_checked(email: str) -> str:
    """Return a mail address in its plain form.

    Raises:
        PeopleError: It is none.
    """
    typed = email.strip()
    plain = parseaddr(typed)[1]
    name, _, host = plain.rpartition("@")
    fine = plain == typed and name and "." in host and typed.isprintable() and " " not in typed
    if not fine or len(typed) > LONGEST:
        raise PeopleError("this is no mail address: write it as 'naam@voorbeeld.nl'")
    return typed
