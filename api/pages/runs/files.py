"""A run's files to take along: sheets at once, papers printed beside the pages, one at a time."""

from __future__ import annotations

import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from api.cooperative.database import Desk
from api.cooperative.papers.gathering import RunPapers
from api.cooperative.papers.machine import machine_csv
from api.cooperative.papers.printing import Format, print_papers
from api.cooperative.runs import Run, State, statements
from api.cooperative.settings import CoopSettings
from api.cooperative.statement import Statement
from api.pages.runs.refusals import BusyError

CHUNK = 64 * 1024
"""How much of a file is sent at once [bytes]."""


class Kind(StrEnum):
    """What can be taken along; the value stands in the address."""

    XLSX = "xlsx"
    CSV = "csv"
    MACHINE = "machine-csv"


@dataclass(frozen=True, slots=True)
class TakenAlong:
    """A file: its name, its kind, and what is in it."""

    name: str
    media_type: str
    body: bytes


NUMBERED = frozenset({State.INVOICED, State.CLOSED})
"""In these states a run's papers have their numbers."""


class Printery:
    """Makes files of runs, one at a time, and keeps the papers that were printed last."""

    def __init__(self) -> None:
        """Begin with nothing printed, and no folder; what is printed goes away with ``close``."""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._making = threading.Lock()
        self._printed: tuple[str, Path] | None = None

    def sheet(
        self, desk: Desk, settings: CoopSettings, run: Run, kind: Kind, tag: str
    ) -> TakenAlong:
        """Return a run as one file.

        Args:
            desk: The open books.
            settings: The cooperative.
            run: The run.
            kind: Which file.
            tag: The reader's language.

        Raises:
            BusyError: Another file is being made.
        """
        with self._one_at_a_time():
            said = statements(desk, settings, run.id)
            make, tail, media_type = _SHEETS[kind]
            name = f"run-{run.id.replace('/', '-')}.{tail}"
            return TakenAlong(name, media_type, make(said, tag))

    def print_run(self, run: Run, papers: RunPapers) -> None:
        """Print all papers of a run into one file, which is kept until another run's is.

        It takes minutes, so the papers are gathered before and no books stay open for it.

        Raises:
            BusyError: Another file is being made.
        """
        with self._one_at_a_time():
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(
                    prefix="kwartier-papers-", ignore_cleanup_errors=True
                )
            file = Path(self._folder.name) / f"papers-{run.id.replace('/', '-')}.zip"
            with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
                print_papers(
                    papers.statements,
                    papers.credit_notes,
                    frozenset({Format.PDF, Format.UBL}),
                    Path(folder),
                    papers.numbers,
                )
                _pack(Path(folder), file)
            if self._printed is not None and self._printed[1] != file:
                self._printed[1].unlink(missing_ok=True)
            self._printed = _mark(run), file

    def printed(self, run: Run) -> Path | None:
        """Return the file with a run's papers, when just these were printed last."""
        kept = self._printed
        return kept[1] if kept is not None and kept[0] == _mark(run) else None

    def close(self) -> None:
        """Let go of what was printed: names and amounts of members stay on no disk."""
        folder, self._folder, self._printed = self._folder, None, None
        if folder is not None:
            folder.cleanup()

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        if not self._making.acquire(timeout=5):
            raise BusyError("another file is being made: wait until that is done")
        try:
            yield
        finally:
            self._making.release()


def pieces(body: bytes) -> Iterator[bytes]:
    """Yield a file in pieces, so that no answer holds it twice."""
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]


def _mark(run: Run) -> str:
    return f"{run.id} {run.last.number}"


def _pack(folder: Path, file: Path) -> None:
    made = file.with_suffix(".part")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as packed:
        for each in sorted(folder.iterdir()):
            packed.write(each, each.name)
    made.replace(file)


def _xlsx(said: list[Statement], tag: str) -> bytes:
    from api.cooperative.papers.sheet import run_xlsx

    return run_xlsx(said, tag)


def _csv(said: list[Statement], tag: str) -> bytes:
    from api.cooperative.papers.sheet import statement_csv

    return statement_csv(said, tag)


def _machine(said: list[Statement], _: str) -> bytes:
    return machine_csv(said)


_SHEETS: Mapping[Kind, tuple[Callable[[list[Statement], str], bytes], str, str]] = {
    Kind.XLSX: (
        _xlsx,
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    Kind.CSV: (_csv, "csv", "text/csv; charset=utf-8"),
    Kind.MACHINE: (_machine, "machine.csv", "text/csv; charset=utf-8"),
}
