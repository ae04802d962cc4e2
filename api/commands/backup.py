"""``kwartier backup`` and ``kwartier restore``: books and people in sealed files, and back."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kwartier.cli import Command, print_json
from kwartier.clock import SystemClock
from kwartier.errors import KwartierError, SettingsError, UsageError
from kwartier.wire import Json

if TYPE_CHECKING:
    from api.cooperative.backup import Restored
    from api.people.backup import PeopleBackup

_DRILL = (
    "kwartier restore --drill --books ./books --state ./state --from /mnt/backup "
    "--recovery-key key-from-paper.txt"
)


def _configure_backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--books", metavar="FOLDER", help="the books' folder (or KWARTIER_BOOKS)")
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="the server's folder, for the books of people and fleet, with keys",
    )
    parser.add_argument(
        "--to", type=Path, metavar="DIR", help="a folder on another disk or machine"
    )
    parser.add_argument(
        "--make-recovery-key",
        action="store_true",
        help="make the key where there is none yet; it goes onto paper and is shown once",
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
        "--state-to", type=Path, metavar="DIR", help="a new folder for the book of people"
    )
    parser.add_argument(
        "--database", default="", metavar="URL", help="an empty PostgreSQL database for the books"
    )
    parser.add_argument(
        "--state-database",
        default="",
        metavar="URL",
        help="an empty PostgreSQL database for the book of people",
    )
    parser.add_argument(
        "--drill",
        action="store_true",
        help="restore to nowhere, and compare with what runs; exit 1 when anything is off",
    )
    parser.add_argument("--books", metavar="FOLDER", help="the running books, for --drill")
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="the server's running folder, for --drill"
    )


def _back_up(chosen: argparse.Namespace) -> int:
    from api.cooperative.backup import make_recovery_key, public_key

    folder = _books(chosen)
    keys = _keys_folder(folder, chosen.state)
    if chosen.make_recovery_key:
        print_json({"recovery_key": make_recovery_key(keys)})
        return 0
    if chosen.to is None:
        raise UsageError("back up to where? name a folder on another disk with --to")
    told: dict[str, Json] = {}
    if chosen.state is not None:
        from api.people.backup import back_up_people

        # People first: whom they name in the books is then in the books' backup as well.
        people = back_up_people(chosen.state, public_key(keys), chosen.to, SystemClock())
        told["people"] = {
            "file": str(people.file),
            "bytes": people.file.stat().st_size,
            "acts": people.head.acts,
            "accounts": people.head.rows.get("account", 0),
        }
    if folder is not None:
        told |= _books_backed_up(folder, chosen.to)
    print_json(told)
    return 0


def _books_backed_up(folder: Path, to: Path) -> dict[str, Json]:
    from api.cooperative.backup import back_up
    from api.cooperative.settings import read_settings

    made = back_up(read_settings(folder), to, SystemClock())
    head = made.manifest.head
    return {
        "file": str(made.file),
        "bytes": made.file.stat().st_size,
        "entries": head.entries,
        "records": head.count,
        "head": head.text(),
    }


def _restore(chosen: argparse.Namespace) -> int:
    from api.cooperative.backup import newest, restore, secret_key

    if chosen.drill:
        return _drill(chosen)
    if chosen.to is None and chosen.state_to is None:
        raise UsageError(
            "restore where? name a new folder with --to (books) or --state-to (people), "
            "or practise with --drill"
        )
    if chosen.to is not None and chosen.state_to is not None and not chosen.source.is_dir():
        raise UsageError("books and people are two backups: name the folder of both with --from")
    recovery = secret_key(chosen.recovery_key)
    told: dict[str, Json] = {}
    if chosen.state_to is not None:
        from api.people.backup import KIND, restore_people

        source = newest(chosen.source, KIND)
        people = restore_people(
            source, chosen.state_to, recovery, SystemClock(), chosen.state_database
        )
        told["people"] = _people_told(people) | {"state": str(chosen.state_to)}
    if chosen.to is not None:
        from api.cooperative.nightly import CHECKS

        try:
            back = restore(
                newest(chosen.source), chosen.to, recovery, SystemClock(), chosen.database, CHECKS
            )
        except KwartierError:
            if told:
                _say_people_stand(chosen.state_to)
            raise
        told |= _told(back) | {"books": str(chosen.to)}
    print_json(told)
    return 0


def _say_people_stand(folder: Path) -> None:
    print(
        f"the book of people is back in {folder} and stays there; the books are not: "
        "mend what follows, and try again without --state-to",
        file=sys.stderr,
    )


def _drill(chosen: argparse.Namespace) -> int:
    from api.cooperative.backup import drill, newest, secret_key

    folder = _books(chosen)
    if folder is not None and chosen.state is not None and not chosen.source.is_dir():
        raise UsageError("books and people are two backups: name the folder of both with --from")
    recovery = secret_key(chosen.recovery_key)
    told: dict[str, Json] = {}
    lost = 0
    if chosen.state is not None:
        from api.people.backup import KIND, drill_people

        source = newest(chosen.source, KIND)
        people = drill_people(source, recovery, chosen.state, SystemClock(), chosen.state_database)
        told["people"] = _people_told(people) | {"lost_acts": people.lost_acts}
    if folder is not None:
        from api.cooperative.nightly import CHECKS
        from api.cooperative.settings import read_settings

        live = read_settings(folder)
        back = drill(newest(chosen.source), recovery, live, SystemClock(), chosen.database, CHECKS)
        lost = back.lost_entries
        told |= _told(back) | {"lost_entries": lost, "lost_records": back.lost_records}
    print_json(told)
    if not lost:
        return 0
    print(
        f"the backup is whole, but {lost} entries were posted after it: "
        "back up again, and see why that was not done after the posting",
        file=sys.stderr,
    )
    return 1


def _books(chosen: argparse.Namespace) -> Path | None:
    """Return the books' folder; None where only the book of people is meant."""
    named: str = chosen.books or os.environ.get("KWARTIER_BOOKS", "")
    if not named and chosen.state is None:
        raise SettingsError(
            "of what? name the books with --books or KWARTIER_BOOKS, the server's folder with "
            "--state, or both"
        )
    return Path(named) if named else None


def _keys_folder(books: Path | None, state: Path | None) -> Path:
    """Return where the public key is: with the books, or with the people where no books are."""
    from api.cooperative.settings import KEYS, read_settings
    from api.people.opening import KEYS as PEOPLE_KEYS

    if books is not None:
        return read_settings(books).folder / KEYS
    assert state is not None
    return state / PEOPLE_KEYS


def _told(back: Restored) -> dict[str, Json]:
    head = back.manifest.head
    return {
        "made_s": back.manifest.made_s,
        "files": len(back.manifest.files),
        "entries": head.entries,
        "records": head.count,
        "chains": "whole",
    }


def _people_told(people: PeopleBackup) -> dict[str, Json]:
    return {
        "made_s": people.made_s,
        "files": people.files,
        "acts": people.head.acts,
        "accounts": people.head.rows.get("account", 0),
        "chains": "whole",
    }


BACKUP = Command(
    summary="write the books, and the book of people, into sealed files",
    example="kwartier backup --books ./books --state ./state --to /mnt/backup",
    extra="coop",
    configure=_configure_backup,
    run=_back_up,
)
RESTORE = Command(
    summary="bring books and people back from sealed files, or practise that",
    example=_DRILL,
    extra="coop",
    configure=_configure_restore,
    run=_restore,
)
