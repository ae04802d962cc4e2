"""Invitations: a code that lets somebody in for the first time, or again when all else is lost."""

from __future__ import annotations

from api.people.accounts import account_of
from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import UnknownError
from api.people.mail_links import set_email
from api.people.tokens import Purpose, drawn_token, drop_tokens, keep_token, use_token

LIFE_S = 7 * 86_400
"""How long an invitation opens [s]."""


def invite(desk: PeopleDesk, by: str, account: str, email: str = "") -> str:
    """Return the code of a new invitation to an account; its older ones open nothing.

    Args:
        desk: The open book.
        by: Who invites.
        account: Who is invited.
        email: Where the code is sent and nowhere else: who uses it has that address. Personal.

    Raises:
        UnknownError: The account has ended.
    """
    if account_of(desk, account).ended_at_s is not None:
        raise UnknownError("this account has ended")
    drop_tokens(desk, Purpose.INVITE, account)
    code = drawn_token()
    facts = {"email": email} if email else {}
    keep_token(desk, code, Purpose.INVITE, LIFE_S, account=account, facts=facts)
    record(desk, by, "invite.give", account)
    return code


def accept(desk: PeopleDesk, code: str) -> str:
    """Return whose invitation a code is; it opens nothing any more.

    Raises:
        DeniedError: It is none, was used, or has run out.
    """
    token = use_token(desk, code, Purpose.INVITE)
    account = token.account
    if "email" in token.facts:
        set_email(desk, account, account, token.facts["email"])
    record(desk, account, "invite.use", account)
    return account
