"""``kwartier provision``: the files on a gateway's card, made on whatever computer has the card."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from gateway.commission.door import FILE as CODE
from gateway.enrol.code import drawn_code
from hardware.pi.card import Card
from hardware.pi.cloud_init import FOLDER, Wifi
from kwartier.errors import InputError, UsageError
from kwartier.identity import checked_name

_LONGEST_ADDRESS = 120
_LONGEST_SSID_BYTES = 32
_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-\S+|ssh-rsa|sk-\S+) [A-Za-z0-9+/=]{40,} ?[^\n]*")
_SYSTEM = ("cmdline.txt", "config.txt")
"""What the boot partition of a Raspberry Pi holds."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--address", required=True, help='the home, such as "Zonnehof 14"')
    parser.add_argument("--gateway", required=True, help="the gateway's name, such as gw-14")
    parser.add_argument("--coop", required=True, help="the cooperative's name on the wire")
    parser.add_argument("--server", default="", help="where it asks to be let in, https://…")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the card's boot partition, or a new or empty folder to look at first",
    )
    parser.add_argument(
        "--wheels",
        type=Path,
        help="a folder with kwartier's wheel and those it needs, made by "
        "'pip download --platform manylinux_2_28_aarch64 --only-binary :all: kwartier[gateway]'; "
        "without it the image has them",
    )
    parser.add_argument("--wifi", metavar="SSID", help="a wireless network; a cable is better")
    parser.add_argument(
        "--wifi-password-file", type=Path, metavar="FILE", help="its password, alone in a file"
    )
    parser.add_argument("--country", default="NL", help="where the radio is used (default NL)")
    parser.add_argument(
        "--ssh-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a public key that may log in as 'installer'; without any nobody can",
    )
    parser.add_argument(
        "--config-key",
        type=Path,
        metavar="FILE.pub",
        help="whose signature settings from afar need ('kwartier update key' makes it)",
    )
    parser.add_argument(
        "--update-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.pub",
        help="a key that must have signed updates: give those of both people, or none for never",
    )
    parser.add_argument(
        "--read-only", action="store_true", help="make the root read-only after the first start"
    )


def run(chosen: argparse.Namespace) -> int:
    """Write the files and say what comes next."""
    card = Card(
        checked_name(chosen.coop, "--coop"),
        checked_name(chosen.gateway, "--gateway"),
        _address(chosen.address),
        _server(chosen.server),
        _wifi(chosen.wifi, chosen.wifi_password_file, chosen.country),
        tuple(_key(path) for path in chosen.ssh_key),
        chosen.read_only,
        "" if chosen.config_key is None else _public(chosen.config_key, "--config-key"),
        _update_keys(chosen.update_key),
    )
    wheels = [] if chosen.wheels is None else _wheels(chosen.wheels)
    out: Path = chosen.out
    _checked_place(out)
    written = _write(card, wheels, out)
    code = _box_code(out)
    sys.stdout.write(
        f"{written + 1} files for {card.gateway} ({card.address}) are in {out}.\n"
        f"Write this code on the box: {code}\n"
        f"Put the card in the Pi, connect network and power, and wait three minutes.\n"
        f"Then open http://{card.host}.local on a telephone in the same network.\n"
    )
    if not card.update_keys:
        sys.stdout.write("No --update-key was given: this gateway takes no updates from afar.\n")
    if not wheels:
        sys.stdout.write("No wheels were given: the card's image must have kwartier already.\n")
    return 0


def _write(card: Card, wheels: list[Path], out: Path) -> int:
    files = card.boot_files()
    try:
        for path, text in files.items():
            target = out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, newline="\n")
        for wheel in wheels:
            folder = out / FOLDER / "wheels"
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(wheel, folder / wheel.name)
    except OSError as error:
        raise InputError(
            f"--out {out}: {error.strerror}: is the card full, or locked by its switch?"
        ) from error
    return len(files) + len(wheels)


def _box_code(out: Path) -> str:
    """Return the code that the wizard of this box asks for; a card written again keeps its code."""
    path = out / FOLDER / CODE
    try:
        if path.exists():
            return path.read_text(encoding="ascii").strip()
        code = drawn_code().typed
        path.write_text(f"{code}\n", newline="\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--out {path}: {error}: write the card anew") from error
    return code


