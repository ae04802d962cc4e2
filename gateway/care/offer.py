"""What a box and its server say about an update: who runs what, and what there is to fetch.

Both questions are signed with the box's key; the server answers only for the box that asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.care.bundle import MAX_FILE_BYTES, version_of
from kwartier.errors import ContractError
from kwartier.packing import Json

ASK, PART = "update", "update-part"
"""The purposes of the two questions: is there one, and a piece of it."""
PIECE_BYTES = 1024 * 1024
"""The most that comes in one answer [bytes]."""
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Offer:
    """An update that a box may take.

    Attributes:
        version: What it brings.
        size: How long its file is [bytes].
        sha256: The fingerprint of its file.
    """

    version: str
    size: int
    sha256: str


def offer_of(told: Mapping[str, Json]) -> Offer | None:
    """Return what a server offers; None for nothing.

    Raises:
        ContractError: A part is away, wrong, or larger than an update may be.
    """
    if not told:
        return None
    version, size, sha256 = told.get("version"), told.get("size"), told.get("sha256")
    if not isinstance(version, str) or not isinstance(sha256, str):
        raise ContractError("the server's offer needs 'version' and 'sha256'")
    version_of(version)
    if _SHA256.fullmatch(sha256) is None:
        raise ContractError("the server's offer: 'sha256' must be 64 hex digits")
    if type(size) is not int or not 1 <= size <= MAX_FILE_BYTES:
        raise ContractError(f"the server's offer: 'size' must be 1 to {MAX_FILE_BYTES} bytes")
    return Offer(version, size, sha256)
