"""Draws pages from templates, and serves the style and the script under names that never change."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from api.pages.language import Language

ASSETS = {
    "style.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
}
"""What pages fetch besides themselves, and its kind."""
_SCRIPTS = ("app.js", "door.js")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that never changes while this process lives.

    Attributes:
        kind: What it is, as browsers are told.
        body: The file.
        packed: The same in gzip, packed once.
    """

    kind: str
    body: bytes
    packed: bytes


class Pages:
    """Draws pages."""

    def __init__(self) -> None:
        """Read the templates and the assets."""
        self._templates = Environment(
            loader=PackageLoader("api", "pages/templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.worker = _packed("text/javascript; charset=utf-8", _asset("sw.js"))
        self._templates.globals["icon"] = f"data:image/svg+xml,{quote(_asset('icon.svg').decode())}"
        self._assets: dict[str, Asset] = {}
        for name, kind in ASSETS.items():
            body = _asset(name)
            stem, _, tail = name.partition(".")
            hashed = f"{stem}.{hashlib.blake2s(body, digest_size=6).hexdigest()}.{tail}"
            self._assets[hashed] = _packed(kind, body)
            self._templates.globals[stem] = f"/static/{hashed}"

    def draw(self, template: str, lang: Language, **values: object) -> str:
        """Return a page in a language."""
        return self._templates.get_template(template).render(lang=lang, say=lang.say, **values)

    def asset(self, name: str) -> Asset | None:
        """Return an asset by its hashed name, or None."""
        return self._assets.get(name)


def _packed(kind: str, body: bytes) -> Asset:
    return Asset(kind, body, gzip.compress(body, 9, mtime=0))


def _asset(name: str) -> bytes:
    """Return an asset; style and script are all their parts in order, fetched at once."""
    folder = files("api.pages").joinpath("static")
    if name == "app.js":
        return b"\n".join(folder.joinpath(each).read_bytes() for each in _SCRIPTS)
    if name != "style.css":
        return folder.joinpath(name).read_bytes()
    parts = sorted(
        (each for each in folder.joinpath("style").iterdir() if each.name.endswith(".css")),
        key=lambda each: each.name,
    )
    return b"\n".join(each.read_bytes() for each in parts)
