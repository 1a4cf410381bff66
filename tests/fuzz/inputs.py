"""The bytes of an input as the choices of a harness: a byte that a fuzzer changes changes one thing."""

import re
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

MOST: Final = 64 * 1024
"""Bytes of an input once its repetitions are written out."""
_REPETITION: Final = re.compile(rb"\x1a(.)(.)", re.DOTALL)


class Choices:
    """Choices made from bytes, first to last; whoever wants more than there are gets zeros."""

    def __init__(self, data: bytes) -> None:
        """Begin at the first byte."""
        self._data = data
        self._at = 0

    @property
    def left(self) -> bool:
        """Whether bytes are left."""
        return self._at < len(self._data)

    def take(self, count: int) -> bytes:
        """The next bytes."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken.ljust(count, b"\0")

    def number(self, below: int) -> int:
        """A number, of one byte or as many as are needed."""
        return int.from_bytes(self.take(((below - 1).bit_length() + 7) // 8 or 1)) % below

    def pick(self, options: Sequence[T]) -> T:
        """One of several."""
        return options[self.number(len(options))]

    def line(self) -> bytes:
        """The next line, without its end."""
        end = self._data.find(b"\n", self._at)
        end = len(self._data) if end < 0 else end
        line = self._data[self._at : end]
        self._at = end + 1
        return line

    def rest(self) -> bytes:
        """All that is left."""
        rest = self._data[self._at :]
        self._at = len(self._data)
        return rest


def expanded(data: bytes) -> bytes:
    """Write out repetitions, so that a small file can be a large input.

    0x1A, a length and an exponent stand for the bytes of that length before them, 2 to the power of the exponent times.
    """
    made = bytearray()
    at = 0
    for match in _REPETITION.finditer(data):
        made += data[at : match.start()]
        at = match.end()
        unit = bytes(made[-match[1][0] :]) if match[1][0] else b""
        times = min(2 ** (match[2][0] % 17), MOST // max(len(unit), 1)) - 1
        made += unit * times
        if len(made) > MOST:
            return bytes(made[:MOST])
    return bytes(made + data[at:])[:MOST]
