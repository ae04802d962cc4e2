"""What is asked of a backtest, and the folder in which its answer grows.

The folder holds the question (arrays, and a paper with everything else), and a file for each piece
that was played. All are written whole or not at all, so a run that was broken off goes on where it
was; a folder of another question is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np

from kwartier.durable import replace_file
from kwartier.errors import InputError
from kwartier.interval import QUARTER_S, local_day
from kwartier.wire import Json
from optimizer.backtest.course import Course
from optimizer.backtest.walk import Connection, Stretch, Walked
from optimizer.forecasting.history import Weather
from optimizer.problem import Battery, FloatArray

_QUESTION = "question.json"
_COURSE = "course.npz"
_FORMAT = 3
"""Counted on when a way of steering does otherwise: pieces of both are never mixed."""
_UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile)
"""What numpy raises for a file that is away, cut off, or no longer what was written."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Everything an answer hangs on but the ways of steering that are compared.

    Attributes:
        course: What was measured and priced.
        batteries: What is steered.
        connection: The neighbourhood's.
        first: The first local day that is judged.
        last: The last one.
        told: What else the answer repeats, such as how prices were laid.
        forecast: What is expected: ``usual`` or ``blend``.
    """

    course: Course
    batteries: tuple[Battery, ...]
    connection: Connection
    first: date
    last: date
    told: dict[str, Json]
    forecast: str = "usual"

    def stretches(self) -> dict[str, Stretch]:
        """Return a stretch for each calendar month that is judged, by its name."""
        found: dict[str, Stretch] = {}
        day = self.first
        while day <= self.last:
            after = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            last = min(after - timedelta(days=1), self.last)
            found[f"{day:%Y-%m}"] = Stretch(self._place(local_day(day)[0]), self._end(last))
            day = after
        return found

    def _place(self, at_s: int) -> int:
        return (at_s - self.course.start_s) // QUARTER_S

    def _end(self, last: date) -> int:
        return min(self._place(local_day(last)[1]), self.course.quarters)


class WorkFolder:
    """A folder with one question and the pieces of its answer."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; nothing is read or written yet."""
        self.folder = folder

    def take(self, question: Question) -> None:
        """Keep a question, or go on with it where it is there already.

        Raises:
            InputError: The folder holds another question, or cannot be written.
        """
        arrays = packed(
            use_kw=question.course.use_kw,
            sun_kw=question.course.sun_kw,
            buy=question.course.buy_eur_per_kwh,
            sell=question.course.sell_eur_per_kwh,
            **_weather_arrays(question.course.weather),
        )
        paper = json.dumps(_paper(question, _digest_of(question)), indent=2).encode()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            held = self._file(_QUESTION)
            if held.exists():
                if held.read_bytes() != paper:
                    raise InputError(
                        f"{self.folder}: holds the work on another question (other files, days, "
                        "batteries or tariffs, or by another version): name another folder with "
                        "--work, or remove it"
                    )
                return
            begun = {f"{name}{rest}" for name in (_COURSE, _QUESTION) for rest in ("", ".new")}
            if any(file.name not in begun for file in self.folder.iterdir()):
                raise InputError(
                    f"{self.folder}: is not empty and holds no backtest: name a folder of its own"
                )
            replace_file(self._file(_COURSE), arrays)
            replace_file(held, paper)
        except OSError as error:
            raise InputError(f"{self.folder}: {error.strerror}: it cannot be worked in") from error

    def question(self) -> Question:
        """Return the question.

        Raises:
            InputError: It is not there, or not as it was written.
        """
        try:
            paper = json.loads(self._file(_QUESTION).read_bytes())
            parts = _arrays_in(self._file(_COURSE))
            weather = None
            if "sun_w_per_m2" in parts:
                weather = Weather(parts["sun_w_per_m2"], parts["outside_c"])
            course = Course(
                int(paper["start_s"]),
                parts["use_kw"],
                parts["sun_kw"],
                parts["buy"],
                parts["sell"],
                weather,
            )
            return Question(
                course,
                tuple(Battery(**battery) for battery in paper["batteries"]),
                Connection(**{name: float(value) for name, value in paper["connection"].items()}),
                date.fromisoformat(paper["first"]),
                date.fromisoformat(paper["last"]),
                paper["told"],
                paper["forecast"],
            )
        except (*_UNREADABLE, KeyError, TypeError) as error:
            raise InputError(
                f"{self.folder}: cannot be gone on with: {error}: remove it and begin again"
            ) from error

    def holds(self, piece: str) -> bool:
        """Return whether a piece was played."""
        return self._piece(piece).exists()

    def put(self, piece: str, content: bytes) -> None:
        """Keep a piece.

        Raises:
            InputError: The disk takes nothing more.
        """
        try:
            replace_file(self._piece(piece), content)
        except OSError as error:
            raise InputError(f"{self.folder}: {error.strerror}: nothing more is kept") from error

    def arrays(self, piece: str) -> dict[str, FloatArray]:
        """Return the arrays of a piece.

        Raises:
            InputError: It cannot be read.
        """
        try:
            return _arrays_in(self._piece(piece))
        except _UNREADABLE as error:
            raise InputError(f"{self._piece(piece)}: cannot be read: {error}: remove it") from error

    def _piece(self, piece: str) -> Path:
        return self._file(f"{piece}.npz")

    def _file(self, name: str) -> Path:
        return self.folder / name


@lru_cache(maxsize=4)
def question_in(folder: str) -> Question:
    """Return the question of a folder, read once in each process."""
    return WorkFolder(Path(folder)).question()


def walked_arrays(walked: Walked) -> bytes:
    """Return what was done in a stretch as a file's content."""
    return packed(
        **{field.name: np.asarray(getattr(walked, field.name)) for field in fields(Walked)}
    )


def walked_from(arrays: dict[str, FloatArray]) -> Walked:
    """Return what was done in a stretch."""
    return Walked(
        charge_kw=arrays["charge_kw"],
        discharge_kw=arrays["discharge_kw"],
        wear_eur=arrays["wear_eur"],
        stored_kwh=arrays["stored_kwh"],
        before_kwh=float(arrays["before_kwh"]),
        plan_age=arrays["plan_age"],
        plans=int(arrays["plans"]),
        failed=int(arrays["failed"]),
        seconds=float(arrays["seconds"]),
    )


def packed(**arrays: FloatArray) -> bytes:
    """Return arrays as a file's content."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _arrays_in(path: Path) -> dict[str, FloatArray]:
    # A file that numpy opens itself stays open where it is no archive.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _weather_arrays(weather: Weather | None) -> dict[str, FloatArray]:
    if weather is None:
        return {}
    return {"sun_w_per_m2": weather.sun_w_per_m2, "outside_c": weather.outside_c}


def _digest_of(question: Question) -> str:
    """Return a digest of all numbers, so that a folder knows its question."""
    digest = hashlib.sha256()
    course = question.course
    for part in (
        course.use_kw,
        course.sun_kw,
        course.buy_eur_per_kwh,
        course.sell_eur_per_kwh,
        *_weather_arrays(course.weather).values(),
    ):
        digest.update(np.ascontiguousarray(part).tobytes())
        digest.update(b"|")
    return digest.hexdigest()


def _paper(question: Question, digest: str) -> dict[str, Json]:
    return {
        "format": _FORMAT,
        "course": digest,
        "start_s": question.course.start_s,
        "first": question.first.isoformat(),
        "last": question.last.isoformat(),
        "batteries": [asdict(battery) for battery in question.batteries],
        "connection": {name: str(value) for name, value in asdict(question.connection).items()},
        "told": question.told,
        "forecast": question.forecast,
    }
