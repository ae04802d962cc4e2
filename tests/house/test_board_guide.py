"""The treasurer's guide works: its commands, in their order, take a month to the end."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from api.commands.coop.front import words_of
from api.cooperative.payments.camt import BankLine
from api.cooperative.payments.sepa_reading import read_order
from kwartier.cli import main
from kwartier.clock import SystemClock
from kwartier.interval import HOME_ZONE, day_of
from kwartier.wire import Json
from tests.api.cooperative.paying import camt
from tests.house.small_month import Month, write_files

ROOT = Path(__file__).resolve().parents[2]
GUIDES = {"en": ROOT / "docs" / "board.md", "nl": ROOT / "docs" / "bestuur.md"}
TODAY = day_of(SystemClock().now_s())
MONTH = Month.before(TODAY)
PAY_DAY = TODAY + timedelta(days=7)
SHOWN = "1f0c9ab2"
"""The hash that stands in the guide where a treasurer writes the one she looked at."""


def commands(guide: Path) -> list[str]:
    """Return every command of a guide's code blocks, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", guide.read_text(), re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if line.startswith("kwartier ")]


@dataclass(slots=True)
class Office:
    """The two officers at their commands, in a folder of their own.

    Attributes:
        folder: Where they work.
        told: Returns what the last command printed on standard output and standard error.
        secrets: The file with the secret of each officer.
        answer: What the last command answered.
        by_hand: What each who stands in no payment file pays [cents].
    """

    folder: Path
    told: Callable[[], tuple[str, str]]
    secrets: dict[str, Path] = field(default_factory=dict)
    answer: Json = None
    by_hand: dict[str, int] = field(default_factory=dict)

    def do(self, command: str) -> tuple[int, str]:
        """Do a command as it stands in the guide; its exit code and messages."""
        words = shlex.split(of_this_month(command))[1:]
        if "bank.xml" in words:
            self._bank()
        if SHOWN in words:
            self._look(words)
        if words[:3] == ["coop", "run", "waive"]:
            words[4] = self._finding(words[3], words[4])
        if words[:3] == ["coop", "pay", "match"] and "--party" in words:
            (line,) = self._ask(["coop", "pay", "match"], "treasurer")
            words[3] = str(line["line"])
        return self._say(words)

    def _say(self, words: list[str]) -> tuple[int, str]:
        if "--as" in words:
            secret = self.secrets[words[words.index("--as") + 1]]
            words = [*words, "--secret-file", str(secret)]
        code = main(words)
        out, err = self.told()
        self.answer = json.loads(out) if out else None
        if isinstance(self.answer, dict):
            self._keep(self.answer)
        return code, err

    def _ask(self, words: list[str], officer: str) -> list[dict[str, Json]]:
        code, err = self._say([*words, "--as", officer])
        assert code == 0, err
        return rows(self.answer)

    def _keep(self, answer: dict[str, Json]) -> None:
        """Keep what an officer would write down: secrets, the key on paper, who pays by hand."""
        for given in rows(answer.get("officers")):
            self._secret(str(given["officer"]), str(given["one_time_secret"]))
        if {"head", "count"} <= answer.keys():
            (self.folder / "heads.txt").write_text(f"{answer['head']}\n")
        if "secret" in answer:
            self._secret(str(answer["officer"]), str(answer["secret"]))
        if "recovery_key" in answer:
            (self.folder / "key-from-paper.txt").write_text(str(answer["recovery_key"]))
        for each in rows(answer.get("by_hand")):
            self.by_hand[str(each["party"])] = int(str(each["cents"]))

    def _secret(self, officer: str, secret: str) -> None:
        self.secrets[officer] = self.folder / f"{officer}.secret"
        self.secrets[officer].write_text(secret)

    def _look(self, words: list[str]) -> None:
        """Put the real hash, and the real number, where the guide has one for show."""
        waiting = self._ask(["coop", "proposal", "list"], "board")
        if words[1:3] == ["pay", "release"]:
            (file,) = self._ask(["coop", "pay", "show", words[3]], "board")
            subject = file["message"]
        elif words[1:3] == ["proposal", "approve"]:
            subject = waiting[0]["subject"]
            words[3] = str(waiting[0]["id"])
        else:
            subject = words[3]
        (seen,) = [str(each["body_hash"]) for each in waiting if each["subject"] == subject]
        words[words.index(SHOWN)] = seen[:8]

    def _finding(self, run: str, shown: str) -> str:
        """Return the real key of a finding of the same check and connection."""
        found = self._ask(["coop", "run", "findings", run], "treasurer")
        start = shown.rpartition("-")[0]
        (key,) = [str(each["key"]) for each in found if str(each["key"]).startswith(start)]
        return key

    def _bank(self) -> None:
        """Write the bank's statement: all that was asked, and who paid by hand."""
        lines = []
        for name, sign in (("collect.xml", 1), ("payout.xml", -1)):
            order = read_order((self.folder / name).read_bytes())
            lines += [
                BankLine(TODAY, sign * each.cents, each.end_to_end, reference=f"{name}{place}")
                for place, each in enumerate(order.lines)
            ]
        lines += [BankLine(TODAY, cents, reference=party) for party, cents in self.by_hand.items()]
        (self.folder / "bank.xml").write_bytes(camt(lines, day=TODAY))


