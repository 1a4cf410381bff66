"""A SOAP call as read from its envelope."""

from dataclasses import dataclass

from lxml import etree

from shim.wire.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one operation.

    Attributes:
        dialect: The dialect to answer in.
        name: The local name of the body's element.
        namespace: The namespace of the body's element; empty for none.
        qualified: Whether the parameters have a namespace too.
        element: The body's element.
        security: The WS-Security headers.
        action: The action that WS-Addressing names; empty for none.
    """

    dialect: Dialect
    name: str
    namespace: str
    qualified: bool
    element: etree._Element
    security: tuple[etree._Element, ...]
    action: str
