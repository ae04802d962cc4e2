"""What services write down while they run: one line each, in a form that machines can read.

``KWARTIER_LOG`` chooses the form: ``text`` (for people, the default), ``json`` or ``logfmt``. The
same warning is told once a minute, and how often it was held back stands beside it the next time.
A line holds no reading, name or secret because nobody writes one; numbers that have the form of an
EAN or of a bank account are cut short here all the same, whoever wrote them.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import TypeAlias

from kwartier.clock import Clock, SystemClock
from kwartier.errors import SettingsError

HELD_BACK_S = 60.0
"""How long the same warning is held back after it was told [s]."""
MOST_ALIKE = 20
"""How many warnings of one place that differ only in their words pass in that time."""
MOST_REMEMBERED = 500
"""How many warnings are remembered; of more the oldest is told anew when it comes."""
LONGEST = 4_000
"""How long the words of one line may be."""

_Place: TypeAlias = tuple[str, int, str]
"""Who said it, a number that tells places apart, and the words."""
_EAN = re.compile(r"(?<!\d)\d{14}(\d{4})(?!\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}[A-Z]{4}\d{6,16}(?=\d{4}\b)")


class LogForm(StrEnum):
    """How a line is written."""

    TEXT = "text"
    JSON = "json"
    LOGFMT = "logfmt"


def begin_log(service: str, level: int = logging.INFO) -> None:
    """Have this process write its lines to standard error, in the form of ``KWARTIER_LOG``.

    Args:
        service: What this process is called in each line, such as ``collect``.
        level: The lowest level that is written.

    Raises:
        SettingsError: ``KWARTIER_LOG`` is no form there is.
    """
    named = os.environ.get("KWARTIER_LOG", "") or LogForm.TEXT
    if named not in set(LogForm):
        forms = ", ".join(LogForm)
        raise SettingsError(f"KWARTIER_LOG is {named[:20]!r}: it must be one of {forms}")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(service, LogForm(named)))
    handler.addFilter(OnceAMinute(SystemClock()))
    logging.basicConfig(level=level, handlers=[handler])
    if named != LogForm.TEXT:
        sys.excepthook = _fell_over
        threading.excepthook = _thread_fell_over


class OneLine(logging.Formatter):
    """Writes a record as one line, whatever is in it."""

    def __init__(self, service: str, form: LogForm) -> None:
        """Write for a service, in a form."""
        super().__init__()
        self._service = service
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        words = without_numbers(record.getMessage())[:LONGEST]
        trace = without_numbers(self._trace(record))
        if self._form is LogForm.TEXT:
            held = _held(record)
            times = f" ({held} more like this)" if held else ""
            first = f"{record.levelname} {record.name}: {_on_one_line(words)}{times}"
            return f"{first}\n{trace}" if trace else first
        values = self._values(record, words, trace)
        if self._form is LogForm.JSON:
            return json.dumps(values, ensure_ascii=True)
        return " ".join(f"{name}={_logfmt(value)}" for name, value in values.items())

    def _values(self, record: logging.LogRecord, words: str, trace: str) -> dict[str, str | int]:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        values: dict[str, str | int] = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "service": self._service,
            "part": record.name,
            "event": words,
        }
        if held := _held(record):
            values["held_back"] = held
        if trace:
            values["trace"] = trace
        return values

    def _trace(self, record: logging.LogRecord) -> str:
        told = record.exc_info
        return self.formatException(told)[-LONGEST:] if told and told[0] is not None else ""


@dataclass(slots=True)
class _Told:
    """When a warning was told last, and how often it was held back since."""

    at_s: float
    held: int = 0


class OnceAMinute(logging.Filter):
    """Holds the same warning back for a minute, and counts."""

    def __init__(self, clock: Clock) -> None:
        """Reckon with a clock's monotonic count."""
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._same: OrderedDict[_Place, _Told] = OrderedDict()
        self._alike: OrderedDict[_Place, _Told] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is written now."""
        if record.levelno < logging.WARNING:
            return True
        now_s = self._clock.monotonic_s()
        try:
            words = record.getMessage()[:LONGEST]
        except (TypeError, ValueError, LookupError):
            return True  # its words and values do not fit: the handler says so, the caller goes on
        with self._lock:
            same = self._same.get((record.name, record.levelno, words))
            if same is not None and now_s - same.at_s < HELD_BACK_S:
                same.held += 1
                return False
            place = (record.name, record.lineno, str(record.msg)[:200])
            alike = self._alike.get(place)
            if alike is not None and now_s - alike.at_s < HELD_BACK_S:
                alike.held += 1
                if alike.held >= MOST_ALIKE:
                    return False
            else:
                over = 0 if alike is None else max(0, alike.held - MOST_ALIKE + 1)
                _remember(self._alike, place, now_s)
                record.held_back = over
            if same is not None and same.held:
                record.held_back = same.held
            _remember(self._same, (record.name, record.levelno, words), now_s)
        return True


def without_numbers(text: str) -> str:
    """Return a text in which EANs and bank accounts show their last four digits only."""
    return _IBAN.sub("…", _EAN.sub(r"…\1", text))


def _remember(held: OrderedDict[_Place, _Told], key: _Place, now_s: float) -> None:
    held[key] = _Told(now_s)
    held.move_to_end(key)
    while len(held) > MOST_REMEMBERED:
        held.popitem(last=False)


def _held(record: logging.LogRecord) -> int:
    held: object = getattr(record, "held_back", 0)
    return held if isinstance(held, int) else 0


def _on_one_line(text: str) -> str:
    """Return a text without line ends or other signs that a terminal would obey."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _logfmt(value: str | int) -> str:
    text = str(value)
    plain = re.fullmatch(r"[A-Za-z0-9_.:/+-]+", text)
    return text if plain else json.dumps(text, ensure_ascii=True)


def _fell_over(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Write down what ended the process, in the same form as all else."""
    logging.getLogger(__name__).critical("ended by an error", exc_info=(kind, error, trace))


def _thread_fell_over(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        logging.getLogger(__name__).critical(
            "a thread ended by an error",
            exc_info=(told.exc_type, told.exc_value, told.exc_traceback),
        )
