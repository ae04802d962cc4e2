"""What was told of each quarter, in the book of people: the same for every process, for good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from api.people.book import PeopleBook, PeopleDesk
from api.people.tables import ToldHomesRow, ToldLiveRow, ToldRow
from collectors.told import REMEMBERED_S, Telling, ToldSum
from kwartier.errors import StoreBusyError
from kwartier.units import EpochS, Wh

WAIT_S = 2.0
"""How long a page waits to remember what it is about to tell [s]."""
HARDLY_S = 0.05
"""How long it waits where that just failed [s]."""
_DAY_S = 86_400


class ToldBook:
    """Remembers what was told in the book of people; safe to share between threads."""

    def __init__(self, people: PeopleBook) -> None:
        """Remember in this book."""
        self._people = people
        self._homes: dict[str, frozenset[str]] = {}
        self._swept_s = 0.0
        self._wait_s = WAIT_S

    def sums(self, start_s: EpochS, end_s: EpochS) -> Mapping[EpochS, ToldSum]:
        """Return what was told of the quarters of ``[start_s, end_s)``, by their start.

        Raises:
            StoreBusyError: The book cannot be reached now.
        """
        asked = select(ToldRow).where(ToldRow.start_s >= start_s, ToldRow.start_s < end_s)
        with self._people.reading() as desk:
            rows = desk.session.scalars(asked).all()
            self._read_homes(desk.session, {row.homes for row in rows})
            return {row.start_s: self._told(row) for row in rows}

    def keep(self, tellings: Sequence[Telling], now_s: float) -> None:
        """Remember sums, all in one write; one that somebody else changed meanwhile stays.

        Raises:
            StoreBusyError: The book cannot be written now; nothing was remembered.
        """
        with self._writing() as desk:
            known = {_key(telling.sums.homes): telling.sums.homes for telling in tellings}
            _write_homes(desk.session, known)
            for telling in tellings:
                row = desk.session.get(ToldRow, telling.sums.start_s)
                if row is None and telling.instead_of is None:
                    desk.session.add(_row(telling.sums))
                elif row and telling.instead_of and row.homes == _key(telling.instead_of):
                    desk.session.merge(_row(telling.sums))
            if now_s - self._swept_s > _DAY_S:
                before_s = int(now_s) - REMEMBERED_S
                desk.session.execute(delete(ToldRow).where(ToldRow.start_s < before_s))
                desk.session.execute(delete(ToldLiveRow).where(ToldLiveRow.start_s < before_s))
                self._swept_s = now_s

    def keep_shared(self, shared_wh: Mapping[EpochS, Wh], homes: frozenset[str]) -> None:
        """Remember what was shared in quarters told over these homes, where that is not known.

        Raises:
            StoreBusyError: The book cannot be written now; nothing was remembered.
        """
        with self._writing() as desk:
            for at_s, wh in shared_wh.items():
                desk.session.execute(
                    update(ToldRow)
                    .where(
                        ToldRow.start_s == at_s,
                        ToldRow.homes == _key(homes),
                        ToldRow.shared_wh.is_(None),
                    )
                    .values(shared_wh=wh)
                )

    def live(self, start_s: EpochS, end_s: EpochS) -> Mapping[EpochS, frozenset[str]]:
        """Return over which homes power was told in each quarter; none at all is withheld.

        Raises:
            StoreBusyError: The book cannot be reached now.
        """
        asked = select(ToldLiveRow).where(
            ToldLiveRow.start_s >= start_s, ToldLiveRow.start_s < end_s
        )
        with self._people.reading() as desk:
            rows = desk.session.scalars(asked).all()
            self._read_homes(desk.session, {row.homes for row in rows})
            return {row.start_s: self._homes[row.homes] for row in rows}

    def keep_live(self, start_s: EpochS, homes: frozenset[str]) -> None:
        """Remember that for a quarter, unless something is remembered already.

        Raises:
            StoreBusyError: The book cannot be written now; nothing was remembered.
        """
        with self._writing() as desk:
            _write_homes(desk.session, {_key(homes): homes})
            if desk.session.get(ToldLiveRow, start_s) is None:
                desk.session.add(ToldLiveRow(start_s=start_s, homes=_key(homes)))

    @contextmanager
    def _writing(self) -> Iterator[PeopleDesk]:
        """Give a write transaction; after one that failed the next does not wait for long."""
        try:
            with self._people.writing(self._wait_s) as desk:
                yield desk
        except StoreBusyError:
            self._wait_s = HARDLY_S
            raise
        self._wait_s = WAIT_S

    def _read_homes(self, session: Session, keys: set[str]) -> None:
        """Learn which homes some keys stand for; they never stand for others."""
        unknown = keys - self._homes.keys()
        if unknown:
            rows = session.scalars(select(ToldHomesRow).where(ToldHomesRow.key.in_(unknown)))
            self._homes |= {row.key: frozenset(row.homes.split()) for row in rows}

    def _told(self, row: ToldRow) -> ToldSum:
        return ToldSum(
            row.start_s,
            self._homes[row.homes],
            row.import_wh,
            row.export_wh,
            row.solar_wh,
            row.use_wh,
            row.estimated,
            row.shared_wh,
        )


def _row(sums: ToldSum) -> ToldRow:
    return ToldRow(
        start_s=sums.start_s,
        homes=_key(sums.homes),
        import_wh=sums.import_wh,
        export_wh=sums.export_wh,
        solar_wh=sums.solar_wh,
        use_wh=sums.use_wh,
        estimated=sums.estimated,
        shared_wh=sums.shared_wh,
    )


def _write_homes(session: Session, homes: Mapping[str, frozenset[str]]) -> None:
    for key, names in homes.items():
        if session.get(ToldHomesRow, key) is None:
            session.add(ToldHomesRow(key=key, homes=" ".join(sorted(names))))
    session.flush()


def _key(homes: frozenset[str]) -> str:
    return hashlib.sha256(" ".join(sorted(homes)).encode()).hexdigest()
