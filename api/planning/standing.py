"""The calls that stand, for a loop that goes on whatever becomes of their book."""

from __future__ import annotations

import logging

from api.planning.calls import CallBook, PutCall
from kwartier.errors import StoreBusyError
from kwartier.units import EpochS

_log = logging.getLogger(__name__)


class Standing:
    """Remembers the calls it read last; for one thread."""

    def __init__(self, book: CallBook | None) -> None:
        """Read from a book; without one there are no calls."""
        self._book = book
        self._known: tuple[PutCall, ...] = ()
        self._away = False

    def between(self, start_s: EpochS, end_s: EpochS) -> tuple[PutCall, ...]:
        """Return the calls that touch ``[start_s, end_s)``.

        While the book cannot be read those that were known stay in force, which is said once.
        """
        if self._book is None:
            return ()
        try:
            self._known = self._book.between(start_s, end_s)
        except StoreBusyError as error:
            if not self._away:
                _log.warning("calls that are known already stay in force: %s", error)
            self._away = True
        else:
            if self._away:
                _log.warning("the book of calls is back")
            self._away = False
        return tuple(one for one in self._known if one.start_s < end_s and one.end_s > start_s)
