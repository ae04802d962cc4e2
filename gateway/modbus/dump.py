"""Recording the registers of a device, for the library of recordings; it only reads.

Whatever is read to describe the device is kept, so that decoding the recording says what a scan
of the device says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gateway.modbus.anonymous import anonymous
from gateway.modbus.describe import Json, describe
from hardware.profile import Profile, load_profile
from hardware.profile_reader import profiles_that_fit
from hardware.registers import (
    HOLDING,
    MOST_PER_READ,
    Image,
    RegisterSource,
    RegistersRefusedError,
    Words,
)
from kwartier.errors import InputError, UsageError

GAP_S = 0.05
"""The pause before each request where no profile says otherwise [s]."""
LONGEST_S = 300.0
"""How long a recording may take unless somebody says otherwise [s]."""
_MOST_REFUSALS = 200


class TimeUpError(InputError):
    """The recording took longer than it may."""


@dataclass(frozen=True, slots=True)
class Span:
    """Registers that somebody asked for by address, the last one included."""

    first: int
    last: int
    function_code: int = HOLDING


@dataclass(frozen=True, slots=True)
class Recording:
    """The registers of one device.

    Attributes:
        words: By address.
        function_code: With which it was read.
        complete: Whether there was time to read all that was asked.
        clashes: Registers that say one thing as holding and another as input registers; the
            holding ones were kept.
        profiles: By which it was read.
    """

    words: dict[int, int]
    function_code: int
    complete: bool
    clashes: int
    profiles: tuple[Profile, ...]


class RecordingSource:
    """Passes reads on and keeps what they brought; refuses when the time is up."""

    def __init__(
        self,
        source: RegisterSource,
        longest_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read from ``source`` for at most ``longest_s`` from now."""
        self._source = source
        self._longest_s = longest_s
        self._until_s = monotonic() + longest_s
        self._monotonic = monotonic
        self.tables: dict[int, dict[int, int]] = {}

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        """Return registers, and keep them.

        Raises:
            TimeUpError: The time is up.
            RegistersRefusedError: The device does not serve all of them.
            TemporaryError: It cannot be reached, or is busy.
        """
        if self._monotonic() > self._until_s:
            raise TimeUpError(f"not done within {self._longest_s:g} s: allow more with --most")
        words = self._source.read(address, count, function_code)
        table = self.tables.setdefault(function_code, {})
        table.update((address + place, word) for place, word in enumerate(words))
        return words


def record(
    source: RegisterSource,
    profile: Profile | None,
    spans: Iterable[Span],
    *,
    longest_s: float = LONGEST_S,
    monotonic: Callable[[], float] = time.monotonic,
) -> Recording:
    """Return what a device serves of a profile, of its SunSpec models, and of given registers.

    A device without profile, SunSpec or given registers is read by every profile that fits.

    Raises:
        TemporaryError: It cannot be reached, or is busy.
    """
    recorder = RecordingSource(source, longest_s, monotonic)
    profiles: list[Profile] = []
    complete = True
    try:
        for used in _read_all(recorder, profile, list(spans)):
            profiles.append(used)  # noqa: PERF402 - what was used stays known when the time is up
    except TimeUpError:
        complete = False
    first = min(recorder.tables, default=HOLDING)
    words = dict(recorder.tables.get(first, {}))
    clashes = 0
    for code in sorted(set(recorder.tables) - {first}):
        for address, word in recorder.tables[code].items():
            clashes += words.setdefault(address, word) != word
    return Recording(words, first, complete, clashes, tuple(profiles))


def recording_json(units: dict[int, Recording], *, hide_serials: bool) -> dict[str, Json]:
    """Return recordings, by unit id, as ``kwartier modbus decode`` reads them."""
    blocks: dict[str, Json] = {}
    for unit, recording in units.items():
        words = recording.words
        if hide_serials:
            words = anonymous(words, recording.profiles)
        table: dict[str, Json] = {
            str(start): [*run] for start, run in Image("recording", words).spans()
        }
        blocks[str(unit)] = table
    return {
        "function_code": min((one.function_code for one in units.values()), default=HOLDING),
        "complete": all(one.complete for one in units.values()),
        "units": blocks,
    }


def read_spans(written: str, function_code: int = HOLDING) -> list[Span]:
    """Return the registers of ``30000-30200,40000``, to be read with a function code.

    Raises:
        UsageError: It is not written like that; the message says how.
    """
    spans = []
    for part in written.split(","):
        first, dash, last = part.strip().partition("-")
        numbers = [first, last if dash else first]
        if not all(number.isascii() and number.isdigit() for number in numbers):
            raise UsageError(f"--ranges {written!r}: write addresses as 30000-30200,40000-40100")
        span = Span(int(numbers[0][:9]), int(numbers[1][:9]), function_code)
        if not span.first <= span.last <= 0xFFFF:
            raise UsageError(f"--ranges {part.strip()}: addresses go up, and to 65535 at most")
        spans.append(span)
    return spans


def _read_all(
    recorder: RecordingSource, profile: Profile | None, spans: list[Span]
) -> Iterator[Profile]:
    """Read everything that is known or asked for; yield each profile before it is used."""
    if profile is not None:
        yield profile
        describe(recorder, profile)
    understood = describe(recorder, None) is not None
    for span in spans:
        _read_span(recorder, span)
    if understood or profile is not None or spans:
        return
    for name in profiles_that_fit(recorder):
        yield load_profile(name)
        describe(recorder, load_profile(name))


def _read_span(recorder: RecordingSource, span: Span) -> None:
    """Read registers; a stretch that is refused is halved, within a bounded number of refusals."""
    refusals = _MOST_REFUSALS
    waiting = [
        (start, min(MOST_PER_READ, span.last + 1 - start))
        for start in range(span.first, span.last + 1, MOST_PER_READ)
    ][::-1]
    while waiting and refusals:
        start, count = waiting.pop()
        try:
            recorder.read(start, count, span.function_code)
        except RegistersRefusedError:
            refusals -= 1
            if count > 1:
                half = count // 2
                waiting += [(start + half, count - half), (start, half)]
