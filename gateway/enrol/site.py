"""What stands on a gateway's card: whose it is, and where it asks to be let in.

``kwartier provision`` writes it, the Pi keeps it in the gateway's folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kwartier.identity import CoopId, GatewayId
from kwartier.settings import Table, read_toml

FILE = "site.toml"
CONFIG_KEY_FILE = "config.pub"
"""Beside it, where the card has one: whose signature settings from afar need."""
TRIAL_FILE = "trial.json"
"""Beside it: where the gateway notes what came of a new program; root reads it there."""


@dataclass(frozen=True, slots=True)
class Site:
    """One card.

    Attributes:
        coop: The cooperative it was made for.
        gateway: The gateway it was made for.
        address: The home as people say it.
        server: Where it asks to be let in; empty where the installer tells it.
        slots: Where programs are; empty where updates are nobody's.
    """

    coop: CoopId
    gateway: GatewayId
    address: str
    server: str
    slots: str = ""


def read_site(folder: Path) -> Site | None:
    """Return what the card said; None for a gateway that has no card of ours.

    Raises:
        SettingsError: The file cannot be read, or a key is wrong.
    """
    path = folder / FILE
    return read_toml(path, _site) if path.exists() else None


def _site(top: Table) -> Site:
    site = Site(
        top.name("coop"),
        top.name("gateway"),
        top.text("address"),
        top.text("server", ""),
        top.text("slots", ""),
    )
    top.refuse_the_rest()
    return site
