"""The values of XML elements."""

from lxml import etree

from shim.wire import xsd
from shim.wire.namespaces import XSI


def text_of(element: etree._Element) -> str:
    """Return all text in an element and its descendants, in document order."""
    return "".join(element.itertext())  # type: ignore[arg-type]


def is_nil(element: etree._Element) -> bool:
    """Whether ``xsi:nil`` says that an element has no value (XML Schema part 1 §2.6.2)."""
    return xsd.is_true(element.get(f"{{{XSI}}}nil", ""))
