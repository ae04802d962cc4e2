"""Backups of the book of people: its file and its keys in one sealed file, and back again.

They have the form of the books' backups, and the same key on paper opens them. A book in a file
goes back into a file, one in PostgreSQL into an empty database of it. The book of the fleet goes
along where there is one, for gateways take only a higher number than before, and so does that of
the grid's calls, for they are paid by it. Of released updates there are the hashes; who made them
has the files, and adds them again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from sqlalchemy import select

from api.cooperative.backup.copying import copied_in, copy_sqlite, is_sqlite, scratch_database
from api.cooperative.backup.new_folder import begun_beside, put
from api.cooperative.backup.packing import Packed, pack, scratch_beside, unpack
from api.cooperative.backup.remark import note_drilled, note_made
from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.keys import read_keys
from api.fleet.book import FILE as FLEET_FILE
from api.fleet.book import check_file
from api.people.acts import first_broken
from api.people.book import PeopleBook, translated
from api.people.opening import KEYS
from api.people.place import FILE, PLACE_FILE, address_of, checked_place, write_place
from api.people.standing import DUMP_FILE, PeopleHead, act_of, copy_out, head_of, is_begun
from api.people.tables import AccountRow
from api.planning.calls import BOOK as CALLS_FILE
from api.planning.calls import CallBook
from kwartier.clock import Clock
from kwartier.errors import KwartierError, SettingsError
from kwartier.units import EpochS

KIND = "people"
"""How a backup's name begins."""
OPTION = "--state-database"
"""What names an empty database on the command line."""


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
    url = _begun(state)
    read_keys(state / KEYS)
    made_s = int(clock.now_s())
    try:
        with scratch_beside(state) as folder:
            copy, head = copy_out(url, folder)
            contents = _contents(state, copy, _beside_copied(state, folder))
            file, packed = pack(to, KIND, recovery, contents, made_s, head.text())
    except OSError as error:
        raise BooksError(f"{to}: cannot be written: {error.strerror}") from error
    note_made(state, file.name, made_s)
    return _told(file, packed, head)


def restore_people(
    file: Path, to: Path, recovery: X25519PrivateKey, clock: Clock, database: str = ""
) -> PeopleBackup:
    """Put a backup into a new folder, once everything in it was found to be right.

    Where anything fails there is no folder, and the database is empty again.

    Args:
        file: The sealed file.
        to: The folder it goes to; there must be none yet.
        recovery: The key from paper.
        clock: What time it is.
        database: Address of an empty PostgreSQL database, for a book that was kept in one; the
            new folder names it from then on.

    Raises:
        TamperedError: The file was changed, the chain is broken, or the keys are others.
        SettingsError: The folder is there already or cannot be, or the database is missing or not
            for this.
    """
    with begun_beside(to) as begun:
        folder = begun / "state"
        with _checked(file, folder, recovery, clock, database) as found:
            if (folder / DUMP_FILE).exists():
                (folder / DUMP_FILE).unlink()
                write_place(folder, database)
            put(folder, to)
    return found


def drill_people(
    file: Path, recovery: X25519PrivateKey, live: Path, clock: Clock, database: str = ""
) -> PeopleBackup:
    """Restore a backup into a folder that is thrown away, and compare it with the running book.

    A book in PostgreSQL is restored into ``database``, or into one that is thrown away as well.

    Raises:
        TamperedError: The backup is not right, or is of another book than the running one.
        SettingsError: There is no running book.
    """
    url = _begun(live)
    with tempfile.TemporaryDirectory(prefix="kwartier-drill-") as begun:
        folder = Path(begun) / "state"
        with _checked(file, folder, recovery, clock, database, url) as found:
            acts, link = act_of(url, found.head.acts)
    if link != found.head.link:
        raise TamperedError(
            f"the running book of people does not go on from the backup's {found.head.acts} acts: "
            "one of the two was changed; stop and look"
        )
    note_drilled(live, int(clock.now_s()))
    lost = acts - found.head.acts
    return PeopleBackup(found.file, found.made_s, found.files, found.head, lost)


def _begun(state: Path) -> str:
    """Return the address of a folder's book, which must be there."""
    url = address_of(state)
    if not is_begun(url):
        where = state / (FILE if is_sqlite(url) else PLACE_FILE)
        raise SettingsError(f"{where}: there is no book of people here")
    return url


@contextmanager
def _checked(
    file: Path,
    folder: Path,
    recovery: X25519PrivateKey,
    clock: Clock,
    database: str,
    beside: str = "",
) -> Iterator[PeopleBackup]:
    """Unpack a backup into a new folder, and give it once it is found to be whole and to open.

    Without ``database`` a copy of PostgreSQL goes into a passing one ``beside`` another. A named
    one is empty again where what follows fails.
    """
    packed = unpack(file, folder, recovery, {KEYS})
    head = PeopleHead.of_text(packed.head)
    with _filled(folder, database, beside) as url:
        if head_of(url) != head:
            raise TamperedError("the backup holds another book than its manifest says")
        try:
            _open_everything(url, folder, clock)
        except TamperedError:
            raise
        except KwartierError as error:
            told = f"the backup does not open, nothing was restored: {error}"
            raise TamperedError(told) from error
        yield _told(file, packed, head)


@contextmanager
def _filled(folder: Path, database: str, beside: str) -> Iterator[str]:
    """Give the address of the unpacked book: its file, or a database that its copy went into."""
    if not (folder / DUMP_FILE).is_file():
        if not (folder / FILE).is_file():
            raise TamperedError("the backup holds no book of people: try the backup before it")
        if database:
            raise SettingsError(
                f"this backup is of a book of people in a file: it does not go into PostgreSQL; "
                f"leave {OPTION} out"
            )
        yield f"sqlite:///{folder / FILE}"
        return
    with ExitStack() as stack:
        if database:
            url = checked_place(database, OPTION)
        elif beside and not is_sqlite(beside):
            url = stack.enter_context(scratch_database(beside, OPTION))
        else:
            raise SettingsError(
                f"this book of people was kept in PostgreSQL: name an empty database with {OPTION}"
            )
        with translated():
            stack.enter_context(copied_in(folder / DUMP_FILE, url))
        yield url


def _open_everything(url: str, folder: Path, clock: Clock) -> None:
    """Check the chain, and that the keys open what is sealed; tables get their newest form."""
    if (folder / FLEET_FILE).is_file():
        check_file(folder / FLEET_FILE)
    CallBook(folder / CALLS_FILE).every()
    book = PeopleBook(url, read_keys(folder / KEYS), clock)
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


def _beside_copied(state: Path, folder: Path) -> list[Path]:
    """Copy the small books that there are: of the fleet, and of the grid's calls."""
    there = [name for name in (FLEET_FILE, CALLS_FILE) if (state / name).is_file()]
    for name in there:
        copy_sqlite(state / name, folder / name)
    return [folder / name for name in there]


def _contents(state: Path, copy: Path, beside: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Yield name and file of everything that goes into a backup, the book first."""
    for book in (copy, *beside):
        yield book.name, book
    for file in sorted((state / KEYS).iterdir()):
        yield f"{KEYS}/{file.name}", file


def _told(file: Path, packed: Packed, head: PeopleHead) -> PeopleBackup:
    return PeopleBackup(file, packed.made_s, len(packed.files), head)
