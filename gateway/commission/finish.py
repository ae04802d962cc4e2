"""The settings of the gateway, written from what was found: nobody types an address."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterator
from pathlib import Path

from gateway.commission.by_hand import with_what_stood_there
from gateway.commission.commissioned import FILE
from gateway.commission.device_settings import device_lines
from gateway.commission.found import Found
from gateway.enrol.identity import Enrolled, Identity
from gateway.enrol.kept import write_whole
from gateway.enrol.server import Server
from gateway.enrol.site import CONFIG_KEY_FILE, TRIAL_FILE, read_site
from gateway.settings import settings_of
from kwartier.errors import InputError, SettingsError
from kwartier.settings import quoted

_log = logging.getLogger(__name__)


def settings_text(
    enrolled: Enrolled,
    identity: Identity,
    cable: str,
    line: str,
    devices: tuple[Found, ...],
    server: Server | None = None,
) -> str:
    """Return ``gateway.toml`` of a home.

    Args:
        enrolled: What the server told.
        identity: Whose files prove it to the broker.
        cable: The meter's; empty when it has none.
        line: How the cable speaks, ``dsmr4`` or ``dsmr2``.
        devices: What was found.
        server: Who let it in and renews its certificate; None where nobody does.
    """
    lines = [
        "# Written when this home was brought on the air; the keys stand in docs/settings.md.",
        f"coop = {quoted(enrolled.coop)}",
        f"gateway = {quoted(enrolled.gateway)}",
        f"commissioned_file = {quoted(FILE)}",
        "",
        "[broker]",
        f"url = {quoted(enrolled.broker_url)}",
        *_proof(enrolled, identity),
        *_renewal(identity, server),
        *_care(identity),
    ]
    if cable:
        lines += ["", "[[p1]]", f"address = {quoted(cable)}", f"line = {quoted(line)}"]
    for device in devices:
        lines += device_lines(device)
    return "\n".join(lines) + "\n"


def write_settings(path: Path, text: str) -> None:
    """Put ``gateway.toml`` in place, whole, with what somebody else wrote into the one before.

    One that is no TOML, or that does not go together with what was found, is put aside as
    ``gateway.toml.old``.

    Raises:
        InputError: The one before cannot be read, and stays.
        IdentityWriteError: The disk takes nothing.
    """
    try:
        before, mode = path.read_bytes(), path.stat().st_mode & 0o777
    except FileNotFoundError:
        write_whole(path, text.encode())
        return
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        merged = with_what_stood_there(text, before.decode())
        why_not = _refusal(merged, path.parent)
        if why_not is not None and _refusal(text, path.parent) is not None:
            why_not = None  # that is not what somebody wrote by hand
    except ValueError as error:  # no TOML, or no UTF-8
        merged, why_not = text, str(error)
    if why_not is not None:
        aside = path.with_name(f"{path.name}.old")
        _log.warning("%s cannot be kept, and is put aside as %s: %s", path, aside.name, why_not)
        write_whole(aside, before, mode)
    text = merged if why_not is None else text
    if text.encode() != before:
        write_whole(path, text.encode(), mode)


def _refusal(text: str, folder: Path) -> str | None:
    """Return why a gateway does not begin with these settings, or None."""
    try:
        settings_of(tomllib.loads(text), folder)
    except (InputError, SettingsError) as error:
        return str(error)
    return None


def _proof(enrolled: Enrolled, identity: Identity) -> Iterator[str]:
    if not enrolled.broker_url.startswith("mqtts:"):
        return
    tls = identity.tls()
    for key, file in (
        ("ca_file", tls.ca_file),
        ("certificate_file", tls.certificate_file),
        ("key_file", tls.key_file),
    ):
        if file is not None:
            yield f"{key} = {quoted(str(file.absolute()))}"


def _renewal(identity: Identity, server: Server | None) -> Iterator[str]:
    if server is None:
        return
    yield from ("", "[identity]", f"enrolled_folder = {quoted(str(identity.folder.absolute()))}")
    yield f"server = {quoted(server.url)}"
    if server.ca_file is not None:
        yield f"server_ca_file = {quoted(str(server.ca_file.absolute()))}"


def _care(identity: Identity) -> Iterator[str]:
    """Yield whose wishes are taken from afar, and where programs are, as the card says."""
    site = read_site(identity.folder)
    slots = "" if site is None else site.slots
    known = (identity.folder / CONFIG_KEY_FILE).exists()
    if known or slots:
        yield from ("", "[care]")
    if known:
        yield f"config_key_file = {quoted(CONFIG_KEY_FILE)}"
    if slots:
        yield from (f"slots = {quoted(slots)}", f"trial_file = {quoted(TRIAL_FILE)}")
