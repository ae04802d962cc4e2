"""The few things done to a disk that must survive a power cut, behind one seam.

After ``write``, ``rename``, ``link`` or ``remove`` a change may still be lost or half there;
after ``sync`` of the file, or of the folder that names it, it is there for good.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Protocol


class Disk(Protocol):
    """What changes files; each call may be the last before the power goes."""

    def folder(self, path: Path) -> None:
        """Make a folder, with those above it, where there is none."""

    def write(self, path: Path, content: bytes, mode: int = 0o644) -> None:
        """Write a file, new or anew."""

    def rename(self, path: Path, target: Path) -> None:
        """Give a file, link or folder another name; a file or link of that name is replaced."""

    def link(self, path: Path, target: str) -> None:
        """Make a symbolic link."""

    def remove(self, path: Path) -> None:
        """Remove a file, a link or a folder with all that is in it, where there is one."""

    def sync(self, path: Path) -> None:
        """Return once a file's content, or the names in a folder, are on the disk."""


class RealDisk:
    """The disk of this machine."""

    def folder(self, path: Path) -> None:
        """Make a folder, with those above it, where there is none."""
        path.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, content: bytes, mode: int = 0o644) -> None:
        """Write a file, new or anew."""
        path.write_bytes(content)
        path.chmod(mode)

    def rename(self, path: Path, target: Path) -> None:
        """Give a file, link or folder another name; a file or link of that name is replaced."""
        path.replace(target)

    def link(self, path: Path, target: str) -> None:
        """Make a symbolic link."""
        path.symlink_to(target)

    def remove(self, path: Path) -> None:
        """Remove a file, a link or a folder with all that is in it, where there is one."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def sync(self, path: Path) -> None:
        """Return once a file's content, or the names in a folder, are on the disk."""
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def replace_durably(disk: Disk, path: Path, content: bytes) -> None:
    """Write a file so that after a power cut it holds the old content or the new, whole."""
    new = path.with_name(path.name + ".new")
    disk.write(new, content)
    disk.sync(new)
    disk.rename(new, path)
    disk.sync(path.parent)
