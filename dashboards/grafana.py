"""The door to Grafana's API: fixed requests go in, answers or errors with our names come out.

What grafana-api 1.0.3 leaves to its caller is settled here: an address with a path; answers without
a body, and refusals that are no JSON, neither of which it can read; verbs, which it takes from any
attribute's name, also a misspelt one; redirects, which would turn a POST into a GET; and trying
again, which it never does. Nothing here knows a numeric id: Grafana 13 has put those out of use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import requests
from grafana_api.grafana_face import GrafanaFace

from dashboards.json_form import Json
from kwartier.errors import InputError, KwartierError, LinkDownError, SettingsError

TIMEOUT_S = 10.0
WAITS_S = (0.5, 1.0, 2.0)
"""How long is waited before each further try [s]; after the last one it is given up."""
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_MOST_WORDS = 200


class GrafanaDownError(LinkDownError):
    """Grafana is away or busy, after some tries; the same again may succeed."""


class GrafanaSettingsError(SettingsError):
    """The way to Grafana is wrong: its address, or the token, or what the token may do."""


class GrafanaRefusedError(InputError):
    """Grafana refused what was sent; sent again it would be refused again.

    Attributes:
        status: Its HTTP status.
        reason: What it said, shortened.
    """

    def __init__(self, what: str, status: int, reason: str) -> None:
        """Keep what it said."""
        super().__init__(f"Grafana refused {what} with {status}: {reason}")
        self.status = status
        self.reason = reason

    @property
    def is_there_already(self) -> bool:
        """Whether it was refused because something of that uid or name is there."""
        return self.status in {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}


class Verb(StrEnum):
    """What is done; any other name would pass grafana-api unseen."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"


class Grafana:
    """One Grafana, known by its address and a service account's token."""

    def __init__(self, url: str, token: str, pause: Callable[[float], object]) -> None:
        """Keep the way there; nothing is asked yet.

        Args:
            url: Such as ``https://grafana.wijk.example`` or ``http://10.0.0.5:3000/grafana``.
            token: A service account's secret.
            pause: Waits for so many seconds.

        Raises:
            GrafanaSettingsError: The address or the token cannot be right.
        """
        self._face = _face(url, token)
        self._pause = pause
        self.url = url.rstrip("/")
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))

    def health(self) -> str:
        """Return Grafana's version; empty when it does not say."""
        answer = self._found("/health", "the question how it is")
        if answer is None:
            raise self._stranger()
        return str(answer.get("version", ""))

    def source(self, uid: str) -> Mapping[str, Json] | None:
        """Return a data source; None when there is none."""
        return self._found(f"/datasources/uid/{quote(uid)}", f"data source {uid}")

    def make_source(self, body: Mapping[str, Json]) -> None:
        """Make a data source.

        Raises:
            GrafanaRefusedError: Another one, of another uid, has its name.
        """
        uid = str(body["uid"])
        try:
            self._ask(Verb.POST, "/datasources", f"data source {uid}", body)
        except GrafanaRefusedError as refused:
            if not refused.is_there_already or self.source(uid) is None:
                raise

    def change_source(self, uid: str, body: Mapping[str, Json]) -> None:
        """Replace a data source."""
        self._ask(Verb.PUT, f"/datasources/uid/{quote(uid)}", f"data source {uid}", body)

    def source_says(self, uid: str) -> str:
        """Return what a data source said when Grafana tried it, such as why it does not work."""
        what = f"a try of data source {uid}"
        try:
            answer = self._ask(Verb.GET, f"/datasources/uid/{quote(uid)}/health", what)
        except (GrafanaRefusedError, GrafanaDownError) as error:
            return str(error)
        return str(answer.get("message", ""))

    def folder(self, uid: str) -> Mapping[str, Json] | None:
        """Return a folder; None when there is none."""
        return self._found(f"/folders/{quote(uid)}", f"folder {uid}")

    def make_folder(self, uid: str, title: str) -> None:
        """Make a folder."""
        try:
            self._ask(Verb.POST, "/folders", f"folder {uid}", {"uid": uid, "title": title})
        except GrafanaRefusedError as refused:
            if not refused.is_there_already or self.folder(uid) is None:
                raise

    def save_board(self, board: Mapping[str, Json], folder_uid: str, message: str) -> str:
        """Save a board over what is there, and return its address."""
        body: dict[str, Json] = {
            "dashboard": board,
            "folderUid": folder_uid,
            "message": message,
            "overwrite": True,
        }
        answer = self._ask(Verb.POST, "/dashboards/db", f"board {board['uid']}", body)
        return self._origin + str(answer.get("url", ""))

    def _found(self, path: str, what: str) -> Mapping[str, Json] | None:
        try:
            return self._ask(Verb.GET, path, what)
        except GrafanaRefusedError as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _ask(
        self, verb: Verb, path: str, what: str, body: Mapping[str, Json] | None = None
    ) -> Mapping[str, Json]:
        """Return the answer, after some tries where trying again can help.

        What arrived although no answer came back is sent a second time; that does no harm, as
        boards replace themselves and what is made twice is refused as being there already.
        """
        for wait_s in WAITS_S:
            try:
                return self._ask_once(verb, path, what, body)
            except GrafanaDownError:
                self._pause(wait_s)
        return self._ask_once(verb, path, what, body)

    def _ask_once(
        self, verb: Verb, path: str, what: str, body: Mapping[str, Json] | None
    ) -> Mapping[str, Json]:
        send = getattr(self._face.api, verb.value)
        try:
            answer: object = send(path, json=body)
        except _RefusedError as refused:
            raise self._named(what, refused) from None
        except requests.JSONDecodeError as error:
            if not error.doc.strip():
                return {}  # done, and nothing to say
            raise self._stranger() from None
        except requests.RequestException as error:
            raise GrafanaDownError(
                f"Grafana at {self.url} does not answer ({type(error).__name__}): "
                "is it running, and can it be reached from here?"
            ) from None
        return answer if isinstance(answer, Mapping) else {}

    def _stranger(self) -> GrafanaSettingsError:
        return GrafanaSettingsError(
            f"what answers at {self.url} is no Grafana's API: is the path right?"
        )

    def _named(self, what: str, refused: _RefusedError) -> KwartierError:
        """Return a refusal with our name for it."""
        status, reason = refused.status, refused.reason
        if status < HTTPStatus.BAD_REQUEST:
            return GrafanaSettingsError(
                f"{self.url} sends us on to another address: name that one (https, or a path?)"
            )
        if status in _PASSING:
            return GrafanaDownError(f"Grafana could not take {what} now ({status}: {reason})")
        if status == HTTPStatus.UNAUTHORIZED:
            return GrafanaSettingsError(
                "Grafana does not know the token (401): make one for a service account, "
                "and put it in the file"
            )
        if status == HTTPStatus.FORBIDDEN:
            return GrafanaSettingsError(
                f"the token may not touch {what} (403: {reason}): boards and folders need the "
                "role Editor, data sources the role Admin"
            )
        return GrafanaRefusedError(what, status, reason)


