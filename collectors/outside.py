"""Questions to the far side of the internet: bounded in time, in bytes and in tries."""

from __future__ import annotations

import logging
import secrets
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import httpx

from collectors.answers import (
    AnswerError,
    NothingToldError,
    RefusedError,
    SourceDownError,
    Told,
    refusal,
)

_log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""The longest answer that is read; recorded ones have up to 160 kB."""


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
        jitter: By how much a pause may be longer, so that not all the world asks at once.
    """

    connect_s: float = 5.0
    silence_s: float = 10.0
    answer_s: float = 30.0
    tries: int = 4
    pause_s: float = 1.0
    longest_pause_s: float = 30.0
    jitter: float = 0.25


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: The HTTP status, below 500 and not 429.
        body: At most ``MAX_ANSWER_BYTES``.
    """

    status: int
    body: bytes


class FarSide:
    """One service far away; use it as a context, or close it."""

    def __init__(
        self,
        name: str,
        base_url: str,
        patience: Patience | None = None,
        pause: Callable[[float], None] = time.sleep,
        secret: str = "",
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            name: As people call it; stands in every message.
            base_url: Where it is.
            patience: How long it is waited for.
            pause: Waits some seconds.
            secret: What goes along in questions; an answer that repeats it is read without it.
        """
        self.name = name
        self.base_url = base_url
        self._patience = patience or Patience()
        self._pause = pause
        self._secret = secret.encode()
        # One line a question is more than anybody reads, and an address may hold a key.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._http = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(self._patience.silence_s, connect=self._patience.connect_s),
            headers={"User-Agent": "kwartier", "Accept-Encoding": "gzip"},
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, question: Mapping[str, str]) -> Answer:
        """Ask with GET.

        Raises:
            SourceDownError: It could not be asked, after all tries.
            AnswerError: The answer is too long.
        """
        return self._answer(lambda: self._http.build_request("GET", path, params=question))

    def post_json(self, path: str, body: Told) -> Answer:
        """Ask with POST and a JSON body; raises as ``get`` does."""
        return self._answer(lambda: self._http.build_request("POST", path, json=body))

    def post_form(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Ask with POST and the fields of a form; raises as ``get`` does."""
        return self._answer(lambda: self._http.build_request("POST", path, data=dict(fields)))

    def whole(self, answer: Answer, what: str) -> bytes:
        """Return the body of an answer that went well, or say what did not.

        Raises:
            NothingToldError: The service has nothing, or nothing yet (204).
            RefusedError: It refused the question (4xx). No service here says with 404 that it has
                nothing: then there is no such address, and waiting will not help.
            AnswerError: The status is none that is known here.
        """
        if answer.status == httpx.codes.NO_CONTENT:
            raise NothingToldError(f"{self.name} has nothing for {what} (status {answer.status})")
        if answer.status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
            raise RefusedError(
                f"{self.name} at {self.base_url} has no such address (status {answer.status}), "
                f"asked for {what}: it may have moved; see whether a newer kwartier knows where, "
                "and choose another source until then"
            )
        if answer.status >= httpx.codes.BAD_REQUEST:
            said = refusal(answer.body)
            raise RefusedError(f"{self.name} refused {what} with {answer.status}: {said}")
        if answer.status != httpx.codes.OK:
            raise AnswerError(
                f"{self.name} answered {what} with status {answer.status}: "
                f"has the address {self.base_url} changed?"
            )
        return answer.body

    def _answer(self, question: Callable[[], httpx.Request]) -> Answer:
        """Return an answer, asking again while the service is away or busy."""
        pause_s = self._patience.pause_s
        for attempt in range(1, self._patience.tries + 1):
            asked_pause_s = 0.0
            try:
                answer, asked_pause_s = self._ask(question())
                if answer.status != httpx.codes.TOO_MANY_REQUESTS and answer.status < 500:
                    return answer
                reason = f"status {answer.status}"
            except httpx.RequestError as error:
                reason = f"{type(error).__name__}: {error}"
            if attempt < self._patience.tries:
                _log.debug("%s: try %d failed, %s", self.name, attempt, reason)
                self._pause(self._spread(max(pause_s, asked_pause_s)))
                pause_s *= 2
        raise SourceDownError(
            f"{self.name} at {self.base_url} did not answer in {self._patience.tries} tries; "
            f"the last one: {reason}"
        )

    def _spread(self, pause_s: float) -> float:
        bounded_s = min(pause_s, self._patience.longest_pause_s)
        return bounded_s * (1 + self._patience.jitter * secrets.randbelow(1000) / 1000)

    def _ask(self, question: httpx.Request) -> tuple[Answer, float]:
        """Return an answer and the pause asked for [s], bounded in bytes and in time."""
        ends = time.monotonic() + self._patience.answer_s
        answer = self._http.send(question, stream=True)
        try:
            body = _Body(self.name, answer.headers.get("Content-Encoding", ""))
            for piece in answer.iter_raw():
                body.take(piece)
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout(f"no whole answer in {self._patience.answer_s:g} s")
        finally:
            answer.close()
        told = body.whole()
        if self._secret:
            told = told.replace(self._secret, b"...")
        return Answer(answer.status_code, told), _seconds(answer.headers.get("Retry-After", ""))


class _Body:
    """The bytes of an answer as they come in, never more than may be read: also when packed.

    Packed bytes are unpacked here, as httpx would unpack a whole piece before anybody can count.
    """

    def __init__(self, who: str, packed_as: str) -> None:
        self._who = who
        self._bytes = bytearray()
        packed_as = packed_as.lower()
        if packed_as not in {"", "identity", "gzip"}:
            raise AnswerError(f"{who}: the answer is packed in a way that was not asked for")
        self._gzip = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed_as == "gzip" else None

    def take(self, piece: bytes) -> None:
        """Take in a piece."""
        if self._gzip is not None:
            try:
                piece = self._gzip.decompress(piece, MAX_ANSWER_BYTES + 1 - len(self._bytes))
            except zlib.error as error:
                raise httpx.DecodingError(f"the answer is no gzip: {error}") from error
        self._bytes += piece
        if len(self._bytes) > MAX_ANSWER_BYTES:
            raise AnswerError(f"{self._who}: the answer is longer than {MAX_ANSWER_BYTES} bytes")

    def whole(self) -> bytes:
        """Return all of it."""
        if self._gzip is not None and not self._gzip.eof and self._bytes:
            raise httpx.DecodingError("the answer is a gzip that was cut off")
        return bytes(self._bytes)


def _seconds(text: str) -> float:
    """Return the seconds of a Retry-After header; a date or rubbish counts as none asked."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0
