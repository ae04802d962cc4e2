"""The door to WeasyPrint: a page of HTML becomes tagged PDF (PDF/UA-1)."""

from __future__ import annotations

from kwartier.errors import SettingsError

PANGO = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
"""What WeasyPrint needs of Debian."""


def pdf_of(html: str) -> bytes:
    """Return a page as PDF/UA-1; the same page gives the same bytes.

    Nothing is fetched from anywhere: only what stands in the page itself is drawn.

    Raises:
        SettingsError: Pango is not installed; the message names Debian's packages.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise SettingsError(
            "PDF needs Pango, which is not on this machine: apt-get install "
            f"{PANGO}, or leave pdf out of --format"
        ) from error
    page = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=["data"]))
    made = page.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=b"kwartier")
    assert isinstance(made, bytes)
    return made
