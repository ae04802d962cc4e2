"""Passwords that many people choose, as a short list of what they are made of."""

from __future__ import annotations

_WORDS = """
wachtwoord password passwort geheim secret welkom welcome hallo hello qwerty qwertyuiop azerty
asdfghjkl zxcvbnm letmein inloggen login admin administrator kwartier zonnepanelen zonneenergie
zonnestroom energie stroom batterij buurt wijk straat nederland holland amsterdam rotterdam
utrecht ajax feyenoord sunshine princess football voetbal iloveyou ikhouvanjou lente zomer
herfst winter januari februari maart april mei juni juli augustus september oktober november
december monkey dragon master superman batman pokemon
"""
BASES = frozenset(_WORDS.split())
"""Words that are no password, with or without digits around them."""
ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm")
"""What fingers run along."""
FEWEST_DIFFERENT = 5
"""A password with fewer different signs than this is one key held down."""


def is_common(small: str) -> bool:
    """Return whether a password is one that many people choose.

    Args:
        small: Its letters and digits, small.
    """
    if len(set(small)) < FEWEST_DIFFERENT:
        return True
    if any(small in row or small in row[::-1] for row in ROWS):
        return True
    core = small.strip("0123456789")
    return not core or _is_made_of_bases(core)


def _is_made_of_bases(core: str) -> bool:
    """Return whether a text is one or two of the words, or one of them again and again."""
    for end in range(3, len(core) + 1):
        begin, rest = core[:end], core[end:].strip("0123456789")
        if begin in BASES and (not rest or rest in BASES or not rest.replace(begin, "")):
            return True
    return False
