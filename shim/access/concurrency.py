"""How many calls one worker answers at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shim import errors

_RETRY_AFTER: Final = 5
"""Seconds."""


class ConcurrencyLimit:
    """The calls that one worker answers now.

    Attributes:
        running: How many there are.
    """

    def __init__(self, limit: int) -> None:
        """Allow so many calls at a time."""
        self.running = 0
        self._limit = limit

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one slot in the block.

        Raises:
            OperatorError: All slots are taken.
        """
        if self.running >= self._limit:
            raise errors.BUSY.error(retry_after=_RETRY_AFTER)
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
