"""``kwartier backup`` and ``kwartier restore``: the books in one sealed file, and back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kwartier.cli import Command, print_json
from kwartier.clock import SystemClock
from kwartier.errors import UsageError
from kwartier.wire import Json

if TYPE_CHECKING:
    from api.cooperative.backup import Restored

_DRILL = (
    "kwartier restore --drill --books ./books --from /mnt/backup --recovery-key key-from-paper.txt"
)


def _configure_backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--books", metavar="FOLDER", help="the books' folder (or KWARTIER_BOOKS)")
    parser.add_argument(
        "--to", type=Path, metavar="DIR", help="a folder on another disk or machine"
    )
    parser.add_argument(
        "--make-recovery-key",
        action="store_true",
        help="make the key for books that have none yet; it goes onto paper and is shown once",
    )


def _configure_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from",
        dest="source",
        required=True,
        type=Path,
        metavar="FILE",
        help="the backup, or a folder of backups: then the newest",
    )
    parser.add_argument(
        "--recovery-key", required=True, type=Path, metavar="FILE", help="the key from paper"
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="a new folder for the books")
    parser.add_argument(
        "--database", default="", metavar="URL", help="an empty PostgreSQL database for the books"
    )
    parser.add_argument(
        "--drill",
        action="store_true",
        help="restore to nowhere, and compare with the running books; exit 1 when anything is off",
    )
    parser.add_argument("--books", metavar="FOLDER", help="the running books, for --drill")


def _back_up(chosen: argparse.Namespace) -> int:
    from api.commands.coop.word import books_folder
    from api.cooperative.backup import back_up, make_recovery_key
    from api.cooperative.settings import KEYS, read_settings

    settings = read_settings(books_folder(chosen))
    if chosen.make_recovery_key:
        print_json({"recovery_key": make_recovery_key(settings.folder / KEYS)})
        return 0
    if chosen.to is None:
        raise UsageError("back up to where? name a folder on another disk with --to")
    made = back_up(settings, chosen.to, SystemClock())
    head = made.manifest.head
    print_json(
        {
            "file": str(made.file),
            "bytes": made.file.stat().st_size,
            "entries": head.entries,
            "records": head.count,
            "head": head.text(),
        }
    )
    return 0


def _restore(chosen: argparse.Namespace) -> int:
    from api.cooperative.backup import newest, restore, secret_key
    from api.cooperative.nightly import CHECKS

    if chosen.drill:
        return _drill(chosen)
    if chosen.to is None:
        raise UsageError("restore where? name a new folder with --to, or practise with --drill")
    recovery = secret_key(chosen.recovery_key)
    back = restore(
        newest(chosen.source), chosen.to, recovery, SystemClock(), chosen.database, CHECKS
    )
    print_json(_told(back) | {"books": str(chosen.to)})
    return 0


def _drill(chosen: argparse.Namespace) -> int:
    from api.commands.coop.word import books_folder
    from api.cooperative.backup import drill, newest, secret_key
    from api.cooperative.nightly import CHECKS
    from api.cooperative.settings import read_settings

    live = read_settings(books_folder(chosen))
    recovery = secret_key(chosen.recovery_key)
    back = drill(newest(chosen.source), recovery, live, SystemClock(), chosen.database, CHECKS)
    print_json(_told(back) | {"lost_entries": back.lost_entries, "lost_records": back.lost_records})
    if not back.lost_entries:
        return 0
    print(
        f"the backup is whole, but {back.lost_entries} entries were posted after it: "
        "back up again, and see why that was not done after the posting",
        file=sys.stderr,
    )
    return 1


def _told(back: Restored) -> dict[str, Json]:
    head = back.manifest.head
    return {
        "made_s": back.manifest.made_s,
        "files": len(back.manifest.files),
        "entries": head.entries,
        "records": head.count,
        "chains": "whole",
    }


BACKUP = Command(
    summary="write the cooperative's books into one sealed file",
    example="kwartier backup --books ./books --to /mnt/backup",
    extra="coop",
    configure=_configure_backup,
    run=_back_up,
)
RESTORE = Command(
    summary="bring the books back from a sealed file, or practise that",
    example=_DRILL,
    extra="coop",
    configure=_configure_restore,
    run=_restore,
)
