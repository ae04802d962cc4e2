"""Words of the gateway's own pages, one TOML file a language."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from gateway.commission.view import Facts, Value

LANGUAGES = ("nl", "en")
"""The first is spoken where nobody asks for another."""


class Words:
    """One language."""

    def __init__(self, tag: str) -> None:
        """Read its words; ``tag`` is one of ``LANGUAGES``."""
        assert tag in LANGUAGES, tag
        self.tag = tag
        self.texts = _texts(tag)

    @property
    def other(self) -> str:
        """Return the tag of the other language."""
        return next(tag for tag in LANGUAGES if tag != self.tag)

    def say(self, key: str, facts: Facts | None = None) -> str:
        """Return the words of a key with numbers filled in; the key must be there."""
        filled = {
            name: self.device(str(value)) if name == "device" else self.number(value)
            for name, value in (facts or {}).items()
        }
        return self.texts[key].format_map(filled)

    def device(self, name: str) -> str:
        """Return a device's name on this gateway in words: ``inverter-2`` is the second one."""
        kind, _, place = name.partition("-")
        words = self.texts.get(f"name.{kind}", name)
        return f"{words} {place}".strip()

    def number(self, value: Value) -> str:
        """Return a value as people write it; a dash where there is none."""
        if value is None:
            return "\N{EN DASH}"
        if isinstance(value, str):
            return value
        text = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
        text = text.replace("-", "\N{MINUS SIGN}")
        if self.tag == "nl":
            return text.translate(str.maketrans(",.", ".,"))
        return text


def chosen_language(asked: str, accepted: str) -> str:
    """Return the language to speak.

    Args:
        asked: What was chosen on the page; empty when nothing was.
        accepted: What the browser accepts, as its header says.
    """
    if asked in LANGUAGES:
        return asked
    for part in accepted.split(",")[:10]:
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in LANGUAGES:
            return tag
    return LANGUAGES[0]


@cache
def _texts(tag: str) -> dict[str, str]:
    file = files("gateway.commission").joinpath("words", f"{tag}.toml")
    told = tomllib.loads(file.read_text("utf-8"))
    return {key: str(text) for key, text in told.items()}
