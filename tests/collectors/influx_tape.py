"""Questions to a real InfluxDB and its answers, test by test: recorded once, played in CI.

With ``KWARTIER_INFLUX_RECORD=1`` and a server named by ``KWARTIER_INFLUX_URL``, ``_TOKEN`` and
``_ORG`` the answers are asked there and kept; otherwise the kept ones are given, each to the same
question in the same place and to no other.
"""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path

from collectors import flux_questions
from tests.collectors.loopback import Asked, FarSide, Reply
from tests.collectors.test_influx_store import question_of

FILE = Path(__file__).parent / "influx_exchanges" / "promises" / "exchanges.json"
RECORDS = os.environ.get("KWARTIER_INFLUX_RECORD") == "1"
TEXTS = {
    text.strip(): name
    for name, text in vars(flux_questions).items()
    if name.isupper() and not name.startswith("_")
}

Exchange = dict[str, object]


class Tape(FarSide):
    """One test's exchanges; to write is always fine."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self.exchanges = exchanges
        self.place = 0
        super().__init__(Reply(204))

    def reply(self, asked: Asked) -> Reply:
        if not asked.path.startswith("/api/v2/query"):
            return Reply(204)
        question = asks(asked)
        if self.place >= len(self.exchanges) or self.exchanges[self.place]["asks"] != question:
            return Reply(400, json.dumps({"message": f"not recorded: {question}"}).encode())
        answer = self.exchanges[self.place]["answer"]
        self.place += 1
        assert isinstance(answer, list)
        body = "\r\n".join(answer).encode()
        return Reply(200, body, {"Content-Type": "text/csv; charset=utf-8"})


class Recorder(FarSide):
    """Passes everything on to a real server and keeps questions with their answers."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self.exchanges = exchanges
        super().__init__(Reply(204))

    def reply(self, asked: Asked) -> Reply:
        request = urllib.request.Request(  # noqa: S310 - the server that was named
            os.environ["KWARTIER_INFLUX_URL"] + asked.path,
            asked.body,
            {
                name: value
                for name, value in asked.headers.items()
                if name in {"Content-Type", "Content-Encoding", "Authorization"}
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
            body: bytes = answer.read()
            if asked.path.startswith("/api/v2/query"):
                lines = body.decode().split("\r\n")
                self.exchanges.append({"asks": asks(asked), "answer": lines})
            return Reply(answer.status, body, {"Content-Type": "text/csv; charset=utf-8"})


def asks(asked: Asked) -> dict[str, object]:
    """Return a question by the name of its text, with its parameters."""
    question = question_of(asked)
    flux = question["flux"]
    assert isinstance(flux, list)
    return {"question": TEXTS["\n".join(flux).strip()], "params": question["params"]}


def tape_of(test: str) -> Tape | Recorder:
    """Return the far side for a test."""
    kept = _kept()
    if not RECORDS:
        return Tape(kept.get(test, []))
    return Recorder([])


def keep(test: str, recorder: Recorder) -> None:
    """Write down what a test asked and was answered."""
    kept = _kept() | {test: recorder.exchanges}
    FILE.parent.mkdir(exist_ok=True)
    body = ",\n".join(
        f"{json.dumps(name)}: [\n{_rows(exchanges)}\n]" for name, exchanges in sorted(kept.items())
    )
    FILE.write_text(f"{{\n{body}\n}}\n", encoding="utf-8")


def _rows(exchanges: list[Exchange]) -> str:
    return ",\n".join(json.dumps(exchange) for exchange in exchanges)


def _kept() -> dict[str, list[Exchange]]:
    if not FILE.exists():
        return {}
    told: dict[str, list[Exchange]] = json.loads(FILE.read_text(encoding="utf-8"))
    return told
