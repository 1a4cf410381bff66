"""Is this really a whole score file?

The client has already seen the announced length, or the last chunk, when
``finish`` is called; what is checked here is the kind:

- Text: the records, one a line, are of one width, counted in bytes or, where names
  beyond ASCII stand, in UTF-8 characters; and no line is shorter or longer than
  any record can be. That refuses HTML, JSON, an error sentence, and a file with a
  damaged record. The last line may lack its separator.
- JSON: it begins and ends as an object or an array does.
- White space alone is an empty score file: what an empty range answers is unknown.
"""

import codecs
from typing import Final, Protocol

from shim import errors
from shim.query import Format
from shim.upstream import scorelink

SHORTEST_RECORD: Final = scorelink.SHORTEST
"""Bytes: the last field of the 2018 layout, the Report Date, ends here; what follows may come trimmed."""
LONGEST_RECORD: Final = 4096
"""Bytes: well above the 1,600 of the widest record known."""

_BLANK: Final = b" \t\r\n"
_FOREIGN: Final = (b"<", b"{", b"[")
_UTF8_CONTINUATION: Final = bytes(range(0x80, 0xC0))
_JSON_PAIRS: Final = {b"{": b"}", b"[": b"]"}


class Verifier(Protocol):
    """Looks at a body as it arrives.

    Attributes:
        blank: Whether only white space has been seen.
    """

    blank: bool

    def feed(self, chunk: bytes) -> None:
        """Look at the next chunk.

        Raises:
            UpstreamError: It cannot be part of a score file.
        """

    def finish(self) -> int | None:
        """Check what only the end shows, and tell the number of records if they are counted.

        Raises:
            UpstreamError: It is no score file.
        """


def verifier_for(wanted: Format) -> Verifier:
    """Expect a body of this format."""
    return _Text() if wanted == "text" else _Json()


class _Text:
    """Keeps at most one line."""

    def __init__(self) -> None:
        self.blank = True
        self._line = b""
        self._records = 0
        self._bytes: set[int] = set()
        self._characters: set[int] = set()
        self._first = b""
        self._separator = b""

    def feed(self, chunk: bytes) -> None:
        data = self._line + chunk
        *lines, self._line = data[self._run(data) :].split(b"\n")
        self._check(lines)
        if len(self._line.removesuffix(b"\r")) > LONGEST_RECORD:
            raise errors.UPSTREAM_NOT_SCORES.error(note="a line is longer than a record")

    def finish(self) -> int:
        self._check([self._line])
        return self._records

    def _run(self, data: bytes) -> int:
        """Count the records that the data begins with, if all are ASCII and as wide as the first one of all was.

        That is what nearly every chunk is, and it is told here without taking it apart.

        Returns:
            Their length in bytes; 0 if one is different.
        """
        if self.blank:
            return 0
        stride = len(self._first) + len(self._separator)
        ends = range(stride - 1, len(data), stride)
        length = len(ends) * stride
        returns = data[stride - 2 : length : stride].count(b"\r")
        if (
            returns != (len(ends) if len(self._separator) > 1 else 0)
            # A blank line as wide as a record is none.
            or len(data[:length:stride].translate(None, _BLANK)) != len(ends)
            or any(data.find(b"\n", end - stride + 1, end + 1) != end for end in ends)
            or not data.isascii()
        ):
            return 0
        self._records += len(ends)
        if ends:
            self._characters.add(len(self._first))
            self._compare()
        return length

    def _check(self, lines: list[bytes]) -> None:
        if any(len(line.removesuffix(b"\r")) > LONGEST_RECORD for line in lines):
            raise errors.UPSTREAM_NOT_SCORES.error(note="a line is longer than a record")
        lines = [line for line in lines if line.strip(_BLANK)]
        records = [line.removesuffix(b"\r") for line in lines]
        if not records:
            return
        if self.blank:
            self._begin(records[0], lines[0])
        self._records += len(records)
        self._bytes.update(map(len, records))
        self._characters.update(len(record.translate(None, _UTF8_CONTINUATION)) for record in records)
        if min(self._bytes) < SHORTEST_RECORD:
            raise errors.UPSTREAM_NOT_SCORES.error(note="a line is shorter than a record")
        self._compare()

    def _compare(self) -> None:
        if len(self._bytes) > 1 and len(self._characters) > 1:
            raise errors.UPSTREAM_NOT_SCORES.error(note="records differ in width")

    def _begin(self, record: bytes, line: bytes) -> None:
        if record.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK).startswith(_FOREIGN):
            raise errors.UPSTREAM_NOT_SCORES.error(note="markup or JSON where text was asked for")
        self.blank = False
        self._first = record
        self._separator = line[len(record) :] + b"\n"


class _Json:
    """Keeps the first and the last byte."""

    def __init__(self) -> None:
        self.blank = True
        self._first = b""
        self._last = b""

    def feed(self, chunk: bytes) -> None:
        content = chunk.strip(_BLANK)
        if content:
            self.blank = False
            self._first = self._first or content[:1]
            self._last = content[-1:]

    def finish(self) -> None:
        if not self.blank and _JSON_PAIRS.get(self._first) != self._last:
            raise errors.UPSTREAM_NOT_SCORES.error(note="no JSON object or array")
