"""Qualified names of elements."""

from typing import NamedTuple


class QName(NamedTuple):
    """The qualified name of an element.

    Attributes:
        local: The local name.
        namespace: The namespace; empty for none.
    """

    local: str
    namespace: str
