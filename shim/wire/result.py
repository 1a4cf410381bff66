"""A score file in an envelope, as base64 or as the text itself."""

import codecs
import re
from collections.abc import Iterator
from typing import Final

from pybase64 import b64encode

from shim import errors
from shim.query import ScoreFile
from shim.wire import answer
from shim.wire.answer_format import AnswerFormat

# A multiple of 3, so that the base64 of the chunks, in a row, is the base64 of the file.
_CHUNK: Final = 96 * 1024

# Characters that XML 1.0 cannot carry (§2.2), not even as character references.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A parser reads CR and CR LF as LF (XML 1.0 §2.11), but keeps a CR that is a character reference.
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


class Result:
    """An envelope with a score file in it, as chunks of bytes.

    Attributes:
        length: Bytes of all chunks together.
    """

    def __init__(self, file: ScoreFile, answer_format: AnswerFormat) -> None:
        """Measure the envelope; a string result is read through once for that, and so is checked.

        Args:
            file: The score file; it stays open.
            answer_format: The format of the envelope.

        Raises:
            OperatorError: The result is a string, and XML cannot carry the file as text.
        """
        self._file = file
        self._dialect = answer_format.dialect
        self._is_string = answer_format.result_type == "string"
        if file.size:
            self._head, self._tail = answer.frame(answer_format)
        else:
            self._head, self._tail = answer.empty(answer_format), b""
        self.length = len(self._head) + self._text_length() + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the chunks, once."""
        if self._file.size > _CHUNK:
            yield from self._parts()
        else:
            yield b"".join(self._parts())  # in one piece, so that a small answer is one packet

    def _parts(self) -> Iterator[bytes]:
        yield self._head
        if self._file.size:
            yield from self._text()
        yield self._tail

    def _text_length(self) -> int:
        if not self._file.size:
            return 0
        if self._is_string:
            length = sum(map(len, self._text()))
            self._file.spool.seek(0)
            return length
        characters = 4 * ((self._file.size + 2) // 3)
        return characters if self._dialect.encoding == "utf-8" else 2 * characters

    def _text(self) -> Iterator[bytes]:
        if self._is_string:
            yield from (answer.encode(part, self._dialect) for part in _string(self._file))
        elif self._dialect.encoding == "utf-8":
            yield from _base64(self._file)
        else:
            yield from (answer.encode(part.decode(), self._dialect) for part in _base64(self._file))


def _base64(file: ScoreFile) -> Iterator[bytes]:
    while chunk := file.spool.read(_CHUNK):
        yield b64encode(chunk)


def _string(file: ScoreFile) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    while chunk := file.spool.read(_CHUNK):
        yield _escaped(decoder, chunk)
    yield _escaped(decoder, b"", final=True)


def _escaped(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> str:
    try:
        text = decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        raise errors.NOT_TEXT.error(note="not UTF-8") from error
    if _NOT_XML.search(text):
        raise errors.NOT_TEXT.error(note="a character that XML 1.0 cannot carry")
    return text.translate(_ESCAPES)
