"""One line of plain text for a paper: nothing hidden in it, nothing a spreadsheet would run."""

from __future__ import annotations

import unicodedata

from kwartier.errors import ContractError

FORMULA = ("=", "+", "-", "@", "\t", "\r", "'=", "'+", "'-", "'@")
"""How a cell begins that a spreadsheet takes for a formula, guarded or not."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
"""Unicode categories of what does not show: controls, marks of direction, halves, odd spaces."""


def checked_line(text: str, what: str, least: int, most: int) -> str:
    """Return one line of plain text of a length, or refuse it; the text is in no message."""
    if not least <= len(text) <= most:
        raise ContractError(f"{what} has {len(text)} characters: use {least} to {most}")
    if text != text.strip():
        raise ContractError(f"{what} begins or ends with a space: take it away")
    for letter in text:
        if letter != " " and unicodedata.category(letter) in _HIDDEN:
            raise ContractError(
                f"{what} holds U+{ord(letter):04X}, which does not show: type it again"
            )
    if text.startswith(FORMULA):
        raise ContractError(f"{what} begins with {text[:1]!r}, as a formula does: take it away")
    return text
