"""``kwartier coop`` as a treasurer and a board member type it, on a folder of their own."""

from __future__ import annotations

import json
import shlex
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from api.commands.coop.front import GROUPS, parser_of, words_of
from api.commands.coop.word import Word
from api.commands.coop.word import __file__ as word_file
from kwartier.cli import main
from kwartier.wire import Json
from tests.api.cooperative.neighbours import IBAN, ean_of

RUN = "import sys; from kwartier.cli import main; sys.exit(main())"
INIT = shlex.split(
    "coop init BOOKS --id zonnewijk --name 'De Zonnewijk' --street Zonlaan --number 1 "
    "--postcode '2611 AA' --town Delft --treasurer-name 'Anna Bos' --board-name 'Bram Vos'"
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        """Its answer."""
        answer: Json = json.loads(self.out)
        return answer


class Shell:
    """Types commands in a folder with books."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Use the books in ``books`` of a folder, and the secrets beside them."""
        self.folder = folder
        self.books = folder / "books"
        self._capsys = capsys

    def type(self, line: str, officer: str = "treasurer") -> Told:
        """Type a line after ``kwartier coop``, as an officer."""
        secret = self.folder / f"{officer}.secret"
        words = ["coop", *shlex.split(line), "--books", str(self.books)]
        return self.plain(*words, "--as", officer, "--secret-file", str(secret))

    def plain(self, *words: str) -> Told:
        """Type words after ``kwartier``."""
        try:
            code = main(list(words))
        except SystemExit as left:
            code = int(left.code or 0)
        told = self._capsys.readouterr()
        return Told(code, told.out, told.err)


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with new books, made by the real program, and both officers' own secrets."""
    folder = tmp_path_factory.mktemp("founded")
    words = [str(folder / "books") if word == "BOOKS" else word for word in INIT]
    made = subprocess.run(
        [sys.executable, "-c", RUN, *words], capture_output=True, check=True, timeout=120
    )
    told = json.loads(made.stdout)
    (folder / "recovery.txt").write_text(told["recovery_key"], encoding="utf-8")
    for each in told["officers"]:
        name = each["officer"]
        (folder / f"{name}.once").write_text(each["one_time_secret"], encoding="utf-8")
        drawn = ["coop", "officer", "new-secret", "--as", name, "--books", str(folder / "books")]
        drawn += ["--secret-file", str(folder / f"{name}.once")]
        drawn += ["--to", str(folder / f"{name}.secret")]
        assert main(drawn) == 0
    return folder


@pytest.fixture
def shell(founded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell with a copy of the new books."""
    shutil.copytree(founded, tmp_path / "home")
    return Shell(tmp_path / "home", capsys)


def test_init_makes_a_folder_for_its_owners_eyes_with_no_secret_in_it(founded: Path) -> None:
    books = founded / "books"

    assert {file.name for file in books.iterdir()} >= {"books.toml", "books.db", "keys", "papers"}
    assert stat.S_IMODE(books.stat().st_mode) == 0o700
    for key in ("chain.key", "seal.keys", "recovery.pub"):
        assert stat.S_IMODE((books / "keys" / key).stat().st_mode) == 0o400
    assert stat.S_IMODE((founded / "board.secret").stat().st_mode) == 0o600
    content = (books / "books.db").read_bytes() + (books / "books.toml").read_bytes()
    for file in founded.glob("*.*"):
        assert file.read_bytes().strip() not in content
    assert b"Anna Bos" not in content


def test_init_overwrites_nothing(shell: Shell) -> None:
    before = (shell.books / "books.toml").read_bytes()

    told = shell.plain(*[str(shell.books) if word == "BOOKS" else word for word in INIT])

    assert (told.code, told.out) == (78, "")
    assert "holds something already" in told.err
    assert (shell.books / "books.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("more", "code", "why"),
    [
        ("--iban NL91ABNA0417164301", 1, "IBAN is not right"),
        ("--kvk 12", 1, "KvK number is not 8 digits"),
        ("--vat-number NL1", 1, "VAT number is not right"),
        ("--creditor-id NL00ZZZ1", 1, "creditor identifier is not right"),
        ("--id 'De Wijk'", 1, "--id 'De Wijk'"),
        ("--board-person person-1", 1, "two different persons"),
        ("--board-name 'anna  bos'", 1, "must be two persons"),
        ("--database-url postgresql+psycopg://a:hush@host/db", 2, "--database-url-file"),
        ("--database-url mysql://host/db", 78, "use sqlite"),
    ],
)
def test_init_with_nonsense_says_why_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str, code: int, why: str
) -> None:
    shell = Shell(tmp_path, capsys)
    words = [str(tmp_path / "books") if word == "BOOKS" else word for word in INIT]

    told = shell.plain(*words, *shlex.split(more))

    assert (told.code, told.out, told.err.count("\n")) == (code, "", 1)
    assert why in told.err
    assert "hush" not in told.err
    assert list(tmp_path.iterdir()) == []


def test_init_without_a_terminal_names_what_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Shell(tmp_path, capsys).plain("coop", "init", str(tmp_path / "b"), "--id", "wijk")

    assert (told.code, told.err.count("\n")) == (2, 1)
    assert "--treasurer-name" in told.err


def test_a_neighbour_is_registered_word_by_word(shell: Shell) -> None:
    lines = (
        "party add huis-12 --name 'J. de Vries' --email j@voorbeeld.nl",
        "party change huis-12 --street Zonlaan --number 12 --postcode '2611 AA' --town Delft",
        "member add huis-12 --from 2026-07-01",
        f"connection add huis-12 --ean {ean_of(12)} --supplier greenchoice --fuse 35 --phases 1",
        "own set huis-12 huis-12 --from 2026-07-01",
        f"mandate sign huis-12 --reference ZON-12 --iban {IBAN} --signed 2026-06-20",
        "consent give huis-12 huis-12 settlement --from 2026-07-01 --evidence 'form 12'",
        "party change huis-12 --email jan@voorbeeld.nl",
        "party vat huis-12 kor --from 2026-08-01",
    )
    for line in lines:
        told = shell.type(line)
        assert (told.code, told.err) == (0, ""), line
        assert ean_of(12) not in told.out
        assert IBAN not in told.out

    shown = json.dumps(shell.type("party show huis-12").json)
    assert "jan@voorbeeld.nl" in shown
    assert IBAN not in shown
    assert '"limit_w": 8050' in json.dumps(shell.type("connection list").json)
    assert IBAN in json.dumps(shell.type("party export huis-12").json)
    moved = shell.type("connection supplier huis-12 vandebron --from 2026-09-01")
    assert "no longer takes part from 2026-09-01" in moved.err
    refused = shell.type("party erase huis-12")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    for line in (
        "member end huis-12 --to 2026-10-01",
        "own end huis-12 --to 2026-10-01",
        "own list",
        "mandate end ZON-12 --on 2026-10-01",
        "consent withdraw huis-12 huis-12 settlement",
        "party erase huis-12",
    ):
        assert shell.type(line).code == 0, line
    assert "(erased)" in shell.type("party list").out


def test_a_key_and_a_tariff_hold_once_the_second_person_looked_at_them(shell: Shell) -> None:
    (shell.folder / "besluit.txt").write_text("Wij besluiten.", encoding="utf-8")
    (shell.folder / "key.json").write_text('{"type": "proportional"}', encoding="utf-8")
    record = (
        f"decision record 2026-07 --kind tariff --title 'Tarief juli' --text "
        f"{shell.folder}/besluit.txt --on 2026-06-12 --eligible 62 --turnout 41 --from 2026-07-01"
    )
    version = "--decision 2026-07 --from 2026-07-01"
    key = f"key add k1 {version} --definition {shell.folder}/key.json"
    tariff = f"tariff add t1 {version} --buy 0.18 --sell 0.12 --fee 2.50 --reference 0.26"
    vat = "vat add high --rate 22/100 --from 2027-01-01 --decision 2026-07 --source plan"

    assert shell.type(key).code == 1
    assert shell.type(record, "board").code == 0
    for line, what in ((key, "key"), (tariff, "tariff"), (vat, "vat")):
        made = shell.type(line)
        assert made.code == 0, made.err
        answer = made.json
        assert isinstance(answer, dict)
        begin = str(answer["hash"])[:8]
        subject = answer[what]
        alone = shell.type(f"{what} approve {subject} --hash {begin}")
        assert (alone.code, "ask a second person" in alone.err) == (1, True)
        unseen = shell.type(f"{what} approve {subject}", "board")
        assert (unseen.code, "which one did you look at" in unseen.err) == (2, True)
        other = shell.type(f"{what} approve {subject} --hash 00000000", "board")
        assert (other.code, "look at it again" in other.err) == (1, True)
        assert shell.type(f"{what} approve {subject} --hash {begin}", "board").code == 0
    assert '"approved": true' in shell.type("key list").out
    assert "below_reasonable_fee" in shell.type("tariff list").out
    assert '"rate": "11/50"' in shell.type("vat list").out
    assert shell.type("proposal list").json == []


def test_a_rule_is_set_by_decision_and_listed_with_its_source(shell: Shell) -> None:
    listed = shell.type("parameter list").out
    refused = shell.type("parameter set correction_months 6 --from 2026-07-01 --decision 2026-99")

    assert "kst-36611-3" in listed
    assert (refused.code, refused.err.count("\n")) == (1, 1)


def test_an_officer_is_added_by_one_and_confirmed_by_the_other(shell: Shell) -> None:
    shell.type("party add huis-4 --name 'Carla Mos'")
    added = shell.type("officer add clerk --person huis-4 --role bookkeeper").json
    assert isinstance(added, dict)
    begin = str(added["hash"])[:12]

    alone = shell.type(f"officer confirm clerk --hash {begin}")
    by_list = shell.type(f"proposal approve {added['proposal']} --hash {begin}", "board")
    once = shell.folder / "clerk.once"
    confirmed = shell.type(f"officer confirm clerk --hash {begin} --to {once}", "board")
    shutil.copy(once, shell.folder / "clerk.secret")
    too_soon = shell.type("party list", "clerk")

    assert (alone.code, by_list.code, confirmed.code) == (1, 1, 0)
    assert "officer confirm" in by_list.err
    assert (too_soon.code, "draw your own first" in too_soon.err) == (1, True)
    drawn = shell.type("officer new-secret", "clerk").json
    assert isinstance(drawn, dict)
    (shell.folder / "clerk.secret").write_text(str(drawn["secret"]), encoding="utf-8")
    assert shell.type("party list", "clerk").code == 0
    assert shell.type("officer end clerk --reason moved", "board").code == 0
    assert shell.type("party list", "clerk").code == 1
    assert '"clerk"' in shell.type("officer list").out


def test_an_account_to_pay_on_is_seen_by_two_or_rejected_with_a_reason(shell: Shell) -> None:
    shell.type("party add huis-4 --name 'Carla Mos'")
    made = shell.type(f"iban set huis-4 {IBAN}").json
    assert isinstance(made, dict)

    assert IBAN not in shell.type("proposal list", "board").out
    rejected = shell.type(f"proposal reject {made['proposal']} --reason 'not hers'", "board")
    assert rejected.code == 0
    gone = shell.type(f"proposal approve {made['proposal']} --hash {made['hash']}", "board")
    assert (gone.code, gone.err.count("\n")) == (1, 1)


def test_an_import_is_dry_by_default_and_leaves_the_bad_rows_in_a_file(shell: Shell) -> None:
    file = shell.folder / "leden.csv"
    file.write_text(
        f"partij;naam;aansluiting;ean-code;leverancier\n"
        f"huis-1;J. de Vries;huis-1;{ean_of(1)};greenchoice\n"
        f"huis-2;P. Jansen;huis-2;{ean_of(1)};greenchoice\n",
        encoding="utf-8",
    )

    dry = shell.type(f"import {file}")
    kept = shell.type("party list").out
    done = shell.type(f"import {file} --apply")

    assert (dry.code, "dry run" in dry.err, "huis-1" in kept) == (1, True, False)
    answer = done.json
    assert isinstance(answer, dict)
    assert (done.code, answer["taken"], answer["refused"]) == (1, 1, 1)
    assert ean_of(1) not in dry.out + done.out
    rest = shell.folder / "leden.rest.csv"
    assert stat.S_IMODE(rest.stat().st_mode) == 0o600
    assert "belongs to huis-1 already" in rest.read_text(encoding="utf-8-sig")
    again = shell.type(f"import {file} --apply").json
    assert isinstance(again, dict)
    assert (again["taken"], again["unchanged"]) == (0, 1)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("party show nobody", 1),
        ("party add 'Jan de Vries'", 1),
        ("party add huis-1 --name x --kind ghost", 2),
        ("connection add huis-1 --ean 12 --supplier x", 1),
        ("own set huis-1 huis-1 --from 2026-02-30", 2),
        ("own withdraw 99 --reason x", 1),
        ("mandate end nothing", 1),
        ("key add k1 --decision x --from 2026-07-01 --definition /nowhere", 1),
        ("proposal approve 99 --hash 12345678", 1),
        ("import /nowhere.csv", 1),
        ("party fly", 2),
        ("nothing", 2),
    ],
)
def test_nonsense_gives_a_readable_line_and_the_right_code(
    shell: Shell, line: str, code: int
) -> None:
    told = shell.type(line)

    assert (told.code, told.out) == (code, "")
    assert told.err
    assert "Traceback" not in told.err
    assert code == 2 or told.err.count("\n") == 1


def test_who_acts_and_where_the_books_are_must_be_said(shell: Shell, tmp_path: Path) -> None:
    nobody = shell.plain("coop", "party", "list", "--books", str(shell.books))
    nowhere = shell.plain("coop", "party", "list", "--as", "board")
    empty = shell.plain("coop", "party", "list", "--as", "board", "--books", str(tmp_path))
    no_secret = shell.plain("coop", "party", "list", "--as", "board", "--books", str(shell.books))
    wrong = shell.plain(
        "coop", "party", "list", "--as", "board", "--books", str(shell.books), "--secret-file",
        str(shell.folder / "treasurer.secret"),
    )  # fmt: skip

    assert [each.code for each in (nobody, nowhere, empty, no_secret, wrong)] == [2, 78, 78, 2, 1]
    assert all(each.err.count("\n") == 1 for each in (nobody, nowhere, empty, no_secret, wrong))


WORDS = [word for group in GROUPS for word in words_of(group)]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: f"{word.group}-{word.name}")
def test_every_word_has_help_with_an_example_that_can_be_typed(
    word: Word, capsys: pytest.CaptureFixture[str]
) -> None:
    named = [word.name] if word.name else []
    with pytest.raises(SystemExit) as left:
        parser_of(word.group).parse_args([*named, "--help"])
    told = capsys.readouterr()
    typed = shlex.split(word.example.partition(" > ")[0].partition(" | ")[0])

    chosen = parser_of(word.group).parse_args(typed[3:])

    assert (left.value.code, told.err) == (0, "")
    assert "example:\n  kwartier coop " in told.out
    assert typed[: 3 + len(named)] == ["kwartier", "coop", word.group, *named]
    assert chosen.run_word is word.run


def test_no_word_is_left_out_of_the_groups() -> None:
    files = {file for file, _ in GROUPS.values()}
    written = {
        word.group for file in files for word in import_module(f"api.commands.coop.{file}").WORDS
    }
    folder = Path(word_file).parent

    assert written == set(GROUPS)
    assert files == {
        file.stem for file in folder.glob("*.py") if "\nWORDS" in file.read_text(encoding="utf-8")
    }


def test_the_program_itself_shows_a_words_help(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Shell(tmp_path, capsys).plain("coop", "own", "set", "--help")

    assert (told.code, told.err) == (0, "")
    assert "kwartier coop own set huis-12 huis-12 --from 2026-07-01" in told.out


def test_what_was_done_stays_when_nobody_reads_the_answer(shell: Shell) -> None:
    add = [
        *("coop", "party", "add", "huis-99", "--name", "X", "--as", "treasurer"),
        *("--books", str(shell.books), "--secret-file", str(shell.folder / "treasurer.secret")),
    ]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-c", RUN, *add],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )

    assert done.returncode == 1
    assert "it was done, but the answer could not be written" in done.stderr
    assert done.stderr.count("\n") == 1
    add[2:4] = ["show", "huis-99"]
    shown = shell.plain(*add[:4], *add[6:])
    assert "huis-99" in shown.out
