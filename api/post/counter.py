"""The counter: what a message needs on its way out of the house."""

from __future__ import annotations

from dataclasses import dataclass

from api.house import House
from api.mail import Mailer
from api.office import Office
from api.people.accounts import account_of
from api.people.book import PeopleBook, PeopleDesk
from api.people.wishes import Channel
from api.post.hook import Hook
from kwartier.errors import InputError


@dataclass(frozen=True, slots=True)
class Counter:
    """What sends messages.

    Attributes:
        people: Accounts, wishes and the outbox.
        office: The cooperative's books; None where none are kept.
        mailer: Takes letters away; None where no mail server is set.
        hook: Takes everything else; None where no address is set.
        public_url: Where the pages are, without a slash at the end.
        name: The neighbourhood's name, under every letter.
    """

    people: PeopleBook
    office: Office | None
    mailer: Mailer | None
    hook: Hook | None
    public_url: str
    name: str

    @classmethod
    def of(cls, house: House) -> Counter:
        """Return the counter of a house."""
        return cls(
            house.people,
            house.office,
            house.mailer,
            house.hook,
            house.public_url,
            house.community.name,
        )

    @property
    def ways(self) -> frozenset[Channel]:
        """The ways that are open."""
        email = {Channel.EMAIL} if self.mailer is not None else set()
        return frozenset(email | ({Channel.WEBHOOK} if self.hook is not None else set()))


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a message.

    Attributes:
        account: Their account; empty without one.
        party: Their id in the books; empty without one.
        email: Where mail goes; empty without. Personal.
        language: Of what they read.
    """

    account: str
    party: str
    email: str
    language: str


def reader_of(desk: PeopleDesk, office: Office | None, account: str) -> Reader | None:
    """Return who an account is; None when it ended.

    What they chose here comes first, what the books know of them second.
    """
    known = account_of(desk, account)
    if known.ended_at_s is not None:
        return None
    email, language = "", "nl"
    if known.party and office is not None and not (known.email and known.language):
        email, language = _in_the_books(office, known.party)
    return Reader(account, known.party, known.email or email, known.language or language)


def _in_the_books(office: Office, party: str) -> tuple[str, str]:
    from api.cooperative.registry import party as party_in_books

    try:
        with office.reading() as desk:
            found = party_in_books(desk, party)
    except InputError:
        return "", "nl"
    return found.email, found.language.value
