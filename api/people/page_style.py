"""How somebody wants pages: in which language, and with words or with pictures."""

from __future__ import annotations

from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.tables import AccountRow


def choose_language(desk: PeopleDesk, account: str, tag: str) -> None:
    """Keep the language somebody chose; an empty tag follows the browser."""
    desk.session.get_one(AccountRow, account).language = tag[:8]
    desk.session.flush()
    record(desk, account, "account.language", account)


def choose_pictures(desk: PeopleDesk, account: str, *, pictures: bool) -> None:
    """Keep whether somebody wants pages of pictures and numbers."""
    desk.session.get_one(AccountRow, account).pictures = pictures
    desk.session.flush()
    record(desk, account, "account.pictures", account)
