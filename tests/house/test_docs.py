"""The papers match the house: settings, commands, lanes, decisions, links and libraries."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.cooperative.keys import make_keys
from api.cooperative.settings import read_settings
from kwartier.cli import main
from kwartier.model import read_community
from kwartier.wire import Lane

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
SETTINGS = ROOT / "docs" / "settings.md"
READERS = {
    "Gateway": "gateway/settings.py",
    "Batteries": "gateway/steer/settings.py",
    "Solar limits": "gateway/steer/solar_settings.py",
    "Modbus lines": "gateway/modbus/settings.py",
    "Meters": "gateway/p1/settings.py",
    "Care from afar": "gateway/care/settings.py",
    "Identity": "gateway/enrol/settings.py",
    "Collector": "collectors/settings.py",
    "Neighbourhood": "kwartier/model.py",
    "Server": "api/settings.py",
    "Prices": "collectors/prices/settings.py",
    "Weather": "collectors/weather/settings.py",
    "Charts": "api/charts.py",
    "Letting gateways in": "api/enrolment/settings.py",
    "Post": "api/post/settings.py",
    "Books": "api/cooperative/settings.py",
    "Book of people": "api/people/place.py",
    "Broker": "kwartier/broker.py",
}
"""Which section of docs/settings.md describes the keys that which file reads."""
ASKED = {
    "euro",
    "flag",
    "name",
    "name_or_none",
    "number",
    "table",
    "tables",
    "text",
    "text_or_none",
    "whole",
    "whole_or_none",
}
"""The questions that ``kwartier.settings.Table`` answers."""
PAPERS = sorted([README, ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])
MOST_LINES_OF_A_DECISION = 40


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the code asks for it; ``bounds`` are its default and limits where they stand there.

    Limits that are expressions are left to the reader of the code.
    """

    name: str
    bounds: tuple[str, ...]


def keys_read(source: str) -> set[Key]:
    """Return every key for which a file asks a settings table."""
    found: set[Key] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ASKED and node.args:
                bounds = [*node.args[1:2], *(word.value for word in node.keywords)]
                found |= {Key(name, _texts(bounds)) for name in _names(node.args[0])}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "read_secret":
                found |= {Key(name, ()) for name in _names(node.args[1])}
            elif node.func.id == "_url":
                found |= {
                    Key(name + file, ()) for name in _names(node.args[1]) for file in ("", "_file")
                }
        elif isinstance(node, ast.comprehension) and isinstance(node.iter, ast.Tuple):
            found |= {Key(name, ()) for word in node.iter.elts for name in _names(word)}
    return found


def _names(node: ast.expr) -> list[str]:
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _texts(nodes: list[ast.expr]) -> tuple[str, ...]:
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return tuple(str(value) for value in values if value not in {"", None})


def section(title: str) -> str:
    """Return one section of docs/settings.md."""
    text = SETTINGS.read_text().split(f"\n## {title}\n", 1)
    assert len(text) == 2, f"docs/settings.md has no section {title}"
    return text[1].split("\n## ", 1)[0]


def rows(text: str) -> Iterator[tuple[str, str]]:
    """Yield each row of the tables in a section: the key and the whole row."""
    for line in text.splitlines():
        told = re.match(r"\| `([a-z0-9_]+)` \|", line)
        if told:
            yield told[1], line


def examples() -> dict[str, str]:
    """Return the TOML files that docs/settings.md shows, by the name in their first line."""
    blocks = re.findall(r"```toml\n# (\S+)\n(.*?)```", SETTINGS.read_text(), re.DOTALL)
    return dict(blocks)


BOOKS = """[cooperative]
id = "zonnehof"
name = "De Zonnehof"
[address]
street = "Zonlaan"
number = "1"
postcode = "2611 AA"
town = "Delft"
[database]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with every example and what they name."""
    for name, text in examples().items():
        (tmp_path / name).write_text(text)
    (tmp_path / "kept").mkdir()
    (tmp_path / "broker.password").write_text("one\n")
    (tmp_path / "influx.token").write_text("two\n")
    (tmp_path / "mail.password").write_text("three\n")
    (tmp_path / "webhook.secret").write_text("four-times-sixteen\n")
    (tmp_path / "oidc.secret").write_text("five\n")
    make_keys(tmp_path / "books" / "keys")
    (tmp_path / "books" / "books.db").touch()
    (tmp_path / "books" / "books.toml").write_text(BOOKS)
    return tmp_path


@pytest.mark.parametrize(("title", "file"), READERS.items())
def test_every_key_is_documented_and_no_other(title: str, file: str) -> None:
    read = {key.name for key in keys_read((ROOT / file).read_text())}

    told = {name for name, _ in rows(section(title))}

    assert told == read


