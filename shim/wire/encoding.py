"""Character encodings of requests and answers.

ASMX never looked at the XML declaration of a ``text/xml`` request, and read ASCII under every charset. Its clients
declare what they like, so a declaration that contradicts the bytes is not believed.
"""

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Final, NamedTuple

from shim import errors

BYTE_ORDER_MARKS: Final = {"utf-8": codecs.BOM_UTF8, "utf-16le": codecs.BOM_UTF16_LE, "utf-16be": codecs.BOM_UTF16_BE}

ASCII_SUPERSETS: Final = re.compile(
    r"ascii|utf_8|latin_1|iso8859_([2-9]|1[013456])|cp125[0-8]|cp(437|720|737|775|85[02578]|86[0-35-69]|1125)"
    r"|koi8_[rtu]|kz1048|ptcp154|hp_roman8|mac_(cyrillic|greek|iceland|latin2|roman|turkish)|cp874|tis_620"
    r"|big5(hkscs)?|cp9(32|49|50)|gb(2312|k|18030)|euc_(jp|jis_2004|jisx0213|kr)|johab|shift_jis"
    r"|iso2022_(kr|jp(_1|_2|_2004|_3|_ext)?)"
)
"""Python's names of the codecs that read ASCII as ASCII."""

# Names that Windows programs use and Python does not know.
_WINDOWS_NAMES: Final = {
    "ansi": "cp1252",
    "x_ansi": "cp1252",
    "windows_874": "cp874",
    "windows_932": "cp932",
    "windows_936": "gbk",
    "windows_949": "cp949",
    "windows_950": "cp950",
    "x_sjis": "cp932",
    "x_gbk": "gbk",
    "x_euc_jp": "euc_jp",
    "x_mac_roman": "mac_roman",
}
_CODECS: Final = frozenset(aliases.values())
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([^\s;"]{1,40})', re.IGNORECASE)
_DECLARATION: Final = re.compile(
    rb"""(\s*<\?xml\s[^<>]{0,200}?)\sencoding\s*=\s*(?:"([^"<>]{0,100})"|'([^'<>]{0,100})')"""
)
# The first character of a document is one of ASCII's.
_UTF_16_LE: Final = re.compile(rb"[^\0]\0(?!\0)")
_UTF_16_BE: Final = re.compile(rb"\0[^\0]")
_UTF_32: Final = re.compile(rb"(\xff\xfe|[^\0]\0)\0\0|\0\0(\xfe\xff|\0[^\0])")
# A C string's end or a buffer's rest, which ASMX ignored; and XML's white space, with which NULs come mixed.
_PADDING: Final = b"\0\t\n\r "
_ESCAPE: Final = b"\x1b"  # begins other characters than ASCII's in ISO-2022


class XmlDocument(NamedTuple):
    """An XML document to parse.

    Attributes:
        data: Its bytes, without a byte order mark; in UTF-8 also without an encoding in the XML declaration.
        encoding: The encoding of the bytes: ``utf-8``, ``utf-16le`` or ``utf-16be``.
    """

    data: bytes
    encoding: str


def read_document(body: bytes, content_type: str) -> XmlDocument:
    """Find out the encoding of a request's body, and return the body in one that the parser knows.

    Args:
        body: The body, decompressed.
        content_type: The Content-Type. A byte order mark overrides its charset, and its charset overrides the XML
            declaration (RFC 7303 §3.2).

    Raises:
        CallerError: The body is UTF-32, or it is not ASCII and its charset is known not to contain ASCII.
    """
    if _UTF_32.match(body):
        raise errors.ENCODING.error()
    marked = of_byte_order_mark(body) or _of_first_character(body)
    data = body.removeprefix(BYTE_ORDER_MARKS[marked]) if marked is not None else body
    end = len(data.rstrip(_PADDING))
    if marked is not None and marked != "utf-8":
        return XmlDocument(data[: end + end % 2], marked)  # the last NUL may be the second half of a character
    data = data[:end]
    if marked is None and (not data.isascii() or _ESCAPE in data):
        data = _decode(data, content_type).encode()
    if declaration := _DECLARATION.match(data):
        data = declaration[1] + data[declaration.end() :]  # the parser would refuse an empty one
    return XmlDocument(data, "utf-8")


def of_byte_order_mark(body: bytes) -> str | None:
    """Return the encoding of the byte order mark at the start of a body; None for no mark."""
    return next((encoding for encoding, mark in BYTE_ORDER_MARKS.items() if body.startswith(mark)), None)


def _of_first_character(body: bytes) -> str | None:
    """Return which UTF-16 a body without a mark is in; None for another encoding."""
    if _UTF_16_LE.match(body):
        return "utf-16le"
    return "utf-16be" if _UTF_16_BE.match(body) else None


def _decode(body: bytes, content_type: str) -> str:
    for codec in _candidates(body, content_type):
        with suppress(UnicodeError):
            return body.decode(codec)
    return body.decode("latin_1")  # what clients send that say UTF-8 and do not encode


def _candidates(body: bytes, content_type: str) -> Iterator[str]:
    """Yield the codecs to try: of the charset, of the XML declaration, and UTF-8."""
    charset, declaration = _CHARSET.search(content_type), _DECLARATION.match(body)
    named = _codec(charset[1]) if charset is not None else ""
    if named:
        if not ASCII_SUPERSETS.fullmatch(named):
            raise errors.ENCODING.error()
        yield named
    declared = _codec((declaration[2] or declaration[3] or b"").decode("latin_1")) if declaration is not None else ""
    if ASCII_SUPERSETS.fullmatch(declared):
        yield declared
    yield "utf_8"


def _codec(name: str) -> str:
    """Return Python's name of a codec; an empty string for a codec that Python does not know."""
    # codecs.lookup would keep every name that it is asked for, and any caller can send new ones.
    normalized = normalize_encoding(name).lower()
    known = _WINDOWS_NAMES.get(normalized) or aliases.get(normalized, normalized)
    return known if known in _CODECS or ASCII_SUPERSETS.fullmatch(known) else ""
