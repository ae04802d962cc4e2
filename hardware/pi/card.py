"""Everything that stands on the card of one gateway besides the system itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from hardware.pi.cloud_init import FOLDER, Wifi, meta_data, network_config, user_data
from kwartier.identity import CoopId, GatewayId

PROGRAMS = "/opt/kwartier"
"""Where programs are on the Pi."""
_OURS = (".service", ".path", ".timer", ".conf", ".rules")


@dataclass(frozen=True, slots=True)
class Card:
    """One gateway and where it goes.

    Attributes:
        coop: The cooperative.
        gateway: The gateway's name.
        address: The home's address as people say it; the wizard shows it, nobody else gets it.
        server: Where it asks to be let in: ``https://…``; empty where the installer tells it.
        wifi: A wireless network; None for a cable.
        ssh_keys: Public keys of who may log in; none for nobody.
        read_only: Whether the root becomes read-only.
        config_key: The public key whose signature settings from afar need, in PEM; empty for none.
        update_keys: The public keys of all who sign updates, in PEM; none: no updates are taken.
    """

    coop: CoopId
    gateway: GatewayId
    address: str
    server: str = ""
    wifi: Wifi | None = None
    ssh_keys: tuple[str, ...] = ()
    read_only: bool = False
    config_key: str = ""
    update_keys: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """Its name on the local network."""
        return f"kwartier-{self.gateway.lower().replace('_', '-').replace('.', '-')}"[:63].rstrip(
            "-"
        )

    def boot_files(self) -> dict[str, str]:
        """Return the files of the boot partition by their path on it, wheels not among them."""
        site = "".join(
            f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
            for key, value in (
                ("coop", self.coop),
                ("gateway", self.gateway),
                ("address", self.address),
                ("server", self.server),
                ("slots", PROGRAMS),
            )
        )
        found = {
            "user-data": user_data(self.host, self.ssh_keys, read_only=self.read_only),
            "network-config": network_config(self.wifi),
            f"{FOLDER}/site.toml": site,
        }
        if self.config_key:
            found[f"{FOLDER}/config.pub"] = self.config_key
        for place, key in enumerate(self.update_keys, start=1):
            found[f"{FOLDER}/keys/{place}.pub"] = key
        for path, text in _installed():
            found[f"{FOLDER}/{path}"] = text
        # The instance changes with the contents: a card written anew is taken in anew.
        parts = "\0".join(f"{path}\0{text}" for path, text in sorted(found.items()))
        mark = hashlib.sha256(parts.encode()).hexdigest()[:16]
        found["meta-data"] = meta_data(f"{self.gateway}-{mark}", self.host)
        return found


def _installed() -> Iterator[tuple[str, str]]:
    """Yield what the Pi installs: its script, units and rules."""
    here = files("hardware.pi")
    yield "install.sh", here.joinpath("install.sh").read_text()
    for folder in ("units", "udev"):
        for entry in _sorted(here.joinpath(folder)):
            yield f"{folder}/{entry.name}", entry.read_text()


def _sorted(folder: Traversable) -> list[Traversable]:
    return sorted(
        (one for one in folder.iterdir() if one.name.endswith(_OURS)),
        key=lambda one: one.name,
    )
