"""Backups of the books: sealed for a key on paper, and proven by restoring them."""

from api.cooperative.backup.archive import ENDING, Backup, Manifest, back_up, newest
from api.cooperative.backup.restoring import Restored, drill, restore
from api.cooperative.backup.sealing import (
    RECOVERY_FILE,
    make_recovery_key,
    public_key,
    secret_key,
)

__all__ = [
    "ENDING",
    "RECOVERY_FILE",
    "Backup",
    "Manifest",
    "Restored",
    "back_up",
    "drill",
    "make_recovery_key",
    "newest",
    "public_key",
    "restore",
    "secret_key",
]
