"""The door to authlib: logging in at a service that speaks OpenID Connect.

The code flow with PKCE, state and nonce; the service's keys check its token's signature. Nobody
gets an account here by it: an account is found by the mail address that the service verified.

Source:
    OpenID Connect Core 1.0, 3.1; RFC 7636 (PKCE); RFC 8176 (``amr``).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.oauth2.client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.elsewhere import Begun, Known, OidcSettings
from api.people.errors import DeniedError
from kwartier.clock import Clock
from kwartier.errors import LinkDownError
from kwartier.wire import Json
from optimizer.as_json.strict_json import parsed

Claims: TypeAlias = Mapping[str, object]

BACK = "/inloggen/dienst/terug"
"""Where the browser comes back."""
WAIT_S = 10.0
"""How long the service has to answer [s]."""
KEPT_S = 3_600.0
"""How long its addresses and keys are kept [s]."""
LEEWAY_S = 60
"""How far its clock may be off [s]."""
ALGORITHMS = ["RS256", "PS256", "ES256"]
_STRONG_ACR = frozenset({"mfa", "http://schemas.openid.net/pape/policies/2007/06/multi-factor"})


class OidcService:
    """A service that speaks OpenID Connect; safe to share between threads."""

    def __init__(self, settings: OidcSettings, public_url: str, clock: Clock) -> None:
        """Log in at one service; it is asked for its addresses when somebody first does."""
        self._settings = settings
        self._back = f"{public_url}{BACK}"
        self._clock = clock
        self._lock = threading.Lock()
        self._http = httpx.Client(timeout=WAIT_S, headers={"Accept": "application/json"})
        self._addresses: tuple[float, dict[str, str]] | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self._settings.name

    def begin(self) -> Begun:
        """Begin a login with a state, a nonce and a verifier of its own."""
        kept = {name: generate_token(48) for name in ("state", "nonce", "verifier")}
        address, _ = self._client().create_authorization_url(
            self._known()["authorization_endpoint"],
            state=kept["state"],
            nonce=kept["nonce"],
            code_verifier=kept["verifier"],
        )
        return Begun(str(address), kept)

    def finish(self, kept: Mapping[str, str], answer: str) -> Known:
        """Return whom the service knows, from the address the browser came back with."""
        known = self._known()
        try:
            given = self._client().fetch_token(
                known["token_endpoint"],
                authorization_response=answer,
                state=kept["state"],
                code_verifier=kept["verifier"],
                auth=httpx.BasicAuth(self._settings.client_id, self._settings.client_secret),
            )
            claims: Claims = self._claims(str(given["id_token"]), known["jwks_uri"])
        except httpx.HTTPError as error:
            raise LinkDownError(f"{self._settings.issuer} does not answer") from error
        except (AuthlibBaseError, JoseError, KeyError, ValueError) as error:
            raise DeniedError("the other service did not answer what was asked") from error
        self._check(claims, kept["nonce"])
        email = claims.get("email")
        if claims.get("email_verified") is not True or not isinstance(email, str):
            raise DeniedError("the other service did not verify this mail address")
        return Known(email, _is_strong(claims))

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            self._http,
            client_id=self._settings.client_id,
            client_secret=self._settings.client_secret,
            scope="openid email",
            redirect_uri=self._back,
            code_challenge_method="S256",
        )

    def _claims(self, token: str, keys_at: str) -> Claims:
        keys = KeySet.import_key_set(self._http.get(keys_at).raise_for_status().json())
        return jwt.decode(token, keys, algorithms=ALGORITHMS).claims

    def _check(self, claims: Claims, nonce: str) -> None:
        """Refuse a token of somebody else, for somebody else, or of another login."""
        ours, now_s = self._settings.client_id, self._clock.now_s()
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        until_s, since_s = claims.get("exp"), claims.get("iat")
        fine = (
            claims.get("iss") == self._settings.issuer
            and ours in named
            and (len(named) == 1 or claims.get("azp") == ours)
            and claims.get("azp", ours) == ours
            and claims.get("nonce") == nonce
            and isinstance(until_s, int | float)
            and isinstance(since_s, int | float)
            and since_s - LEEWAY_S <= now_s < until_s + LEEWAY_S
        )
        if not fine:
            raise DeniedError("the other service's answer is not for this login")

    def _known(self) -> dict[str, str]:
        """Return the service's own addresses, which lie at its own issuer.

        Raises:
            LinkDownError: It cannot be reached, or tells another issuer.
        """
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._addresses is not None and now_s - self._addresses[0] < KEPT_S:
                return self._addresses[1]
            issuer = self._settings.issuer
            try:
                at = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
                told = self._http.get(at)
                found = _texts(parsed(told.raise_for_status().text).value)
            except (httpx.HTTPError, ValueError) as error:
                raise LinkDownError(f"{issuer} does not tell its addresses") from error
            wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            secure = urlsplit(issuer).scheme
            if found.get("issuer") != issuer or any(
                urlsplit(found.get(name, "")).scheme != secure for name in wanted
            ):
                raise LinkDownError(f"{issuer} tells addresses that are not its own")
            self._addresses = (now_s, found)
            return found


def _texts(value: Json) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("is no object")  # noqa: TRY004
    return {name: text for name, text in value.items() if isinstance(text, str)}


def _is_strong(claims: Claims) -> bool:
    ways = claims.get("amr")
    return (isinstance(ways, list) and "mfa" in ways) or claims.get("acr") in _STRONG_ACR
