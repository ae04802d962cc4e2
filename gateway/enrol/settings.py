"""The settings of a gateway's identity; docs/settings.md lists every key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.enrol.server import Server
from kwartier.settings import Table


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """Where a gateway's certificate is, and who renews it.

    Attributes:
        folder: The folder of its key and certificate.
        server: Who let it in.
    """

    folder: Path
    server: Server


def read_identity(table: Table, folder: Path) -> IdentitySettings | None:
    """Return the settings of an ``[identity]`` table; None where there is none.

    Raises:
        SettingsError: A key is wrong.
    """
    if not table.values:
        return None
    ca_file = table.text_or_none("server_ca_file")
    settings = IdentitySettings(
        folder / table.text("enrolled_folder"),
        Server(table.text("server"), None if ca_file is None else folder / ca_file),
    )
    table.refuse_the_rest()
    return settings
