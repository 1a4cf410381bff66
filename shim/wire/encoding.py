"""Character encodings of requests and answers, by Python's names."""

import codecs
import re
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Final

from shim import errors

BYTE_ORDER_MARKS: Final = {"utf-8": codecs.BOM_UTF8, "utf-16le": codecs.BOM_UTF16_LE, "utf-16be": codecs.BOM_UTF16_BE}

# By the names of Python's codec modules. ASCII is read as UTF-8, its superset. For UTF-16 without a byte order, the
# parser looks at the first bytes itself.
_SUPPORTED: Final = {
    "utf_8": "utf-8",
    "ascii": "utf-8",
    "utf_16": None,
    "utf_16_le": "utf-16le",
    "utf_16_be": "utf-16be",
    "latin_1": "iso-8859-1",
    "cp1252": "windows-1252",
}
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([^\s;"]{1,40})', re.IGNORECASE)


def of_byte_order_mark(body: bytes) -> str | None:
    """Return the encoding of the byte order mark at the start of a body; None for no mark."""
    return next((encoding for encoding, mark in BYTE_ORDER_MARKS.items() if body.startswith(mark)), None)


def of_charset(content_type: str) -> str | None:
    """Return the encoding that the charset of a Content-Type names.

    Returns:
        None for no charset, and for UTF-16 without a byte order.

    Raises:
        CallerError: The charset is not supported.
    """
    charset = _CHARSET.search(content_type)
    if charset is None:
        return None
    # codecs.lookup would keep every name that it is asked for, and any caller can send new ones.
    name = normalize_encoding(charset[1]).lower()
    try:
        return _SUPPORTED[aliases.get(name, name)]
    except KeyError as error:
        raise errors.ENCODING.error() from error


def of_answer(encoding: str) -> str:
    """Return the encoding in which to answer a request in an encoding.

    UTF-16 is answered in UTF-16, little-endian if the byte order is not known, and anything else in UTF-8.
    """
    return {"utf-16": "utf-16le", "utf-16le": "utf-16le", "utf-16be": "utf-16be"}.get(encoding.lower(), "utf-8")
