"""Character encodings of requests and answers.

ASMX never looked at the XML declaration of a ``text/xml`` request, and read ASCII under every charset. Its clients
declare what they like, so a declaration that contradicts the bytes is not believed.
"""

import codecs
import re
from collections.abc import Iterator
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Final, NamedTuple

from shim import errors

BYTE_ORDER_MARKS: Final = {"utf-8": codecs.BOM_UTF8, "utf-16le": codecs.BOM_UTF16_LE, "utf-16be": codecs.BOM_UTF16_BE}

# Python's codecs that read ASCII as ASCII.
_ASCII_SUPERSETS: Final = re.compile(
    r"ascii|utf_8|latin_1|big5(hkscs)?|cp(437|720|737|775|85[02578]|86[0-69]|874|932|949|950|125\d)"
    r"|euc_(jp|jis_2004|jisx0213|kr)|gb(2312|k|18030)|iso2022_jp(_[123]|_ext)?|iso8859_([2-9]|1[013456])|johab"
    r"|koi8_[rut]|kz1048|mac_(cyrillic|greek|latin2|roman|turkish)|ptcp154|shift_jis|tis_620"
)
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
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([^\s;"]{1,40})', re.IGNORECASE)
_DECLARATION: Final = re.compile(rb"""\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([^"']{1,40})["']""")
_ESCAPE: Final = b"\x1b"  # begins other characters than ASCII's in ISO-2022


class Document(NamedTuple):
    """An XML document to parse.

    Attributes:
        data: Its bytes, without a byte order mark.
        encoding: The encoding of the bytes: ``utf-8`` or a UTF-16. Overrides the XML declaration.
    """

    data: bytes
    encoding: str


def read_document(body: bytes, content_type: str) -> Document:
    """Find out the encoding of a request's body, and return the body in one that the parser knows.

    Args:
        body: The body, decompressed.
        content_type: The Content-Type. A byte order mark overrides its charset, and its charset overrides the XML
            declaration (RFC 7303 §3.2).

    Raises:
        CallerError: The charset is a known one that does not contain ASCII, and the bytes are not ASCII.
    """
    marked = of_byte_order_mark(body) or _of_first_bytes(body)
    if marked is not None:
        return Document(body.removeprefix(BYTE_ORDER_MARKS[marked]), marked)
    body = body.rstrip(b"\0")  # a C string's end, or a buffer's rest; ASMX ignored them
    if body.isascii() and _ESCAPE not in body:
        return Document(body, "utf-8")
    for codec in _candidates(body, content_type):
        try:
            return Document(body.decode(codec).encode(), "utf-8")
        except UnicodeError:
            continue
    raise errors.ENCODING.error()


def of_byte_order_mark(body: bytes) -> str | None:
    """Return the encoding of the byte order mark at the start of a body; None for no mark."""
    return next((encoding for encoding, mark in BYTE_ORDER_MARKS.items() if body.startswith(mark)), None)


def of_answer(encoding: str) -> str:
    """Return the encoding in which to answer a request in an encoding: its UTF-16, or UTF-8."""
    return encoding if encoding.startswith("utf-16") else "utf-8"


def _of_first_bytes(body: bytes) -> str | None:
    """Return which UTF-16 a body without a mark is in, by its first character, which is ASCII in every document."""
    first, second, *rest = *body[:4], *b"\1\1\1\1"[len(body[:4]) :]
    if 0 in (first, second) and first != second and any(rest):  # UTF-32 has two NULs more
        return "utf-16be" if first == 0 else "utf-16le"
    return None


def _candidates(body: bytes, content_type: str) -> Iterator[str]:
    """Return the codecs to try: of the charset, of the declaration, and the two that clients use without saying so."""
    charset = _CHARSET.search(content_type)
    if charset is not None:
        codec = _codec(charset[1])
        if codec is not None and not _ASCII_SUPERSETS.fullmatch(codec):
            raise errors.ENCODING.error()
        yield from filter(None, (codec,))
    declared = _DECLARATION.match(body)
    codec = _codec(declared[1].decode("latin-1")) if declared is not None else None
    if codec is not None and _ASCII_SUPERSETS.fullmatch(codec):
        yield codec
    yield from ("utf_8", "latin_1")


def _codec(name: str) -> str | None:
    """Return the name of Python's codec; None for a name that nobody knows."""
    # codecs.lookup would keep every name that it is asked for, and any caller can send new ones.
    normalized = normalize_encoding(name).lower()
    known = _WINDOWS_NAMES.get(normalized) or aliases.get(normalized, normalized)
    return known if known in _CODECS else None


_CODECS: Final = frozenset(aliases.values())
