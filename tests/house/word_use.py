"""Which keys of the catalogues the pages, messages and papers use, read from their source.

A key is used as it stands (``say("title.today")``), or with parts that are known at run time only
(``say("signal." ~ state)``, ``f"signal.{state}"``): then a star stands for each such part.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, nodes

from api.pages.language import SPOKEN, catalogues

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "api" / "pages" / "templates"
SPEAKS = frozenset({"say", "count", "knows"})
"""What is called with a key."""
SPEAKS_OTHERWISE = ROOT / "api" / "papers" / "handover.py"
"""Says the words of the gateway's own catalogue, as the gateway's page of the same paper does."""
_KEY = re.compile(r"[a-z0-9_]+(\.[A-Za-z0-9_-]+)*")
_PATTERN = re.compile(r"[a-z0-9_]+\.[A-Za-z0-9_.*-]*")


@dataclass(frozen=True, slots=True)
class Uses:
    """What is used.

    Attributes:
        spoken: Keys that are said or counted as they stand.
        written: All texts in the source that may be keys; some are not.
        patterns: Keys with stars.
    """

    spoken: frozenset[str]
    written: frozenset[str]
    patterns: frozenset[str]


@cache
def uses() -> Uses:
    """Return what the source of pages, messages and papers uses."""
    spoken: set[str] = set()
    written: set[str] = set()
    patterns: set[str] = set()
    for is_call, found in (*_in_templates(), *_in_code()):
        # A text such as "rules.vat." is handed to a macro, which puts the rest behind it.
        text = f"{found}*" if found.endswith(".") else found
        if "*" in text:
            if _PATTERN.fullmatch(text):
                patterns.add(text)
        elif _KEY.fullmatch(text):
            written.add(text)
            if is_call:
                spoken.add(text)
    return Uses(frozenset(spoken), frozenset(written), frozenset(patterns))


def _in_templates() -> Iterator[tuple[bool, str]]:
    world = Environment(autoescape=True)
    for path in sorted(TEMPLATES.rglob("*.html")):
        tree = world.parse(path.read_text())
        for call in tree.find_all(nodes.Call):
            name = call.node.name if isinstance(call.node, nodes.Name) else ""
            if isinstance(call.node, nodes.Getattr):
                name = call.node.attr
            if name in SPEAKS and call.args:
                for text in _branches(call.args[0]):
                    yield True, text
        for constant in tree.find_all(nodes.Const):
            if isinstance(constant.value, str):
                yield False, constant.value
        for joined in tree.find_all((nodes.Concat, nodes.Add)):
            yield False, _template_text(joined)


def _branches(node: nodes.Node) -> list[str]:
    if isinstance(node, nodes.CondExpr):
        return _branches(node.expr1) + (_branches(node.expr2) if node.expr2 else [])
    return [_template_text(node)]


def _template_text(node: nodes.Node) -> str:
    if isinstance(node, nodes.Const):
        return str(node.value)
    if isinstance(node, nodes.Concat):
        return "".join(_template_text(part) for part in node.nodes)
    if isinstance(node, nodes.Add):
        return _template_text(node.left) + _template_text(node.right)
    return "*"


def _in_code() -> Iterator[tuple[bool, str]]:
    for path in sorted((ROOT / "api").rglob("*.py")):
        if path.is_relative_to(ROOT / "api" / "cooperative") or path == SPEAKS_OTHERWISE:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                said = node.func.attr in {"say", "knows"}
                if said and node.args and isinstance(node.args[0], ast.Constant):
                    yield True, str(node.args[0].value)
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield False, node.value
            if isinstance(node, ast.JoinedStr):
                yield (
                    False,
                    "".join(
                        part.value
                        if isinstance(part, ast.Constant) and isinstance(part.value, str)
                        else "*"
                        for part in node.values
                    ),
                )


def _told() -> Iterator[str]:
    """Yield a line for each key: its catalogue, the languages that have it, and how it is used."""
    used = uses()
    languages = {tag: catalogues(tag) for tag in SPOKEN}
    for name, part in languages["nl"].items():
        for message in part:
            key = message.id if isinstance(message.id, str) else message.id[0]
            if key:
                tags = " ".join(
                    tag for tag, parts in languages.items() if name in parts and key in parts[name]
                )
                whole = key in used.spoken | used.written
                yield f"{name:10} {key:45} {tags:18} {'' if whole else 'put together'}".rstrip()


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in _told())
