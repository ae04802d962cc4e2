"""A Grafana on loopback that takes what Grafana's published description of its API takes.

What it knows of requests are facts of that description for Grafana 13.0.0 (Grafana's own
``public/api-merged.json``, as carried by its Go client of July 2026): paths, methods, the fields of
each body with their types, the answers' statuses and required fields. A request outside of them is
a fault of ours and fails the test; so does an address with a numeric id.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

Body: TypeAlias = dict[str, object]

TOKEN = "glsa_in-a-test"
_SOURCE: dict[str, type] = {
    "access": str, "basicAuth": bool, "basicAuthUser": str, "database": str, "isDefault": bool,
    "jsonData": dict, "name": str, "secureJsonData": dict, "type": str, "uid": str, "url": str,
    "user": str, "withCredentials": bool,
}  # fmt: skip
BODIES: dict[tuple[str, str], dict[str, type]] = {
    ("POST", "/api/dashboards/db"): {
        "UpdatedAt": str, "dashboard": dict, "folderId": int, "folderUid": str, "isFolder": bool,
        "message": str, "overwrite": bool, "userId": int,
    },
    ("POST", "/api/datasources"): _SOURCE,
    ("PUT", "/api/datasources/uid/{uid}"): {**_SOURCE, "version": int},
    ("POST", "/api/folders"): {"description": str, "parentUid": str, "title": str, "uid": str},
}  # fmt: skip
"""What a body may hold: AddDataSourceCommand and its like; none of the fields is required."""
PATHS = {
    ("GET", "/api/health"), ("GET", "/api/datasources/uid/{uid}"), ("GET", "/api/folders/{uid}"),
    ("GET", "/api/datasources/uid/{uid}/health"),
    *BODIES,
}  # fmt: skip
UID = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


@dataclass(frozen=True)
class Answer:
    """What is said once in the place of the right answer."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class StubGrafana:
    """Keeps what it is sent, as long as it could have been sent to Grafana."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.sources: dict[str, Body] = {}
        self.folders: dict[str, Body] = {}
        self.boards: dict[str, Body] = {}
        self.broken: set[str] = set()
        """Uids of data sources that do not work."""
        self.provisioned: set[str] = set()
        """Uids of boards that come from a file."""
        self.script: list[Answer] = []
        """Answers that come first."""
        self.forgets: set[str] = set()
        """Requests, such as ``POST /api/folders``, that are carried out once without an answer."""
        self.asked: list[str] = []
        self.faults: list[str] = []
        """What we sent that Grafana's description does not know."""
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                stub._serve(self)

            do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815 - as http.server calls them

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{self.prefix}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        raw = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        self.asked.append(f"{request.command} {request.path}")
        answer = self.script.pop(0) if self.script else self._answer(request, raw)
        if self.asked[-1] in self.forgets:
            self.forgets.remove(self.asked[-1])
            request.close_connection = True
            return
        body = answer.text.encode()
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        if answer.status not in {204, 304}:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _answer(self, request: BaseHTTPRequestHandler, raw: bytes) -> Answer:
        if not request.path.startswith(self.prefix + "/api/"):
            return Answer(404, "<html>nothing here</html>")
        path, uid = _template(request.path.removeprefix(self.prefix))
        if (request.command, path) not in PATHS:
            self.faults.append(f"{request.command} {request.path} is not in the description")
            return Answer(404, '{"message": "Not found"}')
        if path == "/api/health":
            return _json(200, {"database": "ok", "version": "13.0.0", "commit": "e9de482b51"})
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _json(401, {"message": "Invalid API key"})
        if path.endswith("/health"):
            return self._tried(uid)
        if request.command == "GET":
            kept = self.sources if path.startswith("/api/datasources") else self.folders
            return _json(200, kept[uid]) if uid in kept else _json(404, {"message": "not found"})
        body = self._checked(request, path, raw)
        if path == "/api/folders":
            return self._folder(body)
        return self._board(body) if path == "/api/dashboards/db" else self._source(uid, body)

    def _checked(self, request: BaseHTTPRequestHandler, path: str, raw: bytes) -> Body:
        if request.headers.get("Content-Type") != "application/json":
            self.faults.append(f"{path}: Content-Type {request.headers.get('Content-Type')}")
        body: Body = json.loads(raw)
        fields = BODIES[request.command, path]
        self.faults += [
            f"{request.command} {path}: {name} = {value!r}"
            for name, value in body.items()
            if name not in fields or type(value) is not fields[name]
        ]
        return body

    def _folder(self, body: Body) -> Answer:
        uid = str(body["uid"])
        if uid in self.folders:
            return _json(409, {"message": "a folder with that uid exists"})
        self.folders[uid] = body
        return _json(200, {**body, "url": f"{self.prefix}/dashboards/f/{uid}"})

    def _source(self, uid: str, body: Body) -> Answer:
        if uid and self.sources[uid].get("readOnly"):
            return _json(403, {"message": "Cannot update read-only data source"})
        is_new, uid = not uid, str(body["uid"])
        names = {kept.get("name"): one for one, kept in self.sources.items()}
        if is_new and (uid in self.sources or body["name"] in names):
            return _json(409, {"message": "data source with the same name already exists"})
        if not UID.fullmatch(uid):
            self.faults.append(f"{uid} is no uid")
        self.sources[uid] = body
        told = {"id": 1, "name": body["name"], "message": "Datasource added", "datasource": body}
        return _json(200, told)

    def _tried(self, uid: str) -> Answer:
        if uid in self.broken:
            return _json(400, {"status": "ERROR", "message": "error reading buckets"})
        return _json(200, {"status": "OK", "message": "datasource is working. 1 buckets found"})

    def _board(self, body: Body) -> Answer:
        board = body["dashboard"]
        assert isinstance(board, dict)
        uid = str(board["uid"])
        if not UID.fullmatch(uid) or board.get("id") is not None:
            self.faults.append(f"board {uid} with id {board.get('id')}")
        if body.get("folderUid") not in self.folders:
            return _json(400, {"message": "folder not found"})
        if uid in self.folders:  # as Grafana 9.4 was seen to say
            return _json(400, {"message": "Dashboard cannot be changed to a folder"})
        if uid in self.provisioned:
            return _json(400, {"message": "Cannot save provisioned dashboard"})
        if uid in self.boards and not body.get("overwrite"):
            return _json(412, {"message": "version mismatch", "status": "version-mismatch"})
        self.boards[uid] = board
        url = f"{self.prefix}/d/{uid}/{uid}"
        return _json(200, {"id": 1, "uid": uid, "url": url, "status": "success", "version": 1})


def _template(path: str) -> tuple[str, str]:
    for start in ("/api/datasources/uid/", "/api/folders/"):
        if path.startswith(start):
            uid, slash, rest = path.removeprefix(start).partition("/")
            return start + "{uid}" + slash + rest, uid
    return path, ""


def _json(status: int, body: Body) -> Answer:
    return Answer(status, json.dumps(body), {"Content-Type": "application/json"})


@contextmanager
def grafana(prefix: str = "") -> Iterator[StubGrafana]:
    """Serve for the length of a block; afterwards nothing may have been sent that is unknown."""
    stub = StubGrafana(prefix)
    try:
        yield stub
    finally:
        stub.close()
    assert stub.faults == []
