"""Backups of the book of people: its file and its keys in one sealed file, and back again.

They have the form of the books' backups, and the same key on paper opens them. Only SQLite is
copied: the server keeps this book nowhere else. The book of the fleet goes along where there is
one, for gateways take only a higher number than before. Of released updates it has the hashes;
who made them has the files, and adds them again.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from sqlalchemy import select

from api.cooperative.backup.copying import copy_sqlite
from api.cooperative.backup.packing import Packed, pack, scratch_beside, unpack
from api.cooperative.backup.remark import note_drilled, note_made
from api.cooperative.canonical import canonical
from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.keys import read_keys
from api.fleet.book import FILE as FLEET_FILE
from api.fleet.book import check_file
from api.people.acts import first_broken
from api.people.book import PeopleBook
from api.people.opening import FILE, KEYS
from api.people.tables import AccountRow, ActRow
from kwartier.clock import Clock
from kwartier.errors import KwartierError, SettingsError, StoreBusyError
from kwartier.units import EpochS
from kwartier.wire import Json

KIND = "people"
"""How a backup's name begins."""


@dataclass(frozen=True, slots=True)
class PeopleHead:
    """How far the book of people was.

    Attributes:
        acts: How many acts its chain has.
        link: The last one's link; empty when there is none.
        rows: How many rows each table has.
    """

    acts: int
    link: str
    rows: dict[str, int]

    def text(self) -> str:
        """Return it as JSON."""
        rows: dict[str, Json] = dict(self.rows)
        return canonical({"acts": self.acts, "link": self.link, "rows": rows})

    @classmethod
    def of_text(cls, text: str) -> PeopleHead:
        """Return what a manifest tells.

        Raises:
            BooksError: It is not one of a book of people.
        """
        try:
            found = json.loads(text)
            return cls(int(found["acts"]), str(found["link"]), dict(found["rows"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BooksError("this is no backup of a book of people") from error


@dataclass(frozen=True, slots=True)
class PeopleBackup:
    """A backup of the book of people.

    Attributes:
        file: The sealed file.
        made_s: When it was made [s].
        files: How many files are in it.
        head: How far the book was.
        lost_acts: Acts the running book has and the backup has not; 0 but after a drill.
    """

    file: Path
    made_s: EpochS
    files: int
    head: PeopleHead
    lost_acts: int = 0


def back_up_people(state: Path, recovery: X25519PublicKey, to: Path, clock: Clock) -> PeopleBackup:
    """Write one sealed file with the book of people, and return it once it lies on its disk.

    Args:
        state: The server's folder.
        recovery: The public key that seals it.
        to: The folder it goes to; on another disk or machine.
        clock: What time it is.

    Raises:
        SettingsError: There is no book of people, or a key of it is away.
        StoreBusyError: It cannot be read now.
        BooksError: The folder cannot be written in.
    """
    if not (state / FILE).is_file():
        raise SettingsError(f"{state / FILE}: there is no book of people here")
    read_keys(state / KEYS)
    made_s = int(clock.now_s())
    try:
        with scratch_beside(state) as folder:
            copy = folder / FILE
            copy_sqlite(state / FILE, copy)
            head = _head(copy)
            fleet = _fleet_copied(state, folder)
            contents = _contents(state, copy, fleet)
            file, packed = pack(to, KIND, recovery, contents, made_s, head.text())
    except OSError as error:
        raise BooksError(f"{to}: cannot be written: {error.strerror}") from error
    note_made(state, file.name, made_s)
    return _told(file, packed, head)


def restore_people(file: Path, to: Path, recovery: X25519PrivateKey, clock: Clock) -> PeopleBackup:
    """Put a backup into a new folder, once everything in it was found to be right.

    Raises:
        TamperedError: The file was changed, the chain is broken, or the keys are others.
        SettingsError: The folder is there already.
    """
    if to.exists():
        raise SettingsError(f"{to} is there already: restore into a new folder, look, then swap")
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".restore-") as begun:
        folder = Path(begun) / "state"
        found = _checked(file, folder, recovery, clock)
        folder.replace(to)
    return found


def drill_people(file: Path, recovery: X25519PrivateKey, live: Path, clock: Clock) -> PeopleBackup:
    """Restore a backup into a folder that is thrown away, and compare it with the running book.

    Raises:
        TamperedError: The backup is not right, or is of another book than the running one.
        SettingsError: There is no running book.
    """
    if not (live / FILE).is_file():
        raise SettingsError(f"{live / FILE}: there is no book of people here")
    with tempfile.TemporaryDirectory(prefix="kwartier-drill-") as begun:
        found = _checked(file, Path(begun) / "state", recovery, clock)
    acts, link = _act(live / FILE, found.head.acts)
    if link != found.head.link:
        raise TamperedError(
            f"the running book of people does not go on from the backup's {found.head.acts} acts: "
            "one of the two was changed; stop and look"
        )
    note_drilled(live, int(clock.now_s()))
    lost = acts - found.head.acts
    return PeopleBackup(found.file, found.made_s, found.files, found.head, lost)


def _checked(file: Path, folder: Path, recovery: X25519PrivateKey, clock: Clock) -> PeopleBackup:
    """Unpack a backup into a new folder, and look whether it is whole and opens."""
    packed = unpack(file, folder, recovery, {KEYS})
    head = PeopleHead.of_text(packed.head)
    if not (folder / FILE).is_file():
        raise TamperedError("the backup holds no book of people: try the backup before it")
    if _head(folder / FILE) != head:
        raise TamperedError("the backup holds another book than its manifest says")
    try:
        _open_everything(folder, clock)
    except TamperedError:
        raise
    except KwartierError as error:
        raise TamperedError(f"the backup does not open, nothing was restored: {error}") from error
    return _told(file, packed, head)


def _open_everything(folder: Path, clock: Clock) -> None:
    """Check the chain, and that the keys open what is sealed; tables get their newest form."""
    if (folder / FLEET_FILE).is_file():
        check_file(folder / FLEET_FILE)
    book = PeopleBook(f"sqlite:///{folder / FILE}", read_keys(folder / KEYS), clock)
    try:
        with book.reading() as desk:
            broken = first_broken(desk)
            for row in desk.session.scalars(select(AccountRow)):
                desk.keys.open(row.name)
                desk.keys.open(row.email)
    finally:
        book.close()
    if broken is not None:
        raise TamperedError(
            f"the backup is not right, nothing was restored: act {broken} was changed or is away"
        )


def _head(file: Path) -> PeopleHead:
    """Return how far a closed copy is, whatever the form of its tables."""
    try:
        with closing(sqlite3.connect(file)) as book:
            names = [
                str(name)
                for (name,) in book.execute(
                    "select name from sqlite_master where type = 'table'"
                    " and name not like 'sqlite_%' order by name"
                )
            ]
            rows = {
                name: int(book.execute(f'select count(*) from "{name}"').fetchone()[0])  # noqa: S608 - a table's own name
                for name in names
            }
    except sqlite3.Error as error:
        raise TamperedError(f"{file.name} cannot be read: {error}") from error
    acts = rows.get(ActRow.__tablename__, 0)
    return PeopleHead(acts, _act(file, acts)[1], rows)


def _act(file: Path, number: int) -> tuple[int, str]:
    """Return how many acts a book has, and the link of one of them; empty when it is away."""
    try:
        with closing(sqlite3.connect(file)) as book:
            (count,) = book.execute("select count(*) from act").fetchone()
            row = book.execute("select link from act where id = ?", (number,)).fetchone()
    except sqlite3.Error as error:
        raise StoreBusyError(f"{file}: cannot be read now: {error}") from error
    return int(count), "" if row is None else str(row[0])


def _fleet_copied(state: Path, folder: Path) -> Path | None:
    """Copy the book of the fleet into a folder; None where nothing was ever wished or released."""
    if not (state / FLEET_FILE).is_file():
        return None
    copy_sqlite(state / FLEET_FILE, folder / FLEET_FILE)
    return folder / FLEET_FILE


def _contents(state: Path, copy: Path, fleet: Path | None) -> Iterator[tuple[str, Path]]:
    """Yield name and file of everything that goes into a backup, the book first."""
    yield FILE, copy
    if fleet is not None:
        yield FLEET_FILE, fleet
    for file in sorted((state / KEYS).iterdir()):
        yield f"{KEYS}/{file.name}", file


def _told(file: Path, packed: Packed, head: PeopleHead) -> PeopleBackup:
    return PeopleBackup(file, packed.made_s, len(packed.files), head)
