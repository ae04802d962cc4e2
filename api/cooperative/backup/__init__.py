"""Backups of the books: sealed for a key on paper, and proven by restoring them."""

from api.cooperative.backup.archive import Backup, Manifest, back_up
from api.cooperative.backup.packing import ENDING, newest
from api.cooperative.backup.remark import Remark, remark_of
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
    "Remark",
    "Restored",
    "back_up",
    "drill",
    "make_recovery_key",
    "newest",
    "public_key",
    "remark_of",
    "restore",
    "secret_key",
]
