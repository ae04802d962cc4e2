"""How books begin: settings, keys, tables and two officers at once, or nothing at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from api.cooperative.database import Books
from api.cooperative.errors import BooksError
from api.cooperative.keys import Keys, make_keys
from api.cooperative.officers import Officer, Role
from api.cooperative.plain_text import checked_line
from api.cooperative.registry.numbers import (
    checked_creditor_id,
    checked_iban,
    checked_kvk,
    checked_vat_number,
)
from api.cooperative.registry.officer_book import NewSecret, OfficerTerm, first_officers
from api.cooperative.registry.party_book import Party, PartyKind, add_party
from api.cooperative.schema import bring_up_to_date
from api.cooperative.settings import FILE, KEYS, PAPERS, CoopSettings, read_settings, toml_text
from kwartier.clock import Clock
from kwartier.durable import create_file, sync_folder
from kwartier.errors import SettingsError


@dataclass(frozen=True, slots=True)
class FirstOfficer:
    """One of the two who begin the books.

    Attributes:
        account: The account's name.
        person: The party that is made for the person.
        name: The person's name. Personal.
    """

    account: str
    person: str
    name: str


def found(
    settings: CoopSettings,
    urls: dict[str, str],
    treasurer: FirstOfficer,
    board: FirstOfficer,
    clock: Clock,
    more_keys: Callable[[Path], None] = lambda _: None,
) -> tuple[NewSecret, ...]:
    """Make the books' folder with all that is in it, and return the two one-time secrets.

    Everything is made in a folder beside it, which takes its place at the very end.

    Args:
        settings: The cooperative; its folder is made.
        urls: The lines of ``[database]``, such as ``{"url": "sqlite:///books.db"}``.
        treasurer: Proposes, prepares and pays; is a member of the board too.
        board: Another person of the board.
        clock: What time it is.
        more_keys: Makes other keys in the folder it is given, such as the backup's.

    Raises:
        SettingsError: The folder holds something already, or cannot be made.
        BooksError: A number is wrong, both officers are one person, or books are there already.
    """
    folder = settings.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} holds something already: name a folder that is new or empty")
    checked = _checked(settings)
    begun = folder.parent / f".{folder.name}-{secrets.token_hex(4)}"
    try:
        begun.mkdir(mode=0o700, parents=True)
        (begun / PAPERS).mkdir(mode=0o700)
        keys = make_keys(begun / KEYS)
        more_keys(begun / KEYS)
        create_file(begun / FILE, toml_text(checked, urls).encode(), 0o600)
        given = _begin(read_settings(begun), keys, (treasurer, board), clock)
        begun.replace(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise SettingsError(f"{folder}: cannot be made: {error.strerror}") from error
    finally:
        shutil.rmtree(begun, ignore_errors=True)
    return given


def _begin(
    settings: CoopSettings, keys: Keys, both: tuple[FirstOfficer, FirstOfficer], clock: Clock
) -> tuple[NewSecret, ...]:
    if both[0].person == both[1].person or both[0].account == both[1].account:
        raise BooksError("the first two officers are two accounts of two different persons")
    if both[0].name.casefold().split() == both[1].name.casefold().split():
        raise BooksError("the first two officers have one name: they must be two persons")
    bring_up_to_date(settings.owner, settings.database)
    roles = frozenset({Role.TREASURER, Role.BOARD}), frozenset({Role.BOARD})
    books = Books(settings.database, keys, clock)
    try:
        founder = Officer(both[0].account, both[0].person, roles[0])
        with books.desk(founder) as desk:
            for officer in both:
                add_party(desk, Party(officer.person, PartyKind.RESIDENT, officer.name))
            return first_officers(
                desk,
                *(
                    OfficerTerm(officer.account, officer.person, may)
                    for officer, may in zip(both, roles, strict=True)
                ),
            )
    finally:
        books.close()


def _checked(settings: CoopSettings) -> CoopSettings:
    """Return the settings with every number checked and written without spaces."""
    for name, text, least in (
        ("name", settings.name, 1),
        ("street", settings.address.street, 1),
        ("number", settings.address.number, 1),
        ("postcode", settings.address.postcode, 1),
        ("town", settings.address.town, 1),
        ("phone", settings.phone.lstrip("+"), 0),
        ("email", settings.email, 0),
    ):
        checked_line(text, name, least, 70)
    return replace(
        settings,
        kvk=settings.kvk and checked_kvk(settings.kvk),
        vat_number=settings.vat_number and checked_vat_number(settings.vat_number),
        iban=settings.iban and checked_iban(settings.iban),
        creditor_id=settings.creditor_id and checked_creditor_id(settings.creditor_id),
    )
