"""The claim code: eight letters for people, or a QR whose fragment holds 128 bits.

A code reads ``7K2M-9QXF``. Its first half finds the claim and proves nothing, its second half
proves. The QR holds ``https://server/i/7K2M#<secret>``: what stands behind ``#`` is never sent by
a browser and so stands in no log.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from kwartier.errors import InputError

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What a code is made of: nothing that can be read as something else."""
HALF = 4
"""Letters of each half; the second is one of 923,521."""
SECRET_LETTERS = 26
"""Letters of the secret in a QR: 128.8 bits."""
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Code:
    """A claim code.

    Attributes:
        mark: The half that finds the claim; no secret.
        proof: What proves it: four letters, or the 26 of a QR.
    """

    mark: str
    proof: str

    def __repr__(self) -> str:
        return f"Code({self.mark!r})"

    @property
    def typed(self) -> str:
        """The code as people read and type it."""
        return f"{self.mark}-{self.proof}"


def drawn_code() -> Code:
    """Return a new code of eight letters."""
    return Code(_letters(HALF), _letters(HALF))


def drawn_secret() -> str:
    """Return a new secret for a QR."""
    return _letters(SECRET_LETTERS)


def qr_address(server_url: str, mark: str, secret: str) -> str:
    """Return what a QR says."""
    return f"{server_url.rstrip('/')}/i/{mark}#{secret}"


def read_code(text: str) -> Code:
    """Return the code somebody typed, or that a QR held.

    Raises:
        InputError: It is no code.
    """
    if len(text) <= _LONGEST and "#" in text:
        parts = urlsplit(text.strip())
        code = Code(_plain(parts.path.rpartition("/")[2]), _plain(parts.fragment))
        if len(code.mark) == HALF and len(code.proof) == SECRET_LETTERS:
            return code
    letters = _plain(text) if len(text) <= 40 else ""
    if len(letters) not in {2 * HALF, HALF + SECRET_LETTERS}:
        raise InputError(
            f"a claim code has {2 * HALF} letters and digits, such as 7K2M-9QXF: "
            "read it again from the job's page"
        )
    return Code(letters[:HALF], letters[HALF:])


def _letters(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def _plain(text: str) -> str:
    """Return a text's letters; one that is in no code makes it no code."""
    letters = "".join(letter for letter in text.upper() if letter not in " -\t")
    return letters if all(letter in ALPHABET for letter in letters) else ""
