"""Drawing papers for the guides: a PDF's first page as PNG, and a table as SVG."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from html import escape
from pathlib import Path

_STYLE = (
    ".page{fill:#fbfaf7}.t{fill:#1d1d1b}.h{fill:#57534a;font-weight:600}.l{stroke:#d8d3c7}"
    ".stop{fill:#a3261c;font-weight:600}"
    "@media (prefers-color-scheme:dark){.page{fill:#16181c}.t{fill:#f3f1ea}.h{fill:#c3beb2}"
    ".l{stroke:#45484f}.stop{fill:#ff9d92}}"
)
_LEFT, _TOP, _LINE, _LETTER = 16, 34, 21, 7.9


def first_page(pdf: bytes, to: Path, dpi: int = 84) -> None:
    """Draw the first page of a PDF as a PNG of few colours, with poppler's own program."""
    subprocess.run(
        ["pdftoppm", "-png", "-singlefile", "-r", str(dpi), "-", str(to.with_suffix(""))],
        input=pdf,
        check=True,
    )


def table_svg(title: str, rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    """Return a table as SVG for light and dark, its first row the names.

    Args:
        title: What it shows, for who hears it.
        rows: The names, and then the rows; a cell may have several lines.
        widths: Letters per column.
    """
    parts, at = [], _TOP
    for number, row in enumerate(rows):
        left = float(_LEFT)
        for cell, width in zip(row, widths, strict=True):
            kind = "h" if number == 0 else "stop" if cell == "blocker" else "t"
            for place, text in enumerate(cell.split("\n")):
                y = at + place * _LINE
                parts.append(f'<text class="{kind}" x="{left:.0f}" y="{y}">{escape(text)}</text>')
            left += width * _LETTER
        at += _LINE * max(cell.count("\n") + 1 for cell in row)
        parts.append(f'<path class="l" d="M{_LEFT} {at - 12}H{left:.0f}"/>')
        at += 9
    across = _LEFT * 2 + sum(widths) * _LETTER
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across:.0f} {at - 6}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="13.5">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="page" width="{across:.0f}" height="{at - 6}"/>\n' + "\n".join(parts) + "\n"
        "</svg>\n"
    )
