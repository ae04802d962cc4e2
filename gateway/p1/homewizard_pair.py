"""Pairing with a HomeWizard meter: somebody presses its button, and it gives a token.

Source:
    HomeWizard, "Local API" documentation, v2 Authorization: ``POST /api/user`` is answered 403
    until the button was pressed, and 200 with a token for 30 s after that.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from gateway.p1.homewizard import checked_homewizard
from gateway.p1.homewizard_ca import VENDOR_CA
from gateway.p1.homewizard_key import (
    HomeWizardKey,
    is_p1_appliance,
    is_token,
    write_homewizard_key,
)
from gateway.p1.homewizard_line import HomeWizardLine
from kwartier.cli import print_json
from kwartier.errors import LinkDownError, TemporaryError, UsageError
from kwartier.identity import checked_name

PATIENCE_S = 120.0
"""How long the button is waited for [s]."""
SEALED_PORT = 443
_USER = "/api/user"
_EVERY_S = 1.0
_TIMEOUT_S = 10.0
_OK, _NOT_YET = 200, 403


class NotPairedError(TemporaryError):
    """The meter gave no token; trying again can help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``kwartier p1 pair``."""
    parser.add_argument("address", metavar="ADDRESS", help="homewizard://HOST, as in the settings")
    parser.add_argument(
        "--token-file",
        type=Path,
        required=True,
        metavar="FILE",
        help="where the token goes, for 'token_file' of the settings; read by nobody else",
    )
    parser.add_argument(
        "--name",
        default="kwartier",
        help="whose token it is: the meter's former one of this name ends (default: %(default)s)",
    )


def run(chosen: argparse.Namespace) -> int:
    """Ask for a token until the button was pressed, write it down and return 0.

    Raises:
        UsageError: The file is there already.
        NotPairedError: Nobody pressed the button in time, or it is no P1 meter of HomeWizard's.
    """
    file: Path = chosen.token_file
    if file.exists():
        raise UsageError(f"{file} is there already: name another, or remove it first")
    name = checked_name(chosen.name, "--name")
    sys.stderr.write("Press the button of the P1 meter now.\n")
    key = paired(chosen.address, name)
    write_homewizard_key(file, key)
    print_json({"appliance": key.appliance, "token_file": str(file)})
    return 0


def paired(
    address: str,
    name: str,
    *,
    authority: str = VENDOR_CA,
    patience_s: float = PATIENCE_S,
    pause: Callable[[float], object] = time.sleep,
    every_s: float = _EVERY_S,
) -> HomeWizardKey:
    """Return the key that a meter gives once its button was pressed.

    Args:
        address: ``homewizard://HOST``, with a port where it is not 443.
        name: Whose token it is, for the meter's list.
        authority: Who must vouch for the meter, in PEM.
        patience_s: How long the button is waited for [s].
        pause: Waits so many seconds.
        every_s: Between two questions [s].

    Raises:
        SettingsError: The address is none.
        NotPairedError: Nobody pressed the button in time, or it is no P1 meter of HomeWizard's.
    """
    host, port = checked_homewizard(address, SEALED_PORT)
    line = HomeWizardLine(address, host, port, _TIMEOUT_S)
    body = json.dumps({"name": f"local/{name}"}).encode()
    until_s = time.monotonic() + patience_s
    why = "nobody pressed its button"
    while time.monotonic() < until_s:
        try:
            status, told, appliance = line.post_sealed(_USER, body, authority)
        except LinkDownError as error:
            why = str(error)
            line.lost()
        else:
            if not is_p1_appliance(appliance):
                raise NotPairedError(f"{address}: this is no P1 meter of HomeWizard's")
            if status == _OK:
                return HomeWizardKey(appliance, _token_in(address, told), authority)
            why = "nobody pressed its button"
            if status != _NOT_YET:
                why = f"it answers with status {status}: does it have firmware 6.00 or later?"
        pause(every_s)
    raise NotPairedError(f"{address}: no token within {patience_s:.0f} s: {why}")


def _token_in(address: str, told: bytes) -> str:
    try:
        table = json.loads(told)
    except (ValueError, RecursionError):
        table = None
    token = table.get("token") if isinstance(table, dict) else None
    if not isinstance(token, str) or not is_token(token):
        raise NotPairedError(f"{address}: its answer holds no token: try again")
    return token
