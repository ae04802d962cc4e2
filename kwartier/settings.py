"""Settings from TOML, read strictly: every key is known, of its kind, and in its range."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from kwartier.errors import InputError, SettingsError
from kwartier.identity import checked_name

Read = TypeVar("Read")
_CREDENTIAL = "credential:"


def read_toml(path: Path, read: Callable[[Table], Read]) -> Read:
    """Return what ``read`` makes of a TOML file.

    Raises:
        SettingsError: The file is away, is no TOML, or a key is wrong; file and key are named.
    """
    try:
        with path.open("rb") as file:
            return read(Table(tomllib.load(file)))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is no TOML: {error}") from error
    except (InputError, SettingsError) as error:
        raise SettingsError(f"{path}: {error}") from error


def quoted(text: str) -> str:
    """Return a text between quotes as TOML has it, its letters as people type them.

    JSON escapes what TOML forbids, but for DEL; and letters beyond 65,535 it escapes as TOML does
    not, so letters are left alone.
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def place_of(name: str, folder: Path) -> Path:
    """Return where the file is that a setting names.

    Args:
        name: Its name; ``credential:NAME`` is what the service manager or the containers' secrets
            hand to this process alone.
        folder: Where the file is sought when its name is not absolute.

    Raises:
        SettingsError: A credential's name is a path.
    """
    if not name.startswith(_CREDENTIAL):
        return folder / name
    credential = name.removeprefix(_CREDENTIAL)
    if not credential or "/" in credential or credential.startswith("."):
        raise SettingsError(f"{name!r} is no credential: write {_CREDENTIAL}NAME, without a path")
    return Path(os.environ.get("CREDENTIALS_DIRECTORY", "/run/secrets")) / credential


def read_secret(table: Table, key: str, folder: Path) -> str:
    """Return the one line of the file that a key names; the secret itself is in no setting.

    Args:
        table: Where the key stands.
        key: Its name, such as ``password_file``.
        folder: Where the file is sought when its name is not absolute.

    Raises:
        SettingsError: The file is away or empty; its content is in no message.
    """
    file = place_of(table.text(key), folder)
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no text"
        raise SettingsError(f"{table.place}{key}: {file}: {reason}") from None
    if not secret:
        raise SettingsError(f"{table.place}{key}: {file} is empty: put the secret in it")
    return secret


class Table:
    """One TOML table, whose keys are taken one by one; what is left over was misspelt.

    Attributes:
        values: The keys as they were parsed.
        place: Where the table stands, such as ``battery[0].``, for messages.
    """

    def __init__(self, values: Mapping[str, object], place: str = "") -> None:
        """Read a parsed table that stands at ``place``."""
        self.values = values
        self.place = place
        self._taken: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text."""
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, value, "a text in quotes")
        return value

    def text_or_none(self, key: str) -> str | None:
        """Return a text, or None where the key is away."""
        return self.text(key) if key in self.values else None

    def name(self, key: str, default: str | None = None) -> str:
        """Return a name fit for a topic."""
        return checked_name(self.text(key, default), f"{self.place}{key}")

    def name_or_none(self, key: str) -> str | None:
        """Return a name fit for a topic, or None where the key is away."""
        return self.name(key) if key in self.values else None

    def whole(
        self, key: str, default: int | None = None, *, low: int = -(2**53), high: int = 2**53
    ) -> int:
        """Return a whole number in a range."""
        value = self._take(key, default)
        if type(value) is not int or not low <= value <= high:
            raise self._wrong(key, value, f"a whole number from {low} to {high}")
        return value

    def whole_or_none(self, key: str) -> int | None:
        """Return a whole number, or None where the key is away."""
        return self.whole(key) if key in self.values else None

    def number(self, key: str, default: float | None = None, *, high: float = 1e9) -> float:
        """Return a number from 0 to ``high``."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
            raise self._wrong(key, value, f"a number from 0 to {high:g}")
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def euro(self, key: str, default: str | None = None) -> Decimal:
        """Return an exact amount of money, written as a text such as ``"0.18"``."""
        text = self.text(key, default)
        try:
            amount = Decimal(text)
        except InvalidOperation:
            raise self._wrong(key, text, 'an amount such as "0.18"') from None
        if not amount.is_finite() or abs(amount) > 1000:
            raise self._wrong(key, text, "an amount of at most 1000")
        return amount

    def table(self, key: str) -> Table:
        """Return a table; an empty one where the key is away."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise self._wrong(key, value, f"a table [{key}]")
        return Table(value, f"{self.place}{key}.")

    def tables(self, key: str, most: int = 10_000) -> list[Table]:
        """Return a list of tables; an empty one where the key is away."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self._wrong(key, value, f"a list of tables [[{key}]]")
        if len(value) > most:
            raise SettingsError(f"{self.place}{key} has {len(value)} tables: at most {most}")
        return [Table(row, f"{self.place}{key}[{place}].") for place, row in enumerate(value)]

    def refuse_the_rest(self) -> None:
        """Refuse every key that nobody asked for."""
        unknown = sorted(set(self.values) - self._taken)
        if unknown:
            known = ", ".join(sorted(self._taken))
            raise SettingsError(f"{self.place}{unknown[0]} is not known here; there are: {known}")

    def _take(self, key: str, default: object) -> object:
        self._taken.add(key)
        if key in self.values:
            return self.values[key]
        if default is None:
            raise SettingsError(f"{self.place}{key} is missing: add it")
        return default

    def _wrong(self, key: str, value: object, wanted: str) -> SettingsError:
        return SettingsError(f"{self.place}{key} is {str(value)[:60]!r}: it must be {wanted}")