def _checked_place(out: Path) -> None:
    """Refuse a folder that is neither a card nor ours: nothing of somebody else is written over."""
    if not out.exists():
        if not out.parent.is_dir():
            raise UsageError(f"--out {out}: there is no folder {out.parent}")
        return
    if not out.is_dir():
        raise UsageError(f"--out {out} is no folder")
    there = {entry.name for entry in out.iterdir()}
    if there and not any(name in there for name in (*_SYSTEM, "user-data")):
        raise UsageError(
            f"--out {out} holds other files and is no boot partition (there is no cmdline.txt): "
            "name the card's boot partition, or an empty folder"
        )


def _address(words: str) -> str:
    address = " ".join(words.split())
    if not address or len(address) > _LONGEST_ADDRESS or not address.isprintable():
        raise UsageError(f"--address {words[:40]!r}: write it as people say it, in one line")
    return address


def _server(words: str) -> str:
    if words and not re.fullmatch(r"https://[A-Za-z0-9.\-]+(:\d{1,5})?/?", words):
        raise UsageError(f"--server {words[:80]!r}: write https:// and the server's name")
    return words.rstrip("/")


def _wifi(name: str | None, password_file: Path | None, country: str) -> Wifi | None:
    if name is None:
        if password_file is not None:
            raise UsageError("--wifi-password-file without --wifi: name the network too")
        return None
    if not name or len(name.encode()) > _LONGEST_SSID_BYTES or not name.isprintable():
        raise UsageError(f"--wifi {name[:40]!r}: a network's name has 1 to 32 characters")
    if not re.fullmatch(r"[A-Z]{2}", country):
        raise UsageError(f"--country {country!r}: write two capitals, such as NL")
    password = "" if password_file is None else _line_of(password_file, "--wifi-password-file")
    if password and not 8 <= len(password) <= 63:
        raise InputError(f"--wifi-password-file {password_file}: a password has 8 to 63 characters")
    return Wifi(name, password, country)


def _key(path: Path) -> str:
    key = _line_of(path, "--ssh-key")
    if "PRIVATE" in key or not _KEY.fullmatch(key):
        raise InputError(
            f"--ssh-key {path}: this is no public key; it begins with ssh-ed25519 and ends in .pub"
        )
    return key


def _update_keys(files: list[Path]) -> tuple[str, ...]:
    from gateway.care.bundle import SIGNATURES

    keys = tuple(_public(file, "--update-key") for file in files)
    if keys and len(set(keys)) != SIGNATURES:
        raise UsageError(
            "--update-key: give the keys of two people: each of them must have signed an update"
        )
    return keys


def _public(path: Path, option: str) -> str:
    """Return a public key as its file has it; a key that signs is never put on a card."""
    from gateway.care.keys import read_public_key

    try:
        read_public_key(path)
        return path.read_text(encoding="ascii")
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(f"{option} {error}") from error


def _line_of(path: Path, option: str) -> str:
    try:
        lines = path.read_text().strip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{option} {path} cannot be read: {error}") from error
    if len(lines) != 1 or len(lines[0]) > 4096:
        raise InputError(f"{option} {path}: there must be one line in it")
    return lines[0].strip()


def _wheels(folder: Path) -> list[Path]:
    """Return the wheels of a folder, kwartier's among them."""
    found = sorted(folder.glob("*.whl")) if folder.is_dir() else []
    if not any(wheel.name.startswith("kwartier-") for wheel in found):
        raise InputError(f"--wheels {folder}: kwartier's own wheel is not there")
    for wheel in found:
        _checked_wheel(wheel)
    return found


def _checked_wheel(wheel: Path) -> None:
    try:
        with ZipFile(wheel) as opened:
            whole = any(name.endswith(".dist-info/METADATA") for name in opened.namelist())
    except (OSError, BadZipFile):
        whole = False
    if not whole:
        raise InputError(f"--wheels {wheel} is no wheel, or was cut off: fetch it again")
    *_, platform = wheel.stem.split("-")
    if platform != "any" and "aarch64" not in platform:
        raise InputError(
            f"--wheels {wheel.name} is for another machine: a Pi with a 64-bit system takes "
            "wheels that end in aarch64 or any"
        )
