"""A service that speaks OpenID Connect, small and real, on a port of this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "wijk", "een geheim van beide"


@dataclass(slots=True)
class Service:
    """What the service does when somebody logs in there.

    Attributes:
        issuer: Its address.
        now_s: What time it is there [s].
        claims: What it says of whoever logs in, over what is right.
        key: What it signs with.
        shown: What it says to sign with.
        codes: What each code was given for.
        refused: Whether the person pressed 'no' there.
    """

    issuer: str = ""
    now_s: float = 0.0
    claims: dict[str, object] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048))
    shown: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: bool = False

    def authorize(self, asked: dict[str, str]) -> str:
        """Return where the browser goes after it logged in."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["scope"].split() == ["openid", "email"]
        if self.refused:
            words = {"error": "access_denied", "state": asked["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = asked
            words = {"code": code, "state": asked["state"]}
        return f"{asked['redirect_uri']}?{urlencode(words)}"

    def token(self, sent: dict[str, str], who: str) -> dict[str, object] | None:
        """Return tokens for a code, once, to who began and can prove it."""
        asked = self.codes.pop(sent.get("code", ""), None)
        proof = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        right = (
            asked is not None
            and challenge == asked["code_challenge"]
            and sent.get("redirect_uri") == asked["redirect_uri"]
            and who == f"Basic {basic}"
        )
        if not right or asked is None:
            return None
        now_s = int(self.now_s)
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "someone",
            "iat": now_s,
            "exp": now_s + 300,
            "nonce": asked["nonce"],
            "email_verified": True,
        } | self.claims
        signed = jwt.encode({"alg": "RS256"}, claims, self.key)
        return {"access_token": "a", "token_type": "Bearer", "id_token": signed}


@contextmanager
def oidc_house() -> Iterator[Service]:
    """Yield the service while it is served."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            place = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(place.query).items()}
            if place.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", service.authorize(asked))
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif place.path == "/keys":
                shown = (service.shown or service.key).as_dict(private=False)
                self._json(200, {"keys": [shown]})
            else:
                self._json(
                    200,
                    {
                        "issuer": service.issuer,
                        "authorization_endpoint": f"{service.issuer}/authorize",
                        "token_endpoint": f"{service.issuer}/token",
                        "jwks_uri": f"{service.issuer}/keys",
                    },
                )

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            sent = {name: values[0] for name, values in parse_qs(body).items()}
            given = service.token(sent, self.headers.get("Authorization", ""))
            self._json(400 if given is None else 200, given or {"error": "invalid_grant"})

        def _json(self, status: int, told: dict[str, object]) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
