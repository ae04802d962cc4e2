"""Text as banks take it: Latin letters without accents, digits and a few marks."""

from __future__ import annotations

import re

from text_unidecode import unidecode

_OUTSIDE = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")
_SPACES = re.compile(r" {2,}")
_INSTEAD = str.maketrans({"&": "+", "_": "-", "@": "(", "€": "EUR", ";": ",", "\t": " "})


def sepa_text(text: str, longest: int) -> str:
    """Return a text in SEPA's character set, shortened; what has no letter in it becomes empty.

    Source:
        EPC217-08, SEPA conversion table: a-z A-Z 0-9 / - ? : ( ) . , ' + and the space.
    """
    plain = unidecode(text.translate(_INSTEAD)).translate(_INSTEAD)
    return _SPACES.sub(" ", _OUTSIDE.sub(" ", plain)).strip()[:longest].rstrip()
