"""A code for a camera, as a picture in the page."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_picture(text: str, title: str) -> Markup:
    """Return a QR code as SVG, black on white with its quiet edge; ``title`` is read aloud."""
    code = segno.make(text, error="m", micro=False)
    drawn = code.svg_inline(
        scale=4, border=4, light="#fff", svgclass="qr", lineclass=None, title=title, omitsize=True
    )
    # It is segno's own text, and segno escapes the title.
    return Markup(drawn)  # noqa: S704


def qr_image(text: str) -> str:
    """Return a QR code as the address of a picture that holds it, for paper; without an edge."""
    code = segno.make(text, error="m", micro=False)
    return code.svg_data_uri(border=0, dark="#1b211d")
