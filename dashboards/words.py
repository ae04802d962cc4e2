"""What boards say, in Dutch and in English side by side: nothing is said in one of them only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """A language that boards speak."""

    NL = "nl"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """One thing said in both languages."""

    nl: str
    en: str

    def said(self, language: Language) -> str:
        """Return it in a language."""
        return self.nl if language is Language.NL else self.en


NO_DATA = Text("Geen gegevens", "No data")
EXPECTED = Text("Verwacht", "Expected")
MEASURED = Text("Gemeten", "Measured")
SUN = Text("Zon", "Solar")
USE = Text("Gebruik", "Use")
BATTERY = Text("Wijkbatterij", "Neighbourhood battery")
FROM_GRID = Text("Van het net", "From the grid")
TO_GRID = Text("Naar het net", "To the grid")
