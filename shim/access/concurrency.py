"""How many calls are answered at a time."""

from typing import Final

from shim import errors

_COME_AGAIN: Final = 5
"""Seconds."""


class ConcurrencyLimit:
    """The calls that one worker answers at a time.

    Attributes:
        taken: How many there are.
    """

    def __init__(self, most: int) -> None:
        """Take how many there may be."""
        self.taken = 0
        self._most = most

    def take(self) -> None:
        """Take one.

        Raises:
            OperatorError: There is none left.
        """
        if self.taken >= self._most:
            raise errors.BUSY.error(retry_after=_COME_AGAIN)
        self.taken += 1

    def leave(self) -> None:
        """Give it to another."""
        self.taken -= 1
