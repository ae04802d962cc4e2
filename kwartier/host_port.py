"""Where somebody listens, as people write it: ``HOST:PORT``."""

from __future__ import annotations


def host_and_port(written: str, *, lowest: int = 1) -> tuple[str, int] | None:
    """Return both parts of ``HOST:PORT``, an IPv6 address without its brackets; None otherwise.

    Args:
        written: As it stands in a setting or on the command line.
        lowest: The lowest port; 0 where a spare one may be asked for.
    """
    host, _, port = written.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()):
        return None
    number = int(port[:9])  # a longer one is no port, and may be too long for a number
    return (host.strip("[]"), number) if lowest <= number <= 65_535 else None


def can_be_asked_for(host: str) -> bool:
    """Return whether names of hosts are asked for in this form; ``a..b`` has none."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True
