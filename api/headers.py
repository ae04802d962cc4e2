"""What every answer carries: a strict policy for browsers, a fingerprint, and what to keep."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "worker-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere, in no frame."""

_ALWAYS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class BrowserHeaders:
    """Adds the headers that protect, and a strong validator to whole answers of pages and JSON.

    An answer that the browser has already costs 304 and no body. What depends on who asks is
    never kept by anybody between.
    """

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        """Wrap an app; ``secure`` says that it is reached over https."""
        self._app = app
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send, secure=self._secure)
        await self._app(scope, receive, answer.send)


class _Answer:
    """One answer on its way out: the head is held back until the body's fingerprint is known."""

    def __init__(self, scope: Scope, send: Send, *, secure: bool) -> None:
        self._send = send
        self._secure = secure
        self._asked = Headers(scope=scope)
        self._may_validate = scope["method"] in {"GET", "HEAD"}
        self._held: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            self._protect(headers)
            whole = message["status"] == 200 and "content-length" in headers
            if self._may_validate and whole and "etag" not in headers:
                self._held = message
                return
        elif self._held is not None and message["type"] == "http.response.body":
            head, self._held = self._held, None
            message = await self._validated(head, message)
        await self._send(message)

    async def _validated(self, head: Message, body: Message) -> Message:
        headers = MutableHeaders(scope=head)
        tag = f'W/"{hashlib.blake2s(body.get("body", b""), digest_size=12).hexdigest()}"'
        headers["ETag"] = tag
        if tag in self._asked.get("if-none-match", ""):
            head["status"] = 304
            for name in ("content-length", "content-type", "content-encoding"):
                del headers[name]
            body = {"type": "http.response.body", "body": b""}
        await self._send(head)
        return body

    def _protect(self, headers: MutableHeaders) -> None:
        for name, value in _ALWAYS.items():
            headers[name] = value
        if self._secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if "cache-control" not in headers:
            headers["Cache-Control"] = "private, no-cache"
            headers.add_vary_header("Cookie")
            headers.add_vary_header("Accept-Language")
