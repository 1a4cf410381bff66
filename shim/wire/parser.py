"""The hardened XML parser: no entities, no network, and no memory of the names in past requests."""

import ctypes
from typing import Final

from lxml import etree

_RENEWED_AFTER: Final = 64 * 1024
"""Bytes of documents. Larger name tables leave gaps in memory that nothing else fits into."""

_get_thread_dictionary: Final = ctypes.pythonapi.PyThreadState_GetDict
# The function returns a borrowed reference, which ctypes would release if this were py_object.
_get_thread_dictionary.restype = ctypes.c_void_p


class _Parsers:
    """One parser for each encoding, renewed from time to time.

    lxml keeps every name that a thread ever parsed in one table. A caller could fill it with names that differ in every
    request, up to libxml2's limit, after which no new name can be parsed. A renewed parser begins a new table; the old
    one is freed with the last document that uses it.
    """

    def __init__(self) -> None:
        self._by_encoding: dict[str | None, etree.XMLParser] = {}
        self._parsed = 0

    def get(self, encoding: str | None, size: int) -> etree.XMLParser:
        self._parsed += size
        if self._parsed > _RENEWED_AFTER:
            self._parsed = size
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


_parsers: Final = _Parsers()


def hardened_parser(encoding: str | None, size: int) -> etree.XMLParser:
    """Return the parser for a document.

    Args:
        encoding: Python's name of the encoding; None if the document says it itself.
        size: Bytes of the document.
    """
    return _parsers.get(encoding, size)


def _forget_names() -> None:
    # Private to lxml: its name table is in the thread's dictionary, under this key. If a release of lxml renames the
    # key, nothing is removed and the table grows again: test_parser then fails.
    thread_dictionary = ctypes.cast(_get_thread_dictionary(), ctypes.py_object).value
    thread_dictionary.pop("_ParserDictionaryContext", None)
