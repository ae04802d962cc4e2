"""The book of people on a bad day: locked, full, damaged, its keys away; reading goes on."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from api.people.accounts import SYSTEM, add_account
from api.people.opening import open_people
from api.people.sessions import TOUCH_S
from api.relational import BUSY_S
from kwartier.clock import VirtualClock
from kwartier.errors import SettingsError, StoreBusyError
from tests.api.conftest import log_in, served
from tests.api.street import Street, street

NOON_S = 1_793_000_000
READS = ("/", "/mijn", "/hulp", "/api/v1/privacy")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount") or "mount"
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=64m", "none", str(place)], check=False)
    if done.returncode:
        pytest.skip("this machine does not let us mount a small disk: run as root")
    try:
        yield place
    finally:
        subprocess.run([shutil.which("umount") or "umount", "-l", str(place)], check=True)


def test_pages_are_read_while_another_program_keeps_the_book_locked(tmp_path: Path) -> None:
    with street(tmp_path) as made, served(made) as client:
        log_in(made, client, "huis-02")
        made.clock.advance(TOUCH_S + 1)  # now a page would write down that the session is used
        with closing(sqlite3.connect(_file(made), isolation_level=None)) as other:
            other.execute("begin immediate")
            began_s = time.monotonic()
            codes = [client.get(path).status_code for path in READS]
            took_s = time.monotonic() - began_s
            other.execute("rollback")

        assert codes == [200] * len(READS)
        assert took_s < BUSY_S  # nobody waited as a writer does


def test_a_full_disk_stops_writing_and_not_reading(small_disk: Path) -> None:
    with street(small_disk) as made, served(made) as client:
        log_in(made, client, "huis-02")
        made.clock.advance(TOUCH_S + 1)
        _fill(small_disk)
        read = [client.get(path).status_code for path in READS]
        written = _ask(made, client)

        (small_disk / "filler").unlink()
        again = _ask(made, client)

        assert read == [200] * len(READS)
        assert (written.status_code, written.headers["Retry-After"]) == (503, "60")
        assert again.status_code == 303


def test_a_damaged_book_is_told_as_such(tmp_path: Path) -> None:
    with street(tmp_path) as made, served(made) as client:
        log_in(made, client, "huis-02")
        made.house.people.clear_log()
        with _file(made).open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (_file(made).stat().st_size - 4096))
        made.house.people.engine.dispose()

        told = client.get("/api/v1/privacy")
        page = client.get("/mijn")

        assert (told.status_code, page.status_code) == (503, 503)
        assert "put the backup back" in told.json()["detail"]


@pytest.mark.parametrize("content", [b"no database at all" * 500, b"SQLite format 3\x00" * 500])
def test_a_book_that_is_no_database_is_not_begun_anew(tmp_path: Path, content: bytes) -> None:
    open_people(tmp_path, VirtualClock(NOON_S)).close()
    (tmp_path / "people.db").write_bytes(content)

    with pytest.raises(StoreBusyError, match="put the backup back"):
        open_people(tmp_path, VirtualClock(NOON_S))
    assert (tmp_path / "people.db").read_bytes() == content


def test_a_disk_that_is_read_only_is_told_in_one_line(small_disk: Path) -> None:
    book = open_people(small_disk, VirtualClock(NOON_S))
    with book.writing() as desk:
        add_account(desk, SYSTEM, name="Fatma")
    book.close()
    mount = shutil.which("mount") or "mount"
    subprocess.run([mount, "-o", "remount,ro", str(small_disk)], check=True)

    with pytest.raises(StoreBusyError, match="cannot be reached now"):
        open_people(small_disk, VirtualClock(NOON_S))


def test_without_its_keys_the_book_is_not_opened(tmp_path: Path) -> None:
    open_people(tmp_path, VirtualClock(NOON_S)).close()
    shutil.rmtree(tmp_path / "people-keys")

    with pytest.raises(SettingsError, match=r"seal\.keys: cannot be read"):
        open_people(tmp_path, VirtualClock(NOON_S))
    assert not (tmp_path / "people-keys").exists()


def _ask(made: Street, client: httpx.Client) -> httpx.Response:
    """Send a form that is written down."""
    return client.post(
        "/hulp/privacy/keuze",
        data={"purpose": "comparison", "yes": "no" if _asked(client) else "yes"},
        headers={"Origin": made.house.public_url},
    )


def _asked(client: httpx.Client) -> bool:
    chosen = client.get("/api/v1/privacy").json()["choices"]
    return any(each["end"] is None for each in chosen)


def _file(made: Street) -> Path:
    return Path(str(made.house.people.engine.url.database))


def _fill(disk: Path) -> None:
    """Write until nothing fits any more."""
    with (disk / "filler").open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
