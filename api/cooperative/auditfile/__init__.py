"""The tax office's audit file: XAF 4.0 of a book year."""

from __future__ import annotations

from api.cooperative.auditfile.gathering import auditfile, write_auditfile

__all__ = ("auditfile", "write_auditfile")
