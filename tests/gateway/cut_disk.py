"""A disk whose power goes at any point: what was not synced may be lost, cut short or there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from gateway.care.disk import RealDisk


class PowerCutError(BaseException):
    """The power went; no code of ours sees it."""


@dataclass(slots=True)
class _Name:
    """A change to the names of a folder that is not on the disk for good."""

    folder: Path
    undo: Callable[[], None]


class CutDisk:
    """The real disk until its operation number ``cut_at``, counted from 0; then the power goes.

    Names are lost as a journal loses them: the newest first, some or all of them. A file that
    was not synced is cut anywhere. The operation under which it happens is half done.
    """

    def __init__(self, cut_at: int | None = None, seed: int = 0) -> None:
        self._disk = RealDisk()
        self._cut_at = cut_at
        self._random = Random(seed)  # noqa: S311 - no secret hangs on it
        self._unsynced: list[Path] = []
        self._names: list[_Name] = []
        self.done = 0

    def folder(self, path: Path) -> None:
        self._step()
        self._disk.folder(path)

    def write(self, path: Path, content: bytes, mode: int = 0o644) -> None:
        if self.done == self._cut_at:
            self._disk.write(path, content[: self._random.randint(0, len(content))], mode)
        self._step()
        self._disk.write(path, content, mode)
        self._unsynced.append(path)

    def rename(self, path: Path, target: Path) -> None:
        self._step()
        old = None if path.is_dir() and not path.is_symlink() else _kept(target)
        self._disk.rename(path, target)
        self._unsynced = [_moved(one, path, target) for one in self._unsynced]

        def undo() -> None:
            target.rename(path)
            if old is not None:
                old()

        self._names.append(_Name(target.parent, undo))

    def link(self, path: Path, target: str) -> None:
        self._step()
        self._disk.link(path, target)
        self._names.append(_Name(path.parent, path.unlink))

    def remove(self, path: Path) -> None:
        if self.done == self._cut_at and path.is_dir() and not path.is_symlink():
            inside = sorted(path.rglob("*"), reverse=True)
            for one in inside[: self._random.randint(0, len(inside))]:
                self._disk.remove(one)
        self._step()
        self._disk.remove(path)
        self._unsynced = [one for one in self._unsynced if one.exists()]

    def sync(self, path: Path) -> None:
        self._step()
        assert path.exists(), path  # the machine's own disk need not be troubled
        self._unsynced = [one for one in self._unsynced if one != path]
        self._names = [name for name in self._names if name.folder != path]

    def _step(self) -> None:
        if self.done == self._cut_at:
            self._lose()
            raise PowerCutError
        self.done += 1

    def _lose(self) -> None:
        for path in self._unsynced:
            if path.is_file():
                content = path.read_bytes()
                path.write_bytes(content[: self._random.randint(0, len(content))])
        for _ in range(self._random.randint(0, len(self._names))):
            self._names.pop().undo()


def _kept(path: Path) -> Callable[[], None] | None:
    """Return what puts a file or link back that is about to be replaced."""
    if path.is_symlink():
        target = path.readlink()
        return lambda: path.symlink_to(target)
    if path.is_file():
        content = path.read_bytes()

        def write_again() -> None:
            path.write_bytes(content)

        return write_again
    return None


def _moved(path: Path, old: Path, new: Path) -> Path:
    return new / path.relative_to(old) if path.is_relative_to(old) else path
