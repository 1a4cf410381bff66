"""How many calls are answered at a time."""

from collections.abc import Callable
from typing import Final

from shim import errors

_COME_AGAIN: Final = 5
"""Seconds."""


class Places:
    """The calls that one worker answers at a time."""

    def __init__(self, most: int, on_change: Callable[[int], None] = lambda _: None) -> None:
        """Take how many there may be, and what to tell how many are taken."""
        self._taken = 0
        self._most = most
        self._on_change = on_change

    def take(self) -> None:
        """Take one.

        Raises:
            OperatorError: There is none left.
        """
        if self._taken >= self._most:
            raise errors.BUSY.error(retry_after=_COME_AGAIN)
        self._taken += 1
        self._on_change(self._taken)

    def leave(self) -> None:
        """Give it to another."""
        self._taken -= 1
        self._on_change(self._taken)
