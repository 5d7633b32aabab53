"""Reading XML that came from outside: no entities, no DTD, no network, no huge trees; names without namespaces."""

import re
from collections.abc import Iterator

from lxml import etree

Element = etree._Element  # noqa: SLF001 - lxml's stubs have no public name for the type
_DECLARATION = re.compile(r"<\?xml\s[^>]*\?>")


def parsed(content: bytes, *, encoding: str | None = None) -> Element | None:
    """The root element, or None where `content` is no well-formed XML or brings a document type.

    `encoding` overrides the XML declaration, for text that was decoded on its way.
    """
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root if root.getroottree().docinfo.internalDTD is None else None


def parsed_text(text: str) -> Element | None:
    """The root element of a document that was decoded already, so that its declaration says nothing any more."""
    declared = _DECLARATION.match(text)
    content = text[declared.end() :] if declared else text
    return parsed(content.encode("utf-8", "surrogatepass"), encoding="utf-8")


def name(element: Element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname


def all_named(root: Element, wanted: str) -> Iterator[Element]:
    """Every element below `root`, itself included, whose name is `wanted`, in document order."""
    return (element for element in root.iter() if isinstance(element.tag, str) and name(element) == wanted)


def text_of(element: Element | None) -> str | None:
    """The text of an element without surrounding blanks; None where there is none."""
    return ((element.text or "").strip() or None) if element is not None else None


def whole_text(element: Element) -> str:
    """The text of an element and of all in it, without surrounding blanks."""
    return "".join(map(str, element.itertext())).strip()


def first_text(root: Element, wanted: str) -> str | None:
    """The text of the first element named `wanted`."""
    return text_of(next(all_named(root, wanted), None))
