"""XML from outside: bounded, without document types or entities, by local names only.

Namespaces of the services change their version numbers while the elements stay what they are.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from collectors.answers import AnswerError, shown


def xml_root(body: bytes, who: str) -> Element:
    """Return the root of an answer.

    Raises:
        AnswerError: It is cut off, is no XML, or declares a document type.
    """
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException:
        raise AnswerError(f"{who}'s answer declares a document type: it is not read") from None
    except (ParseError, ValueError, LookupError) as error:
        start = shown(body[:60].decode("utf-8", "replace"))
        raise AnswerError(
            f"{who}'s answer is no whole XML: {error}; it starts with {start}"
        ) from error
    return root


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element, name: str) -> list[Element]:
    """Return the children of a local name, in order."""
    return [child for child in element if local_name(child) == name]


def child_text(element: Element, *path: str) -> str | None:
    """Return the text at the end of a path of local names, or None where it is away."""
    for name in path:
        found = children(element, name)
        if not found:
            return None
        element = found[0]
    return (element.text or "").strip()
