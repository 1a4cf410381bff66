"""The circuit breaker: keeps calls from an upstream that does not answer."""

import time
from pathlib import Path

from shim import errors
from shim.shared import SharedFolder

_OPEN = "open"
_TRIAL = "trial-"


class Breaker:
    """Opens in all workers after some failed calls in a row; when its time is over, one call at a time is a trial.

    The time of the shared name ``open`` says until when the breaker is open. A trial claims a name of its own.
    """

    def __init__(self, folder: Path, *, failures: int, seconds: float, longest_call: float) -> None:
        """Set up the breaker.

        Args:
            folder: A folder that all workers share.
            failures: Failed calls in a row that open the breaker.
            seconds: How long it stays open.
            longest_call: Seconds that a trial may take.
        """
        self._shared = SharedFolder(folder)
        self._failures = failures
        self._seconds = seconds
        self._longest_call = longest_call
        self._in_a_row = 0

    @property
    def is_open(self) -> bool:
        """Whether the upstream did not answer when it was last asked."""
        return self._shared.time_of(_OPEN) is not None

    @property
    def refuses(self) -> bool:
        """Whether a call would be refused now."""
        until = self._shared.time_of(_OPEN)
        return until is not None and until > time.time_ns()

    def admit(self) -> bool:
        """Let a call through, and return whether the call is a trial.

        Raises:
            UpstreamError: The breaker is open.
        """
        until = self._shared.time_of(_OPEN)
        if until is None:
            return False
        left = until - time.time_ns()
        if left > 0 or not self._begin_trial(until):
            raise errors.UPSTREAM_DOWN.error(retry_after=max(left / 1e9, 1))
        return True

    def answered(self, *, trial: bool) -> None:
        """Note that the upstream answered a call, whatever it said."""
        self._in_a_row = 0
        if trial:
            self._shared.discard()

    def failed(self, *, trial: bool) -> None:
        """Note that the upstream did not answer a call."""
        self._in_a_row += 1
        if trial or self._in_a_row >= self._failures:
            # The failures that opened the breaker must not count again after another worker has closed it.
            self._in_a_row = 0
            self._open(self._seconds)

    def _begin_trial(self, until: int) -> bool:
        own = f"{_TRIAL}{until}"
        if not self._shared.claim(own):
            return False
        self._open(self._longest_call)
        self._shared.discard(_TRIAL, keep=own)
        return True

    def _open(self, seconds: float) -> None:
        self._shared.stamp(_OPEN, time.time_ns() + int(seconds * 1e9))
