"""Words of strangers as they may stand in a message: short, and on one line."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 120
"""Characters of a stranger's words that help to find the place."""


def columns_shown(names: Iterable[str]) -> str:
    """Return the names of a file's columns between quotes, at most 120 characters of them.

    What cannot be printed, as in a file that is no text, is a question mark.
    """
    text = ", ".join(names)
    short = text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."
    return repr("".join(sign if sign.isprintable() else "?" for sign in short))
