"""One ``[[p1]]`` of the gateway's settings; docs/settings.md lists every key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.p1.homewizard import SCHEME, checked_homewizard
from gateway.p1.homewizard_key import HomeWizardKey, read_homewizard_key
from gateway.p1.plausible import USUAL_FUSE_A
from gateway.p1.sealed import SealKeys, read_key
from gateway.p1.serial_port import DSMR_2, DSMR_4, LineSettings, checked_address
from kwartier.errors import SettingsError
from kwartier.identity import DeviceId
from kwartier.settings import Table

_LINES = {"dsmr4": DSMR_4, "dsmr2": DSMR_2}


@dataclass(frozen=True, slots=True)
class P1Line:
    """One meter's P1 port.

    Attributes:
        device: The meter's name on this gateway.
        address: A serial device, ``socket://HOST:PORT`` or ``homewizard://HOST``.
        line: How a serial device speaks.
        fuse_a: The fuse of one phase of the connection [A].
        keys: Open its telegrams; None for a meter that does not seal them.
        token: Opens a HomeWizard over TLS; None for its plain API, and for every other address.
    """

    device: DeviceId
    address: str
    line: LineSettings
    fuse_a: int = USUAL_FUSE_A
    keys: SealKeys | None = None
    token: HomeWizardKey | None = None


def read_p1(row: Table, folder: Path) -> P1Line:
    """Return one line; key files are sought in ``folder``.

    Raises:
        SettingsError: A key is wrong, or others can read a key file.
    """
    name = row.text("line", "dsmr4")
    if name not in _LINES:
        raise SettingsError(f"{row.place}line is {name!r}: use {' or '.join(sorted(_LINES))}")
    line = P1Line(
        row.name("device", "p1"),
        _address(row),
        _LINES[name],
        row.whole("fuse_a", 80, low=6, high=2000),
        _keys(row, folder),
        _token(row, folder),
    )
    row.refuse_the_rest()
    return line


def _address(row: Table) -> str:
    address = row.text("address")
    try:
        if address.startswith(SCHEME):
            checked_homewizard(address)
            return address
        return checked_address(address)
    except SettingsError as error:
        raise SettingsError(f"{row.place}address: {error}") from error


def _token(row: Table, folder: Path) -> HomeWizardKey | None:
    file = row.text_or_none("token_file")
    if file is None:
        return None
    if not row.text("address").startswith(SCHEME):
        raise SettingsError(f"{row.place}token_file is for an address {SCHEME}HOST: leave it out")
    try:
        return read_homewizard_key(folder / file)
    except SettingsError as error:
        raise SettingsError(f"{row.place}token_file: {error}") from error


def _keys(row: Table, folder: Path) -> SealKeys | None:
    sealed, vouched = row.text_or_none("key_file"), row.text_or_none("authentication_key_file")
    if sealed is None:
        if vouched is not None:
            raise SettingsError(f"{row.place}authentication_key_file opens nothing: add key_file")
        return None
    try:
        second = None if vouched is None else read_key(folder / vouched)
        return SealKeys(read_key(folder / sealed), second)
    except SettingsError as error:
        raise SettingsError(f"{row.place}key_file: {error}") from error
