"""What people with bad intentions type, and how one sees that a page took it for words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree, html

MARK = "zq"
"""Stands in every payload with its number, so that it is found again."""
_SHAPES = (
    "<script>alert(`{m}`)</script>",
    "</textarea><script>alert(`{m}`)</script>",
    "</title><script>alert(`{m}`)</script>",
    "--><script>alert(`{m}`)</script>",
    "]]><script>alert(`{m}`)</script>",
    "<img src=x onerror=alert(`{m}`)>",
    "<svg onload=alert(`{m}`)>",
    "<svg><script href=data:,alert(`{m}`) /></svg>",
    "<math><mtext><mglyph><style><img src=x onerror=alert(`{m}`)>",
    "<body onload=alert(`{m}`)>",
    "<iframe srcdoc='<script>alert(`{m}`)</script>'>",
    "<a href=javascript:alert(`{m}`)>x</a>",
    "<form action=https://evil.example/{m}><button>x</button>",
    "<base href=https://evil.example/{m}/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/{m}'>",
    "<link rel=stylesheet href=//evil.example/{m}.css>",
    "<style>@import '//evil.example/{m}'</style>",
    "<object data=//evil.example/{m}></object>",
    "<details open ontoggle=alert(`{m}`)>",
    "<input autofocus onfocus=alert(`{m}`)>",
    '" autofocus onfocus="alert(`{m}`)',
    "' onmouseover='alert(`{m}`)",
    '"><img src=x onerror=alert(`{m}`)>',
    "'><svg/onload=alert(`{m}`)>",
    "` onclick=alert(`{m}`)",
    "javascript:alert(`{m}`)//",
    "data:text/html,<script>alert(`{m}`)</script>",
    "{{{{ 7 * 7 }}}}{m}{{% include 'x' %}}${{7*7}}",
    "%(x)s {{0}} {{lid.__class__}} {m}",
    "{m}\r\nBcc: evil@evil.example\r\n\r\n<script>alert(1)</script>",
    "\u202e{m}\u2066<script>\u2069",
    "{m}\x00<script>\x0balert(1)</script>\x7f",
    "\uff1cscript\uff1ealert(`{m}`)\uff1c/script\uff1e",
    "\u2028{m}\u2029\ufeff<script>",
    "[{m}](javascript:alert(1)) ![x](//evil.example/{m}) <//evil.example>",
    "&lt;script&gt;{m}&#60;img src=x onerror=alert(1)&#62;",
    "<scr<script>ipt>alert(`{m}`)</scr</script>ipt>",
    "=HYPERLINK(`//evil.example/{m}`)",
    "+{m}",
    "-{m}",
    "@{m}",
    "\t={m}",
    "<p style=position:fixed;background:url(//evil.example/{m})>",
    "//evil.example/{m}",
    "https://evil.example/{m}",
    "\\\\evil.example\\{m}",
    "{m}" + "\U0001f3f4" * 15 + "A" * 3_500,
)
PAYLOADS = tuple(shape.format(m=f"{MARK}{at:02}") for at, shape in enumerate(_SHAPES))
"""Each once; ``zq07`` stands in the seventh."""
_MARKED = re.compile(rf"{MARK}\d\d")
_ADDRESSES = {"href", "src", "action", "formaction", "data", "poster", "background", "manifest"}
_OWN = re.compile(r"(/(?![/\\])|#|\?|mailto:|tel:|data:image/svg\+xml,|https?://127\.0\.0\.1)")
_WORDS = {
    "value",
    "title",
    "aria-label",
    "aria-description",
    "alt",
    "content",
    "placeholder",
    "datetime",
    "href",
    "action",
    "data-home",
    "id",
    "name",
    "for",
    "aria-describedby",
    "aria-labelledby",
    "formaction",
    "data-further",
}
"""Attributes in which words of people may stand, escaped."""


def marks_in(text: str) -> set[str]:
    """Return which payloads a text holds."""
    return set(_MARKED.findall(text))


def live_parts(text: str) -> Iterator[str]:
    """Yield what a page of ours would do that it should not."""
    document = html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))
    for part in document.iter("*"):
        yield from _of_element(part)
    for part in document.iter(etree.Comment, etree.ProcessingInstruction):
        if marks_in(part.text or ""):
            yield f"a comment holds {part.text!r}"


def _of_element(part: html.HtmlElement) -> Iterator[str]:
    tag = str(part.tag)
    if tag in {"script", "style"} and marks_in(part.text or ""):
        yield f"<{tag}> holds {part.text!r}"
    if tag == "script" and not part.get("src", "").startswith("/static/"):
        yield f"a script of nobody: {etree.tostring(part, encoding='unicode')[:120]}"
    if tag in {"iframe", "object", "embed", "base", "style", "math", "img"}:
        yield f"<{tag}> stands in a page: {dict(part.attrib)}"
    for name, value in part.attrib.items():
        if str(name).startswith("on") or name in {"srcdoc", "style", "ping", "http-equiv"}:
            yield f"<{tag} {name}={value!r}>"
        if name in _ADDRESSES and not _OWN.match(value) and value not in {"", "."}:
            yield f"<{tag} {name}={value!r}> leads elsewhere"
        if marks_in(value) and name not in _WORDS:
            yield f"<{tag} {name}={value!r}> holds what somebody typed"
