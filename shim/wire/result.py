"""A score file in its envelope: as base64, or as the text itself."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from pybase64 import b64encode

from shim import errors
from shim.query import ScoreFile
from shim.wire import answer
from shim.wire.answer import Empty, Wrapper
from shim.wire.dialect import Dialect

ResultType = Literal["base64Binary", "string"]
"""The XML Schema types that a result may have."""

# A multiple of 3, so that the base64 of the chunks is the base64 of the whole.
_CHUNK: Final = 96 * 1024

# What XML 1.0 cannot carry (§2.2), not even as a character reference.
_IMPOSSIBLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A parser makes a bare CR, and CR LF, a LF (XML 1.0 §2.11); a character reference stays what it is.
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


@dataclass(frozen=True, slots=True)
class Reply:
    """How a call is to be answered.

    Attributes:
        dialect: How the caller speaks.
        wrapper: The elements around the result.
        kind: The type of the result.
        empty: How an answer without scores looks.
        in_band: Whether errors come as a sentence in the result.
    """

    dialect: Dialect
    wrapper: Wrapper
    kind: ResultType
    empty: Empty
    in_band: bool


class Result:
    """An envelope with a score file in it, as chunks of bytes.

    Attributes:
        length: Bytes in all chunks.
    """

    def __init__(self, file: ScoreFile, reply: Reply) -> None:
        """Measure it, and so check that the result can carry the file.

        Raises:
            OperatorError: The result is a string and the file is no text that XML can carry.
        """
        self._file = file
        self._reply = reply
        if file.size:
            self._head, self._tail = answer.frame(reply.dialect, reply.wrapper)
        else:
            self._head, self._tail = answer.empty(reply.dialect, reply.wrapper, reply.empty), b""
        self.length = len(self._head) + self._text_length() + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        """The chunks, once."""
        if self._file.size > _CHUNK:
            yield from self._parts()
        else:  # in one piece, and so in one packet where it fits
            yield b"".join(self._parts())

    def _parts(self) -> Iterator[bytes]:
        yield self._head
        if self._file.size:
            yield from self._text()
        yield self._tail

    def _text_length(self) -> int:
        if not self._file.size:
            return 0
        if self._reply.kind == "string":
            length = sum(map(len, self._text()))
            self._file.spool.seek(0)
            return length
        characters = 4 * ((self._file.size + 2) // 3)
        return characters if self._reply.dialect.encoding == "utf-8" else 2 * characters

    def _text(self) -> Iterator[bytes]:
        dialect = self._reply.dialect
        if self._reply.kind == "string":
            yield from (answer.encode(part, dialect) for part in _string(self._file))
        elif dialect.encoding == "utf-8":
            yield from _base64(self._file)
        else:
            yield from (answer.encode(part.decode(), dialect) for part in _base64(self._file))


def _base64(file: ScoreFile) -> Iterator[bytes]:
    while chunk := file.spool.read(_CHUNK):
        yield b64encode(chunk)


def _string(file: ScoreFile) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    more = True
    while more:
        chunk = file.spool.read(_CHUNK)
        more = bool(chunk)
        try:
            text = decoder.decode(chunk, final=not more)
        except UnicodeDecodeError as error:
            raise errors.NOT_TEXT.error(note="not UTF-8") from error
        if _IMPOSSIBLE.search(text):
            raise errors.NOT_TEXT.error(note="a character that XML 1.0 cannot carry")
        yield text.translate(_ESCAPES)