def rows(answer: Json) -> list[dict[str, Json]]:
    """Return the objects of a list in an answer; none where it is no list."""
    return [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []


def of_this_month(command: str) -> str:
    """Return a command of the guide's July 2026 as one of the last whole month."""
    text = command.replace("2026-08-28", str(PAY_DAY)).replace("2026-07-31", str(MONTH.last))
    text = re.sub(r"2026-07-(\d\d)T(\d\d):00:00\+02:00", _at_home, text)
    before, after = MONTH.first - timedelta(days=1), MONTH.last + timedelta(days=1)
    for shown, real in (("2026-06", before), ("2026-07", MONTH.first), ("2026-08", after)):
        text = text.replace(shown, f"{real:%Y-%m}")
    return text.replace("--year 2026", f"--year {MONTH.first.year}")


def _at_home(found: re.Match[str]) -> str:
    """Return an instant of the guide at the same hour of the clock in the last whole month."""
    day = MONTH.first.replace(day=int(found[1]))
    return datetime.combine(day, time(int(found[2])), HOME_ZONE).isoformat()


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An empty folder with the files of a small month, and two officers in it."""
    write_files(tmp_path, MONTH)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KWARTIER_BOOKS", "books")

    def told() -> tuple[str, str]:
        read = capsys.readouterr()
        return read.out, read.err

    return Office(tmp_path, told)


def test_every_command_of_the_guide_works_in_its_order(office: Office) -> None:
    for command in commands(GUIDES["en"]):
        code, messages = office.do(command)

        assert code == 0, f"{command}\n{messages}"


def test_the_dutch_guide_has_the_same_commands() -> None:
    shown = {
        language: [re.sub(r"'[^']*'", "''", command) for command in commands(guide)]
        for language, guide in GUIDES.items()
    }

    assert len(shown["nl"]) > 70
    assert shown["nl"] == shown["en"]


@pytest.mark.parametrize("guide", GUIDES.values(), ids=lambda guide: guide.name)
def test_every_word_named_in_the_text_is_known(guide: Path) -> None:
    text = guide.read_text()
    named = re.findall(r"`kwartier coop ([a-z-]+) ([a-z-]+)", text)
    timed = re.findall(r"/kwartier coop ([a-z-]+) ([a-z-]+)", text)

    unknown = [
        (group, name)
        for group, name in [*named, *timed]
        if name not in {word.name for word in words_of(group)}
    ]

    assert (unknown, len(timed)) == ([], 1)
