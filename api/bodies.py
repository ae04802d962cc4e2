"""A bound on what anybody may send, before any of it is kept in memory or read."""

from __future__ import annotations

import json
from dataclasses import asdict
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MEDIA_TYPE, Problem

MOST_BYTES = 65_536
"""The most a request may bring [bytes]: a passkey's proofs are the largest."""


class BoundedBodies:
    """Refuses a request that brings too much: at once when it says so, else when it gets there."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "0")
        if not told.isdecimal() or len(told) > 18 or int(told) > MOST_BYTES:
            await _refuse(send)
            return
        came = 0

        async def bounded() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > MOST_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _SAID)
            return message

        await self._app(scope, bounded, send)


_SAID = f"a request of more than {MOST_BYTES} bytes: send less"


async def _refuse(send: Send) -> None:
    """Answer 413, and hang up: what is still to come is not read."""
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    body = json.dumps(asdict(Problem(status.phrase, status, _SAID))).encode()
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
