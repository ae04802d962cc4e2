"""The books' settings: ``books.toml`` in a folder of their own, beside keys and database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kwartier.errors import SettingsError
from kwartier.identity import CoopId
from kwartier.settings import Table, quoted, read_secret, read_toml

FILE = "books.toml"
"""The settings' name within the books' folder."""
KEYS = "keys"
"""The keys' folder within the books' folder."""
PAPERS = "papers"
"""The folder of printed papers within the books' folder."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody lives; SEPA asks for town and country at the least."""

    street: str
    number: str
    postcode: str
    town: str
    country: str = "NL"


@dataclass(frozen=True, slots=True)
class CoopSettings:
    """The cooperative as it stands on its papers, and where its books are.

    Attributes:
        folder: The books' folder.
        coop: Its name in topics.
        name: Its name for people.
        address: Where it sits.
        kvk: Its number in the trade register.
        vat_number: Its VAT number; empty without one.
        iban: Its bank account.
        creditor_id: Its SEPA creditor identifier; empty as long as it collects nothing.
        phone: Where members ask.
        email: Where members ask.
        database: SQLAlchemy URL of the books.
        owner: SQLAlchemy URL of the role that owns the tables; the same for SQLite.
    """

    folder: Path
    coop: CoopId
    name: str
    address: Address
    kvk: str
    vat_number: str
    iban: str
    creditor_id: str
    phone: str
    email: str
    database: str
    owner: str


def read_settings(folder: Path) -> CoopSettings:
    """Return the settings of a books' folder.

    Raises:
        SettingsError: The file is away or a key in it is wrong; the message names both.
    """
    return read_toml(folder / FILE, lambda top: _settings(top, folder))


def toml_text(settings: CoopSettings, urls: Mapping[str, str]) -> str:
    """Return settings as ``books.toml`` has them, with the given lines about the database."""
    tables: dict[str, Mapping[str, str]] = {
        "cooperative": {
            "id": settings.coop,
            "name": settings.name,
            "kvk": settings.kvk,
            "vat_number": settings.vat_number,
            "iban": settings.iban,
            "creditor_id": settings.creditor_id,
            "phone": settings.phone,
            "email": settings.email,
        },
        "address": asdict(settings.address),
        "database": urls,
    }
    parts = (
        "\n".join(
            [
                f"[{name}]",
                *(f"{key} = {quoted(value)}" for key, value in table.items() if value),
            ]
        )
        for name, table in tables.items()
    )
    return "\n\n".join(parts) + "\n"


def _settings(top: Table, folder: Path) -> CoopSettings:
    company, address, database = (
        top.table("cooperative"),
        top.table("address"),
        top.table("database"),
    )
    url = _url(database, "url", folder)
    settings = CoopSettings(
        folder,
        company.name("id"),
        company.text("name"),
        Address(
            address.text("street"),
            address.text("number"),
            address.text("postcode"),
            address.text("town"),
            address.text("country", "NL"),
        ),
        company.text("kvk", ""),
        company.text("vat_number", ""),
        company.text("iban", ""),
        company.text("creditor_id", ""),
        company.text("phone", ""),
        company.text("email", ""),
        url,
        _url(database, "owner_url", folder, url),
    )
    for table in (company, address, database, top):
        table.refuse_the_rest()
    return settings


def _url(database: Table, key: str, folder: Path, default: str = "sqlite:///books.db") -> str:
    """Return a database URL; SQLite files lie in the folder, and a password in a file."""
    url = (
        read_secret(database, f"{key}_file", folder)
        if f"{key}_file" in database.values
        else database.text(key, default)
    )
    scheme, _, place = url.partition(":///")
    if scheme == "sqlite":
        return f"sqlite:///{folder / place}"
    if not url.startswith("postgresql+psycopg://"):
        raise SettingsError(
            f"{database.place}{key}: use sqlite:///books.db or postgresql+psycopg://…"
        )
    return url
