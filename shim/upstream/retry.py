"""As many attempts at one call as may help, within the patience of who waits for it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gevent import Timeout
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential_jitter

from shim import errors
from shim.query import ScoreFile, ScoreQuery
from shim.upstream.breaker import Breaker
from shim.upstream.client import Client

_BACKOFF: Final = wait_exponential_jitter(multiplier=0.2, max=5, jitter=0.2)

# What another attempt may cure; of the rest TOEFL Access says the same again.
_CURABLE: Final = frozenset(
    {
        errors.UPSTREAM_BUSY,
        errors.UPSTREAM_CUT,
        errors.UPSTREAM_FAILED,
        errors.UPSTREAM_TIMEOUT,
        errors.UPSTREAM_UNREACHABLE,
    }
)
_NO_ANSWER: Final = _CURABLE - {errors.UPSTREAM_BUSY}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long and how often is tried.

    Attributes:
        deadline: Seconds for all attempts together, with whichever authcode.
        attempts: How many there are at most.
    """

    deadline: float
    attempts: int


class RetryingClient:
    """Fetches score files by a client."""

    def __init__(
        self, client: Client, breaker: Breaker, patience: RetryPolicy, on_retry: Callable[[], None] = lambda: None
    ) -> None:
        """Take the client, and what to call before another attempt."""
        self._client = client
        self._breaker = breaker
        self._patience = patience
        self._on_retry = on_retry

    def within_deadline(self) -> Timeout:
        """What ends all calls of ``fetch`` in its context that take too long together."""
        return Timeout(self._patience.deadline, errors.UPSTREAM_TIMEOUT.error(note="upstream.deadline"))

    def fetch(self, query: ScoreQuery, authcode: str, trace: str = "") -> ScoreFile:
        """Fetch a score file.

        Raises:
            GatewayError: There is none, or not a whole one, or it would take too long.
        """
        tried = self._breaker.admit()
        try:
            file = self._fetch(query, authcode, trace)
        except errors.GatewayError as error:
            if error.cause in _NO_ANSWER:
                self._breaker.failed(tried=tried)
            else:
                self._breaker.answered(tried=tried)
            raise
        except BaseException:
            self._breaker.failed(tried=tried)
            raise
        self._breaker.answered(tried=tried)
        return file

    def _fetch(self, query: ScoreQuery, authcode: str, trace: str) -> ScoreFile:
        failed: list[errors.GatewayError] = []

        def attempt() -> ScoreFile:
            if failed:
                raise failed.pop()
            return self._client.fetch(query, authcode, trace)

        began = time.monotonic()
        try:
            return attempt()
        except errors.GatewayError as error:
            if not _is_curable(error):
                raise
            failed.append(error)
        # Only now, as tenacity takes 50 us; to it the attempt that failed is the first of its own.
        return self._retrying(self._patience.deadline - (time.monotonic() - began))(attempt)

    def _retrying(self, seconds: float) -> Retrying:
        return Retrying(
            retry=retry_if_exception(_is_curable),
            wait=_wait,
            stop=stop_after_attempt(self._patience.attempts) | stop_before_delay(seconds),
            before_sleep=lambda _: self._on_retry(),
            reraise=True,
        )


def _is_curable(error: BaseException) -> bool:
    return isinstance(error, errors.GatewayError) and error.cause in _CURABLE and error.note != "upstream.deadline"


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.retry_after if isinstance(error, errors.GatewayError) else 0
    return max(asked, _BACKOFF(state))
