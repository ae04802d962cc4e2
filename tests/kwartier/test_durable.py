"""A file is there whole or not at all, and only its readers can read it."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kwartier.durable import create_file, replace_file

WAYS = [replace_file, create_file]


@contextmanager
def small_disk(most_bytes: int) -> Iterator[None]:
    """Have the system refuse longer files; a real error of writing, as of a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("write", WAYS)
def test_a_file_is_written_for_its_readers_alone(
    tmp_path: Path, write: Callable[[Path, bytes, int], None]
) -> None:
    write(tmp_path / "a", b"content", 0o600)

    assert (tmp_path / "a").read_bytes() == b"content"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_file_that_is_there_is_replaced_and_never_made_again(tmp_path: Path) -> None:
    create_file(tmp_path / "a", b"first")

    with pytest.raises(FileExistsError):
        create_file(tmp_path / "a", b"second")
    before = (tmp_path / "a").read_bytes()
    replace_file(tmp_path / "a", b"third")

    assert (before, (tmp_path / "a").read_bytes()) == (b"first", b"third")
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("write", WAYS)
def test_a_disk_that_takes_half_of_a_file_keeps_nothing_of_it(
    tmp_path: Path, write: Callable[[Path, bytes, int], None]
) -> None:
    with small_disk(10), pytest.raises(OSError, match="large"):
        write(tmp_path / "a", b"x" * 20, 0o600)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", WAYS)
def test_what_a_killed_program_left_behind_is_in_nobodys_way(
    tmp_path: Path, write: Callable[[Path, bytes, int], None]
) -> None:
    (tmp_path / "a.new").write_bytes(b"half")

    write(tmp_path / "a", b"whole", 0o600)

    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"whole"]
