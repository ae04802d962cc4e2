"""Messages by webhook: signed JSON, posted to the one address of the settings.

Source:
    Standard Webhooks 1.0.0: headers ``webhook-id``, ``webhook-timestamp`` and
    ``webhook-signature``, HMAC-SHA-256 over ``id.timestamp.body``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

import httpx

from api.post.settings import WebhookSettings
from kwartier.clock import Clock
from kwartier.errors import InputError, LinkDownError

SILENCE_S, CONNECT_S = 10.0, 5.0
_LATER = frozenset({408, 425, 429})
"""Answers of the 400s after which trying again can help."""


@dataclass(frozen=True, slots=True)
class Note:
    """A message as another machine gets it; no name, no address.

    Attributes:
        id: What it is known by, the same however often it is sent.
        kind: What it is about, such as ``meter``.
        account: Whose, an id; the receiver knows how to reach them.
        language: Of its words.
        title: Its words in short.
        text: Its words; the title again where they are for nobody else.
        link: Where it is told in full.
    """

    id: str
    kind: str
    account: str
    language: str
    title: str
    text: str
    link: str


class HookRefusedError(InputError):
    """The receiver does not take this message, now or later."""

    def __init__(self, status: int) -> None:
        """Keep the status."""
        super().__init__(f"the webhook's receiver refuses the message with status {status}")
        self.status = status


class HookDownError(LinkDownError):
    """The receiver cannot be reached, or is busy."""

    def __init__(self, reason: str) -> None:
        """Say why in a word and a code, such as ``busy 503``."""
        super().__init__(f"the webhook's receiver takes nothing now: {reason}")
        self.reason = reason


class Hook:
    """Posts notes to one address; safe to share between threads."""

    def __init__(
        self, settings: WebhookSettings, clock: Clock, *, silence_s: float = SILENCE_S
    ) -> None:
        """Prepare to post; nothing is sent yet."""
        self._settings = settings
        self._clock = clock
        self._http = httpx.Client(
            timeout=httpx.Timeout(silence_s, connect=min(CONNECT_S, silence_s)),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "kwartier", "Content-Type": "application/json"},
        )

    def post(self, note: Note) -> None:
        """Hand a note over.

        Raises:
            HookRefusedError: It is refused for good.
            HookDownError: The receiver cannot be reached or is busy: try again later.
        """
        body = json.dumps(asdict(note), ensure_ascii=False).encode()
        at = str(int(self._clock.now_s()))
        headers = {
            "webhook-id": note.id,
            "webhook-timestamp": at,
            "webhook-signature": signature(self._settings.secret, note.id, at, body),
        }
        try:
            with self._http.stream(
                "POST", self._settings.url, content=body, headers=headers
            ) as answer:
                status = answer.status_code  # what else it says is not read
        except httpx.HTTPError as error:
            raise HookDownError("unreachable") from error
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status not in _LATER:
            raise HookRefusedError(status)
        raise HookDownError(f"busy {status}")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def signature(secret: bytes, name: str, at: str, body: bytes) -> str:
    """Return what proves that a note is ours."""
    signed = hmac.new(secret, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"
