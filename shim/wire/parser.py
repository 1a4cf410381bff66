"""The hardened XML parser: no entities, no network, and no memory of the names that strangers send."""

import ctypes
from typing import Final

from lxml import etree

_RENEWED_AFTER: Final = 64 * 1024
"""Bytes of documents. Tables of megabytes would leave gaps that nothing else fits into."""

_thread_dictionary: Final = ctypes.pythonapi.PyThreadState_GetDict
_thread_dictionary.restype = ctypes.c_void_p  # it lends the dictionary, and ctypes would give back what is lent


class _Parsers:
    """A parser for each encoding.

    lxml keeps every name that a thread ever read in one table, which anybody could
    fill: with names that differ in every request it grows to libxml2's limit, and then
    no name that is new can be read. So from time to time there is a new table; the old
    one goes with the last document that uses it.
    """

    def __init__(self) -> None:
        self._by_encoding: dict[str | None, etree.XMLParser] = {}
        self._read = 0

    def get(self, encoding: str | None, size: int) -> etree.XMLParser:
        self._read += size
        if self._read > _RENEWED_AFTER:
            self._read = size
            self._by_encoding.clear()
            _forget_names()
        if encoding not in self._by_encoding:
            self._by_encoding[encoding] = etree.XMLParser(
                encoding=encoding,
                load_dtd=False,
                resolve_entities=False,
                no_network=True,
                remove_comments=True,
                remove_pis=True,
            )
        return self._by_encoding[encoding]


hardened: Final = _Parsers().get
"""The parser for a document of an encoding (``None``: as it says itself) and of so many bytes."""


def _forget_names() -> None:
    # lxml has no call for this; it is where a new thread has none yet.
    of_thread = ctypes.cast(_thread_dictionary(), ctypes.py_object).value
    of_thread.pop("_ParserDictionaryContext", None)
