"""The checksum under a P1 telegram, by folding one big whole number."""

from __future__ import annotations

_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_GENERATOR = 0b1000_0000_0000_0011
"""x^15 + x + 1; times (x + 1) it is the x^16 + x^15 + x^2 + 1 of the standard."""


def crc16(telegram: bytes) -> int:
    """Return the CRC-16/ARC of a telegram, from its ``/`` up to and including its ``!``.

    The bytes, lowest bit first, are one polynomial M over GF(2), followed by sixteen zeros; the
    checksum is what is left of it after division by x^16 + x^15 + x^2 + 1 = (x^15 + x + 1)(x + 1).

    Dividing by the first factor needs no loop over bytes. There x^15 = x + 1, and as squaring is
    linear over GF(2), x^(15 s) = x^s + 1 for every s = 2^k: all bits from 15 s upward fold down by
    two exclusive-ors of whole numbers, and each halving of s halves what is left. The second
    factor says only whether the number of ones is odd; the Chinese remainder theorem joins the
    two, as x^15 + x + 1 itself has an odd number of ones.

    Source:
        DSMR P1 companion standard 5.0.2, section 6.2: polynomial, no initial value, lowest bit
        first, no final exclusive-or. Check value 0xBB3D for ``123456789``: the catalogue of
        parametrised CRC algorithms, CRC-16/ARC.
    """
    rest = int.from_bytes(telegram.translate(_MIRRORED) + b"\0\0")
    odd = rest.bit_count() & 1
    for power in range((rest.bit_length() // 15).bit_length(), -1, -1):
        stride = 1 << power
        place = 15 << power
        below = (1 << place) - 1
        while high := rest >> place:
            rest = (rest & below) ^ (high << stride) ^ high
    if rest.bit_count() & 1 != odd:
        rest ^= _GENERATOR
    return _MIRRORED[rest & 255] << 8 | _MIRRORED[rest >> 8]