@pytest.mark.parametrize(("title", "file"), READERS.items())
def test_defaults_and_limits_in_the_code_stand_in_the_table(title: str, file: str) -> None:
    table: dict[str, str] = {}
    for name, row in rows(section(title)):
        table[name] = table.get(name, "") + row

    missing = [
        f"{key.name}: `{bound}`"
        for key in keys_read((ROOT / file).read_text())
        for bound in key.bounds
        if f"`{bound}`" not in table[key.name]
    ]

    assert missing == []


def test_a_key_that_nobody_documented_would_be_found() -> None:
    source = 'top.whole("new_key", 3, low=1)\n[row.text(k) for k in ("one", "two")]\n'

    assert keys_read(source) == {Key("new_key", ("3", "1")), Key("one", ()), Key("two", ())}


@pytest.mark.parametrize(
    ("command", "name"),
    [("gateway", "gateway.toml"), ("collect", "collect.toml"), ("serve", "serve.toml")],
)
def test_every_example_passes_its_own_check(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    code = main([command, "--config", str(folder / name), "--check"])

    told = capsys.readouterr()
    assert (code, told.err) == (0, "")
    assert "all keys are understood" in told.out


def test_the_neighbourhood_shown_is_read(folder: Path) -> None:
    community = read_community(folder / "wijk.toml")

    assert list(community.connections) == ["huis-01", "huis-02"]
    assert list(community.batteries) == ["buurtbatterij"]


def test_the_books_shown_are_read(folder: Path) -> None:
    settings = read_settings(folder)

    assert settings.coop == "zonnewijk"
    assert settings.database == settings.owner == f"sqlite:///{folder / 'books.db'}"


def test_every_example_is_tried() -> None:
    assert set(examples()) == {
        "gateway.toml",
        "collect.toml",
        "wijk.toml",
        "serve.toml",
        "books.toml",
    }


def test_every_variable_of_the_environment_is_documented() -> None:
    read = {
        name
        for file in ROOT.glob("[a-z]*/**/*.py")
        if "tests" not in file.relative_to(ROOT).parts
        for name in re.findall(r"environ(?:\.get\(|\[)\"(KWARTIER_\w+)\"", file.read_text())
    }

    told = set(re.findall(r"^\| `([A-Z_]+)` \|", SETTINGS.read_text(), re.MULTILINE))

    assert told == read


def test_the_readme_lists_every_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    commands = set(project["entry-points"]["kwartier.commands"])
    reference = README.read_text().split("\n## Commands\n", 1)[1].split("\n## ", 1)[0]

    told = set(re.findall(r"^\| `kwartier ([a-z0-9]+)", reference, re.MULTILINE))

    assert told == commands


def test_every_lane_of_the_wire_is_described() -> None:
    described = (ROOT / "docs" / "asyncapi.yaml").read_text()

    addresses = re.findall(r"^\s+address: [\"']?(\S+?)[\"']?$", described, re.MULTILINE)
    start = "nec/v1/{coop}/{gateway}/"
    told = {
        address.removeprefix(start).removesuffix("/{device}")
        for address in addresses
        if address.startswith(start)
    }

    assert {str(lane) for lane in Lane} <= told


@pytest.mark.parametrize("decision", sorted(ROOT.glob("docs/adr/*.md")), ids=lambda path: path.name)
def test_a_decision_is_short_and_numbered(decision: Path) -> None:
    lines = decision.read_text().splitlines()

    assert len(lines) <= MOST_LINES_OF_A_DECISION
    assert re.fullmatch(r"[0-9]{4}-[a-z0-9-]+\.md", decision.name)


def test_no_two_decisions_have_one_number() -> None:
    numbers = [path.name[:4] for path in ROOT.glob("docs/adr/*.md")]

    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_point_at_something(paper: Path) -> None:
    text = re.sub(r"```.*?```", "", paper.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"src=\"([^\"]+)\"", text)
    near = [link.partition("#")[0] for link in links if "://" not in link]

    lost = [link for link in near if link and not (paper.parent / link).exists()]

    assert lost == []


def test_every_library_we_lean_on_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {
        re.split(r"[\[<>=! ]", need, maxsplit=1)[0]
        for needs in [project["dependencies"], *project["optional-dependencies"].values()]
        for need in needs
    }
    explained = (ROOT / "docs" / "dependencies.md").read_text()
    rows_told = re.findall(r"^\| ([a-z0-9 ,-]+) \|", explained, re.MULTILINE)
    told = {name.strip() for row in rows_told for name in row.split(",")}
    stubs = {name for name in needed if name.startswith("types-") or name.endswith("-stubs")}

    assert needed - stubs - {"kwartier"} <= told
