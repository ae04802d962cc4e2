"""What opens a HomeWizard meter that answers over TLS: its token, and which device has it.

The file is made by ``kwartier p1 pair`` and holds one JSON object; only its owner may read it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from gateway.p1.homewizard_ca import VENDOR_CA
from gateway.p1.secret_file import read_secret_file
from kwartier.durable import replace_file
from kwartier.errors import SettingsError

_REMEDY = "make it with 'kwartier p1 pair'"
_TOKEN = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)
_APPLIANCE = re.compile(r"appliance/p1dongle/[0-9a-fA-F]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class HomeWizardKey:
    """The right to ask one meter.

    Attributes:
        appliance: The common name of its certificate, ``appliance/p1dongle/SERIAL``.
        token: What it gave when its button was pressed; never shown.
        authority: Who vouches for it, in PEM.
    """

    appliance: str
    token: str = field(repr=False)
    authority: str = field(default=VENDOR_CA, repr=False)


def is_p1_appliance(name: str) -> bool:
    """Return whether a certificate's common name is a P1 meter's."""
    return _APPLIANCE.fullmatch(name) is not None


def is_token(text: str) -> bool:
    """Return whether a text has the form of a token: 32 hexadecimal digits."""
    return _TOKEN.fullmatch(text) is not None


def read_homewizard_key(path: Path) -> HomeWizardKey:
    """Return the key in a file.

    Raises:
        SettingsError: The file is away, others can read it, or it holds something else.
    """
    content = read_secret_file(path, "token", _REMEDY)
    try:
        table = json.loads(content)
    except (ValueError, RecursionError):
        table = None
    appliance = table.get("appliance") if isinstance(table, dict) else None
    token = table.get("token") if isinstance(table, dict) else None
    if (
        not isinstance(appliance, str)
        or not isinstance(token, str)
        or not is_p1_appliance(appliance)
        or not is_token(token)
    ):
        raise SettingsError(f"{path}: names no meter and token: {_REMEDY}")
    return HomeWizardKey(appliance, token)


def write_homewizard_key(path: Path, key: HomeWizardKey) -> None:
    """Write a key where only its owner can read it.

    Raises:
        SettingsError: The file cannot be written.
    """
    content = json.dumps({"appliance": key.appliance, "token": key.token}).encode() + b"\n"
    try:
        replace_file(path, content, 0o600)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written: {error.strerror}") from error
