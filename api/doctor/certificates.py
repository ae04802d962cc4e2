"""How long certificates and lists of revoked ones still hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from cryptography import x509

from api.doctor.finding import DAY_S, Finding, State
from kwartier.errors import InputError
from kwartier.units import EpochS

SOON_S = 30 * DAY_S
"""A certificate that ends within this time is to be renewed now [s]."""
LIST_SOON_S = 7 * DAY_S
"""The server renews the list of revoked certificates long before this [s]."""
_BLOCK = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)


def certificates(
    files: Mapping[str, Path], now_s: EpochS, told: Mapping[str, EpochS] | None = None
) -> Finding:
    """Look which certificate ends first.

    Args:
        files: Where they are, by what they are for.
        now_s: What time it is [s].
        told: Ends of those that were shown to us over the network [s].
    """
    ends = {name: _ends_s(file) for name, file in files.items()} | dict(told or {})
    first = min(ends, key=lambda name: ends[name])
    days = (ends[first] - now_s) // DAY_S
    do = (
        "make it anew: 'kwartier broker config' for the broker and services, 'kwartier ca' for ours"
    )
    if ends[first] <= now_s:
        what = f"that of {first} has ended"
        return Finding("certificates", State.BROKEN, what, do, ends[first])
    if ends[first] - now_s < SOON_S:
        return Finding("certificates", State.LOOK, f"that of {first} ends in {days} days", do)
    return Finding("certificates", State.GOOD, f"the first to end is that of {first}: {days} days")


def revoked(file: Path, now_s: EpochS) -> Finding:
    """Look whether the list of revoked certificates still holds: without it nobody gets in."""
    link, do = "revoked list", "'kwartier serve' renews it: see whether that runs and may write it"
    try:
        blocks = _BLOCK.findall(file.read_bytes())
        ends = [x509.load_pem_x509_crl(block).next_update_utc for block in blocks]
    except ValueError as error:
        raise InputError(f"{file}: is no list of revoked certificates") from error
    known = [int(end.timestamp()) for end in ends if isinstance(end, datetime)]
    if not known:
        return Finding(link, State.BROKEN, f"{file} holds no list", do)
    left_s = min(known) - now_s
    if left_s <= 0:
        what = "it has ended: the broker lets no gateway in"
        return Finding(link, State.BROKEN, what, do, min(known))
    what = f"it holds for {left_s // DAY_S} days"
    if left_s < LIST_SOON_S:
        return Finding(link, State.LOOK, what, do)
    return Finding(link, State.GOOD, what)


def _ends_s(file: Path) -> EpochS:
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except ValueError as error:
        raise InputError(f"{file}: is no certificate") from error
    return int(min(one.not_valid_after_utc for one in found).timestamp())
