"""A folder of cases, one for each neighbourhood, reckoned by a crowd and written down one by one.

Each answer is written whole before it is listed as done, so that a run that was broken off goes on
where it was. A case that is refused stands in the summary with its reason, and the rest goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from api.crowd.workers import Crowd
from kwartier.durable import replace_file
from kwartier.errors import InputError

MOST_CASES = 100_000
"""The most cases of one folder."""
DONE_FILE = "done.jsonl"
"""What is done: a line for each answer, with what it answered."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one case.

    Attributes:
        text: The answer as it is printed; empty where it was refused.
        digest: SHA-256 of the case that was read, in hex digits.
        refusal: Why there is no answer; empty where there is one.
    """

    text: str
    digest: str
    refusal: str = ""


@dataclass(slots=True)
class Summary:
    """What became of a folder.

    Attributes:
        cases: How many there are.
        answered: Reckoned now.
        kept: Reckoned before, from the same case.
        older: How many of those another version of kwartier reckoned.
        refused: Reason by name.
    """

    cases: int = 0
    answered: int = 0
    kept: int = 0
    older: int = 0
    refused: dict[str, str] = field(default_factory=dict)


class Digesting:
    """A file that notes the SHA-256 of all that is read from it."""

    def __init__(self, opened: BinaryIO) -> None:
        """Read another file."""
        self._opened = opened
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        piece = self._opened.read(size)
        self._digest.update(piece)
        return piece

    def hexdigest(self) -> str:
        """Return the digest of what was read so far."""
        return self._digest.hexdigest()


def cases_in(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Return the cases of a folder in order of name.

    Raises:
        InputError: The folder is away, or holds none, or too many, or two of one name.
    """
    try:
        found = sorted(path for path in folder.iterdir() if path.name.endswith(endings))
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}: check the name") from error
    if not 1 <= len(found) <= MOST_CASES:
        raise InputError(
            f"{folder}: {len(found)} files end in {' or '.join(endings)}: 1 to {MOST_CASES} can be"
        )
    names: dict[str, Path] = {}
    for path in found:
        twin = names.setdefault(name_of(path), path)
        if twin is not path:
            raise InputError(f"{twin.name} and {path.name} would have one answer: rename one")
    return found


def name_of(path: Path) -> str:
    """Return the name of a neighbourhood: that of its file, without what tells its kind."""
    return path.name.split(".", 1)[0]


def reckon_all(
    cases: list[Path],
    to: Path,
    work: Callable[[str], Answered],
    what: str,
    crowd: Crowd,
    show: Callable[[int], None] = lambda _: None,
) -> Summary:
    """Reckon every case that was not reckoned yet, and write its answer into a folder.

    Args:
        cases: Their files.
        to: Where answers go; made when it is away.
        work: What is done to each.
        what: What that is, in a word; an answer to another question is not taken for one to this.
        crowd: Who does it.
        show: Is told how many are through.

    Raises:
        InputError: An answer cannot be written.
        CrowdGoneError: Nobody is left to do it; what was done is kept.
    """
    summary = Summary(len(cases))
    try:
        to.mkdir(parents=True, exist_ok=True)
        done = _Done(to, what)
        due = [case for case in cases if not done.holds(case)]
        summary.kept = len(cases) - len(due)
        kept = {name_of(case) for case in cases} - {name_of(case) for case in due}
        summary.older = len(kept - done.of_now)
        show(summary.kept)
        for file, answered in crowd.each(work, [str(case.absolute()) for case in due]):
            name = name_of(Path(file))
            refusal = _refusal(Path(file), answered)
            if answered is None or refusal:
                summary.refused[name] = refusal
                done.withdraw(name)
            else:
                done.put(name, answered)
                summary.answered += 1
            show(summary.kept + summary.answered + len(summary.refused))
    except OSError as error:
        raise InputError(f"{to}: {error.strerror}: nothing more can be written") from error
    summary.refused = dict(sorted(summary.refused.items()))
    return summary


def _refusal(case: Path, answered: Answered | None) -> str:
    """Return why there is no answer to a case; empty where there is one."""
    if answered is None:
        return "every process that tried it ended: it may lack memory"
    if not answered.refusal and answered.digest != _digest_of(case):
        return (
            "another case was reckoned than stands here: it was changed meanwhile, or the folder "
            "is not the same on every machine"
        )
    return answered.refusal


class _Done:
    """Which answers of a folder are whole, and to what."""

    def __init__(self, folder: Path, what: str) -> None:
        self._folder = folder
        self._what = what
        self._file = folder / DONE_FILE
        self._version = version("kwartier")
        self._held: dict[str, tuple[str, str]] = {}
        self.of_now: set[str] = set()
        if self._file.exists():
            for line in self._file.read_bytes().splitlines():
                self._note(line)

    def holds(self, case: Path) -> bool:
        """Return whether the answer to just this case is there, and is as it was written."""
        name = name_of(case)
        if name not in self._held:
            return False
        answer = self._folder / f"{name}.json"
        return self._held[name] == (_digest_of(case), _digest_of(answer))

    def put(self, name: str, answered: Answered) -> None:
        """Write an answer for good, and then that it is there."""
        content = answered.text.encode()
        replace_file(self._folder / f"{name}.json", content, 0o600)
        line = json.dumps(
            {
                "name": name,
                "what": self._what,
                "version": self._version,
                "case": answered.digest,
                "answer": hashlib.sha256(content).hexdigest(),
            }
        )
        handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # A line that a power cut tore ends here, so that this one begins on its own.
            os.write(handle, f"\n{line}\n".encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def withdraw(self, name: str) -> None:
        """Remove an answer that was given to an earlier case of that name."""
        (self._folder / f"{name}.json").unlink(missing_ok=True)

    def _note(self, line: bytes) -> None:
        """Take in a line; one that was torn says nothing."""
        try:
            told = json.loads(line)
            if told["what"] == self._what:
                name = str(told["name"])
                self._held[name] = (str(told["case"]), str(told["answer"]))
                self.of_now.discard(name)
                if told.get("version") == self._version:
                    self.of_now.add(name)
        except (ValueError, KeyError, TypeError):
            return


def _digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex digits; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
