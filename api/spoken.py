"""What streams are told: reckoned once a change for everybody, and a home's own part once a home.

However many listen, the record is asked and the sums are made once; each stream only picks its
bytes. One task reckons while somebody listens, and ends with the last one. Listeners are woken a
few at a time, so that whoever opens a page meanwhile is not behind all of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from pydantic import TypeAdapter

from api.house import House
from api.live import LISTENING_S
from api.power import PowerNow, power_of
from api.readers import Onlooker
from api.schemas import (
    MomentAnswer,
    OwnPowerAnswer,
    PowerAnswer,
    moment_answer,
    own_power_answer,
    power_answer,
)
from collectors.disclosure import Reader
from kwartier.errors import KwartierError

_POWER = TypeAdapter(PowerAnswer)
_OWN = TypeAdapter(OwnPowerAnswer)
_MOMENT = TypeAdapter(MomentAnswer)
WOKEN_AT_ONCE = 20
"""How many listeners are told before others on the loop get a turn."""
BREATH_S = 0.005
"""How long the others' turn lasts [s]; five hundred listeners are told in an eighth of a second."""
_NO_OWN = "null}"
"""How the text of a power ends that has no own part: the own part is its last."""
_log = logging.getLogger(__name__)


class Spoken:
    """Everything that can be told at one moment, put into words when the first one wants it."""

    def __init__(self, signal: str, power: PowerNow) -> None:
        """Hold one moment; used on the event loop only."""
        self._signal = signal
        self._power = power
        self._sums: dict[Reader, str | None] = {}
        self._own: dict[str, str] = {}
        self._frames: dict[Onlooker, dict[str, bytes]] = {}

    def for_somebody(self, looks: Onlooker) -> dict[str, bytes]:
        """Return the events for one listener by their name, as they cross the wire."""
        if looks not in self._frames:
            events = self._events(looks)
            self._frames[looks] = {name: frame(name, text) for name, text in events.items()}
        return self._frames[looks]

    def _events(self, looks: Onlooker) -> dict[str, str]:
        events = {"signal": self._signal}
        reader = looks.reader
        # Readers with other homes are told the same, or nothing.
        alike = Reader(reader.inside) if reader.may_know(self._power.homes or set()) else reader
        if alike not in self._sums:
            street = self._power.street(alike)
            self._sums[alike] = (
                None if street is None else _POWER.dump_json(power_answer(street, None)).decode()
            )
        sums = self._sums[alike]
        if sums is not None:
            own = self._own_text(looks)
            events["power"] = sums if own is None else sums.removesuffix(_NO_OWN) + own + "}"
        return events

    def _own_text(self, looks: Onlooker) -> str | None:
        power = self._power.own(looks)
        if power is None or looks.home is None:
            return None
        if looks.home not in self._own:
            self._own[looks.home] = _OWN.dump_json(own_power_answer(power)).decode()
        return self._own[looks.home]


class Speaker:
    """Lets any number of streams hear of each change; used on one event loop at a time."""

    def __init__(self, house: House) -> None:
        """Speak for a house; nothing runs before somebody listens."""
        self._house = house
        self._ears: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None
        self._latest: Spoken | None = None
        self._failing = False

    async def listen(self) -> AsyncGenerator[Spoken | None]:
        """Yield what is known now and then each change, until the feed or the time ends.

        None says that nothing changed; it comes at least every ``AT_LEAST_EVERY_S``.
        """
        loop = asyncio.get_running_loop()
        until_s = loop.time() + LISTENING_S
        ear = asyncio.Event()
        with self._house.live.counted():
            task = self._joined(ear)
            try:
                yield (seen := self._latest)
                while loop.time() < until_s and not task.done():
                    await ear.wait()
                    ear.clear()
                    yield None if self._latest is seen else self._latest
                    seen = self._latest
            finally:
                self._left(ear)

    def _joined(self, ear: asyncio.Event) -> asyncio.Task[None]:
        self._ears.add(ear)
        if self._task is None or self._task.done():
            self._latest = None
            self._task = asyncio.get_running_loop().create_task(self._speak())
            self._task.add_done_callback(self._end)
        return self._task

    def _left(self, ear: asyncio.Event) -> None:
        self._ears.discard(ear)
        if not self._ears and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _speak(self) -> None:
        async for _ in self._house.live.changes():
            spoken = await asyncio.to_thread(self._reckoned)
            if spoken is not None:
                self._latest = spoken
            for place, ear in enumerate(list(self._ears), 1):
                ear.set()
                if place % WOKEN_AT_ONCE == 0:
                    await asyncio.sleep(BREATH_S)

    def _end(self, _: asyncio.Task[None]) -> None:
        """Let every stream see that nobody speaks any more."""
        for ear in self._ears:
            ear.set()

    def _reckoned(self) -> Spoken | None:
        """Return what is to be told now, or None while the record cannot be asked."""
        try:
            signal = _MOMENT.dump_json(moment_answer(self._house.signals.now()), by_alias=True)
            spoken = Spoken(signal.decode(), power_of(self._house))
        except KwartierError as error:
            if not self._failing:
                _log.warning("streams are told nothing new: %s", error)
            self._failing = True
            return None
        if self._failing:
            _log.warning("streams are told news again")
        self._failing = False
        return spoken


def frame(event: str, text: str) -> bytes:
    """Return an event as it crosses the wire; its text is one line.

    Source:
        HTML Living Standard, section 9.2, server-sent events.
    """
    return f"event: {event}\ndata: {text}\n\n".encode()
