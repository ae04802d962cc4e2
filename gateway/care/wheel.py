"""A wheel unpacked: plain files below one folder, of bounded number and size.

Unpacking is all that is done: nothing of an update runs before it is tried, and no installer is
needed on the Pi. Scripts, headers and data files of a wheel are left out; the gateway uses none.

Source:
    PyPA, Binary distribution format 1.0 ("Installing a wheel").
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from kwartier.errors import ContractError
from kwartier.packing import shown

MAX_FILES = 20_000
MAX_BYTES = 256 * 1024 * 1024
_MAX_NAME = 240
_ROOTS = ("purelib", "platlib")


def files_of(name: str, wheel: bytes, room: int = MAX_BYTES) -> Iterator[tuple[str, bytes]]:
    """Yield the path below the folder and the content of every file.

    Args:
        name: The wheel's, for messages.
        wheel: Its bytes.
        room: The most that its files may hold together [bytes].

    Raises:
        ContractError: It is no wheel, or a file in it would not be a plain file below the folder.
    """
    try:
        with zipfile.ZipFile(BytesIO(wheel)) as archive:
            members = archive.infolist()
            if len(members) > MAX_FILES or sum(one.file_size for one in members) > room:
                raise ContractError(f"{name}: unpacks to more than fits")
            for member in members:
                path = _path(name, member)
                if path is not None:
                    yield path, _content(name, archive, member)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ContractError(f"{name}: is no wheel that can be read: {shown(error)}") from error


def _path(name: str, member: zipfile.ZipInfo) -> str | None:
    """Return where a member goes; None for what is left out."""
    inside = member.filename
    parts = inside.rstrip("/").split("/")
    if (
        inside.startswith("/")
        or len(inside) > _MAX_NAME
        or not inside.isprintable()
        or "\\" in inside
        or ":" in inside
        or any(part in {"", ".", ".."} for part in parts)
    ):
        raise ContractError(f"{name}: holds a file named {shown(inside)}")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise ContractError(f"{name}: {shown(inside)} is no plain file")
    if member.is_dir():
        return None
    if parts[0].endswith(".data"):
        return "/".join(parts[2:]) if len(parts) > 2 and parts[1] in _ROOTS else None
    return inside


def _content(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return a member's bytes; no more than it said are ever unpacked."""
    with archive.open(member) as opened:
        content = opened.read(member.file_size + 1)
    if len(content) != member.file_size:
        raise ContractError(f"{name}: {shown(member.filename)} is not as long as it says")
    return content
