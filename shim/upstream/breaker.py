"""Keeps calls from an upstream that does not answer."""

import os
import time
from contextlib import suppress
from pathlib import Path

from shim import errors


class Breaker:
    """Opens after some calls in a row that failed, for a while, in all workers; then one call at a time tries.

    What the workers share is the time of a file: until then it is open. Whoever
    tries makes another file that can be made only once.
    """

    def __init__(self, folder: Path, *, failures: int, seconds: float, longest_call: float) -> None:
        """Take a folder of the workers' own, how many failures open it for how long, and how long a call may take."""
        self._folder = folder
        self._file = folder / "open"
        self._path = str(self._file)
        self._failures = failures
        self._seconds = seconds
        self._longest_call = longest_call
        self._in_a_row = 0

    @property
    def is_open(self) -> bool:
        """Whether the upstream was last known not to answer."""
        return self._until() is not None

    @property
    def refuses(self) -> bool:
        """Whether a call would be refused now: after its time it is calls alone that can find the upstream well."""
        until = self._until()
        return until is not None and until > time.time_ns()

    def admit(self) -> bool:
        """Let a call through, and tell whether it is one that tries.

        Raises:
            UpstreamError: It is open.
        """
        until = self._until()
        if until is None:
            return False
        left = until - time.time_ns()
        if left > 0 or not self._tries(until):
            raise errors.UPSTREAM_DOWN.error(retry_after=max(left / 1e9, 1))
        return True

    def answered(self, *, tried: bool) -> None:
        """Note that the upstream answered, whatever it said."""
        self._in_a_row = 0
        if tried:
            for path in self._folder.iterdir():
                path.unlink(missing_ok=True)

    def failed(self, *, tried: bool) -> None:
        """Note that it did not."""
        self._in_a_row += 1
        if tried or self._in_a_row >= self._failures:
            self._in_a_row = 0  # what opened it does not count again once it is closed, perhaps by another worker
            self._open(self._seconds)

    def _until(self) -> int | None:
        try:
            return os.stat(self._path).st_mtime_ns  # noqa: PTH116 - every call asks, and this takes half the time
        except FileNotFoundError:
            return None

    def _tries(self, until: int) -> bool:
        own = self._folder / f"try-{until}"
        try:
            own.touch(exist_ok=False)
        except FileExistsError:
            return False
        self._open(self._longest_call)
        for path in self._folder.glob("try-*"):
            if path != own:
                path.unlink(missing_ok=True)
        return True

    def _open(self, seconds: float) -> None:
        until = time.time_ns() + int(seconds * 1e9)
        # Another worker's try may have just succeeded; and a full disk must not take the place of the call's own error.
        with suppress(OSError):
            # In one step: a file with the time of its making would let everybody try.
            own = self._folder / f"open-{os.getpid()}"
            own.touch()
            os.utime(own, ns=(until, until))
            own.replace(self._file)
