"""Reading XML that anybody may have sent: no DTD, no entities, no network."""

from lxml import etree


class NotXml(Exception):
    """It cannot be parsed, or it has a DTD."""


def parse(content: bytes) -> etree._Element:
    """The root element.

    Raises:
        NotXml: not well-formed, or with a DTD.
    """
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise NotXml from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotXml
    return root
