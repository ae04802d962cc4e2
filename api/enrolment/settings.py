"""The settings of letting gateways in; docs/settings.md lists every key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kwartier.errors import SettingsError
from kwartier.settings import Table


@dataclass(frozen=True, slots=True)
class EnrolmentSettings:
    """How gateways are let in.

    Attributes:
        ca: The folder of the authority.
        broker_url: Where gateways find the broker.
        broker_folder: Where the broker's files are; None where they are kept elsewhere.
        pid_file: The broker's process number, to have it read its files anew; None where
            systemd or somebody else does that.
        owner_words: What a resident is asked to agree with; empty for our own words.
    """

    ca: Path
    broker_url: str
    broker_folder: Path | None = None
    pid_file: Path | None = None
    owner_words: str = ""


def read_enrolment(table: Table, folder: Path) -> EnrolmentSettings:
    """Return the settings of a ``[gateways]`` table; files named in it are sought in ``folder``.

    Raises:
        SettingsError: A key is wrong.
    """
    broker_folder, pid_file = table.text_or_none("broker_folder"), table.text_or_none("pid_file")
    settings = EnrolmentSettings(
        folder / table.text("ca"),
        table.text("broker_url"),
        None if broker_folder is None else folder / broker_folder,
        None if pid_file is None else folder / pid_file,
        table.text("owner_words", ""),
    )
    if not settings.broker_url.startswith("mqtts://"):
        raise SettingsError(f"{table.place}broker_url must be mqtts://HOST:PORT, with TLS")
    table.refuse_the_rest()
    return settings
