"""XML from outside: bounded, without document types, entities or anything fetched."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from api.cooperative.errors import BooksError


def parsed(content: bytes, most_bytes: int, what: str) -> Element:
    """Return the root of an XML document.

    Raises:
        BooksError: It is too long, is cut off, is no XML, or declares a document type.
    """
    if len(content) > most_bytes:
        raise BooksError(f"{what}: {len(content)} bytes, the most is {most_bytes}")
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise BooksError(
            f"{what}: it declares a document type, which no bank's file does"
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        raise BooksError(f"{what}: this is no whole XML: {error}") from error
    return root
