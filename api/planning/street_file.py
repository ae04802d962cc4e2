"""Limits that change while the loop runs: the neighbourhood's file is looked at every while."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from kwartier.errors import SettingsError
from kwartier.model import Community, Group, read_community

_log = logging.getLogger(__name__)


class StreetFile:
    """The neighbourhood with the limits that hold now; for one thread."""

    def __init__(self, community: Community, path: Path | None = None) -> None:
        """Begin with what was read; without a path nothing changes.

        Args:
            community: As it was read at the start.
            path: Its file.
        """
        self._community = community
        self._path = path
        self._stamp = self._stamped()

    def now(self) -> Community:
        """Return the neighbourhood with today's limits; all else is as at the start.

        A file that is away or wrong changes nothing, and that is said once.
        """
        stamp = self._stamped()
        if self._path is None or stamp == self._stamp:
            return self._community
        self._stamp = stamp
        try:
            read = read_community(self._path)
        except SettingsError as error:
            _log.warning("changed limits are not taken over: %s", error)
            return self._community
        self._community = replace(
            self._community,
            import_limit_w=read.import_limit_w,
            export_limit_w=read.export_limit_w,
            groups={
                name: read.groups.get(name, group) for name, group in self._community.groups.items()
            },
        )
        return self._community

    def _stamped(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            told = self._path.stat()
        except OSError:
            return None
        return told.st_mtime_ns, told.st_size


def limits_of(community: Community) -> tuple[int | None, int | None, tuple[Group, ...]]:
    """Return all limits, to hold against those of before."""
    return community.import_limit_w, community.export_limit_w, tuple(community.groups.values())