class _RefusedError(Exception):
    """An answer that is no yes, seen before grafana-api tries to read it."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(response.status_code)
        self.status = int(response.status_code)
        self.reason = " ".join(_said(response).split())[:_MOST_WORDS]


def _stop_at_refusals(response: requests.Response, **_: object) -> None:
    if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
        raise _RefusedError(response)


def _said(response: requests.Response) -> str:
    """Return why something was refused: Grafana's ``message``, or else all of the text."""
    try:
        told: object = response.json()
    except requests.JSONDecodeError:
        return str(response.text)
    return str(told.get("message", told)) if isinstance(told, Mapping) else str(told)


def _face(url: str, token: str) -> GrafanaFace:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise GrafanaSettingsError(f"{_plain(url)}: its host is no name and no address") from None
    try:
        port = parts.port
    except ValueError:
        raise GrafanaSettingsError(
            f"{_plain(url)}: its port is no number from 0 to 65535"
        ) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise GrafanaSettingsError(f"{_plain(url)}: an address starts with http:// or https://")
    if parts.username is not None or parts.query or parts.fragment:
        raise GrafanaSettingsError(
            f"{_plain(url)}: name the address only; the token stands in a file of its own"
        )
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise GrafanaSettingsError(
            "the token is not one word: put it, and nothing else, in its file"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.strip("/")
    face = GrafanaFace(
        token, host, port, f"{path}/" if path else "", parts.scheme, timeout=TIMEOUT_S
    )
    face.api.s.hooks["response"].append(_stop_at_refusals)
    return face


def _plain(url: str) -> str:
    """Return an address without what stands before an ``@``, which may be a secret."""
    return url.rpartition("@")[2]
