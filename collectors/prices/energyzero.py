"""Day-ahead prices from EnergyZero's public REST service, without an account.

Source:
    Address and parameters as used by github.com/klaasnicolaas/python-energyzero 5
    (src/energyzero/api/rest.py): one local day a question, ``date`` as dd-mm-yyyy.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Self

import httpx

from collectors.prices.energyzero_answer import parse_answer, refusal
from collectors.prices.model import (
    NoPricesError,
    PriceAnswerError,
    PriceDay,
    PriceRefusedError,
    PriceSeries,
    PriceSourceDownError,
)
from kwartier.interval import HOME_ZONE, Zone

_log = logging.getLogger(__name__)

BASE_URL = "https://public.api.energyzero.nl"
PATH = "/public/v1/prices"
MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""A recorded answer of three days has 160 kB."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a source is waited for.

    Attributes:
        connect_s: For a connection.
        silence_s: For the next byte.
        answer_s: For a whole answer, however slowly it drips.
        tries: How often one question is asked in all.
        pause_s: Before the second try; doubled before each further one.
        longest_pause_s: The most between two tries, whatever the service asks for.
    """

    connect_s: float = 5.0
    silence_s: float = 10.0
    answer_s: float = 30.0
    tries: int = 4
    pause_s: float = 1.0
    longest_pause_s: float = 30.0


class EnergyZero:
    """A source of day-ahead prices for the Netherlands; use it as a context, or close it."""

    def __init__(
        self,
        base_url: str = BASE_URL,
        patience: Patience | None = None,
        zone: Zone = HOME_ZONE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to ask; nothing is sent yet."""
        self._patience = patience or Patience()
        self._zone = zone
        self._pause = pause
        self._http = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(self._patience.silence_s, connect=self._patience.connect_s),
            headers={"Accept": "application/json", "User-Agent": "kwartier"},
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def day(self, day: date) -> PriceDay:
        """Return the market prices of a local day; quarters that were not told are missing.

        Raises:
            NoPricesError: There are none for that day, or not yet.
            PriceSourceDownError: It could not be asked, after all tries.
            PriceRefusedError: It refused the question.
            PriceAnswerError: Its answer is not known here.
        """
        told = self.around(day).day(day, self._zone)
        if len(told.missing) == len(told.quarters):
            raise NoPricesError(
                f"EnergyZero has no prices for {day}: they appear in the afternoon before"
            )
        return told

    def around(self, day: date) -> PriceSeries:
        """Return all that is told when a day is asked for; often the days beside it too."""
        question = {
            "energyType": "ENERGY_TYPE_ELECTRICITY",
            "date": day.strftime("%d-%m-%Y"),
            "interval": "INTERVAL_QUARTER",
        }
        status, body = self._answer(question)
        if status == httpx.codes.NOT_FOUND:
            raise NoPricesError(f"EnergyZero has no prices for {day} (status 404)")
        if status >= httpx.codes.BAD_REQUEST:
            raise PriceRefusedError(f"EnergyZero refused {day} with {status}: {refusal(body)}")
        if status != httpx.codes.OK:
            raise PriceAnswerError(
                f"EnergyZero answered {day} with status {status}: "
                f"has the address {self._http.base_url} changed?"
            )
        return parse_answer(body)

    def _answer(self, question: dict[str, str]) -> tuple[int, bytes]:
        """Return status and body, asking again while the service is away or busy."""
        pause_s = self._patience.pause_s
        for attempt in range(1, self._patience.tries + 1):
            asked_pause_s = 0.0
            try:
                status, body, asked_pause_s = self._ask(question)
                if status != httpx.codes.TOO_MANY_REQUESTS and status < 500:
                    return status, body
                reason = f"status {status}"
            except httpx.RequestError as error:
                reason = f"{type(error).__name__}: {error}"
            if attempt < self._patience.tries:
                _log.info("EnergyZero: try %d failed, %s", attempt, reason)
                self._pause(min(max(pause_s, asked_pause_s), self._patience.longest_pause_s))
                pause_s *= 2
        raise PriceSourceDownError(
            f"EnergyZero at {self._http.base_url} did not answer in {self._patience.tries} tries; "
            f"the last one: {reason}"
        )

    def _ask(self, question: dict[str, str]) -> tuple[int, bytes, float]:
        """Return status, body and the pause asked for [s], bounded in bytes and in time."""
        ends = time.monotonic() + self._patience.answer_s
        body = bytearray()
        with self._http.stream("GET", PATH, params=question) as answer:
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > MAX_ANSWER_BYTES:
                    raise PriceAnswerError(
                        f"EnergyZero's answer is longer than {MAX_ANSWER_BYTES} bytes"
                    )
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout(f"no whole answer in {self._patience.answer_s:g} s")
            return answer.status_code, bytes(body), _seconds(answer.headers.get("Retry-After", ""))


def _seconds(text: str) -> float:
    """Return the seconds of a Retry-After header; a date or rubbish counts as none asked."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0
