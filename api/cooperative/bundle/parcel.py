"""A parcel of files with a list of their hashes: written the same every time, read with care."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from api.cooperative.canonical import canonical
from api.cooperative.errors import TamperedError
from kwartier.errors import ContractError
from kwartier.wire import Json

FORMAT = "kwartier-audit-1"
"""What the list says it is; a parcel of another format is refused."""
MANIFEST = "manifest.json"
"""The list's own name."""
MAX_FILE = 512 * 1024 * 1024
"""The largest file that is unpacked [bytes]."""
MAX_FILES = 32
"""The most files a parcel holds."""
_STAMP = (1980, 1, 1, 0, 0, 0)


def packed(subject: str, files: Mapping[str, bytes]) -> bytes:
    """Return a parcel; the same files make the same bytes.

    Args:
        subject: What it is about, such as ``2026-07/1``.
        files: Content by name.
    """
    manifest = canonical(
        {
            "format": FORMAT,
            "subject": subject,
            "files": {
                name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
                for name, content in files.items()
            },
        }
    )
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as parcel:
        for name, content in sorted({**files, MANIFEST: manifest.encode()}.items()):
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o444 << 16
            parcel.writestr(entry, content)
    return written.getvalue()


def unpacked(file: Path) -> tuple[str, dict[str, bytes]]:
    """Return what a parcel is about, and its files, each proven by the list.

    Raises:
        ContractError: It cannot be read or is no parcel.
        TamperedError: A file is changed, missing or too many.
    """
    try:
        with zipfile.ZipFile(file) as parcel:
            found = _files(parcel)
    except OSError as error:
        raise ContractError(f"{file}: cannot be read: {error.strerror}") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
    ) as error:
        raise ContractError(f"{file}: is no parcel: {error}") from error
    if MANIFEST not in found:
        raise ContractError(f"{file}: is no parcel: {MANIFEST} is not in it")
    subject, listed = _manifest(file, found.pop(MANIFEST))
    for name in sorted({*found, *listed}):
        if name not in found:
            raise TamperedError(f"{file}: {name} is on the list and not in the parcel")
        if name not in listed:
            raise TamperedError(f"{file}: {name} is in the parcel and not on the list")
        if hashlib.sha256(found[name]).hexdigest() != listed[name]:
            raise TamperedError(f"{file}: {name} is not what the list says: it was changed")
    return subject, found


def _files(parcel: zipfile.ZipFile) -> dict[str, bytes]:
    entries = parcel.infolist()
    if len(entries) > MAX_FILES:
        raise ValueError(f"{len(entries)} files in it: at most {MAX_FILES} are read")
    found: dict[str, bytes] = {}
    for entry in entries:
        if entry.filename in found:
            raise ValueError(f"{entry.filename} stands in it twice")
        with parcel.open(entry) as opened:
            content = opened.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise ValueError(f"{entry.filename} is larger than {MAX_FILE} bytes")
        found[entry.filename] = content
    return found


def _manifest(file: Path, content: bytes) -> tuple[str, dict[str, str]]:
    try:
        manifest: Json = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{file}: {MANIFEST} is no JSON: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ContractError(f"{file}: {MANIFEST} is not of the format {FORMAT}")
    subject, files = manifest.get("subject"), manifest.get("files")
    if not isinstance(subject, str) or not isinstance(files, dict):
        raise ContractError(f"{file}: {MANIFEST} does not say what is in the parcel")
    hashes = {}
    for name, facts in files.items():
        value = facts.get("sha256") if isinstance(facts, dict) else None
        if not isinstance(value, str):
            raise ContractError(f"{file}: {MANIFEST} has no hash of {name}")
        hashes[name] = value
    return subject, hashes
