"""One text for one thing: canonical JSON, and its hash."""

from __future__ import annotations

import hashlib
import json

from kwartier.wire import Json


def canonical(value: Json) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, no floats.

    Raises:
        TypeError: There is a float in it; money and energy are whole or text.
    """
    _refuse_floats(value)
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )


def digest(value: Json) -> str:
    """Return the SHA-256 of a value's canonical JSON, in hex."""
    return text_digest(canonical(value))


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text, in hex: the digest of the value whose canonical JSON it is."""
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_floats(value: Json) -> None:
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float: write whole units or text")
    if isinstance(value, dict):
        for inner in value.values():
            _refuse_floats(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_floats(inner)
