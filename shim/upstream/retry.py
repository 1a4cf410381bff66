"""A call of TOEFL Access with retries, before a deadline and behind the breaker."""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import count
from typing import Final, Protocol

from shim import errors
from shim.query import ScoreFile, ScoreQuery
from shim.upstream.breaker import Breaker
from shim.upstream.deadline import Deadline, unlimited

_FIRST_DELAY: Final = 0.2
"""Seconds before the second attempt; each further delay is twice as long."""
_LONGEST_DELAY: Final = 5.0
_JITTER: Final = 0.2

# What another attempt may cure; for other causes TOEFL Access would say the same again.
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


class Fetcher(Protocol):
    """A client that makes one attempt."""

    def fetch(self, query: ScoreQuery, authcode: str, trace: str = "") -> ScoreFile:
        """Fetch a score file.

        Raises:
            GatewayError: There is none, or not a whole one.
        """


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long and how often a call is tried.

    Attributes:
        deadline: Seconds for all attempts together, with whichever authcode.
        attempts: The most attempts with one authcode.
    """

    deadline: float
    attempts: int

    def delay(self, attempt: int, error: errors.GatewayError) -> float | None:
        """Return the seconds to wait after an attempt failed; None if no other attempt may help.

        Args:
            attempt: The number of the attempt, from 1.
            error: How it failed.
        """
        if attempt >= self.attempts or error.cause not in _CURABLE:
            return None
        backoff = min(_FIRST_DELAY * 2.0 ** (attempt - 1), _LONGEST_DELAY) + random.uniform(0, _JITTER)  # noqa: S311 - no secret
        return max(error.retry_after, backoff)


class RetryingClient:
    """Fetches score files, with several attempts where they may help."""

    def __init__(  # noqa: PLR0913 - what waits and what tells the time are handed in
        self,
        client: Fetcher,
        breaker: Breaker,
        policy: RetryPolicy,
        *,
        deadline: Deadline = unlimited,
        on_retry: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set up the client.

        Args:
            client: Makes one attempt.
            breaker: Refuses calls while TOEFL Access does not answer.
            policy: How long and how often to try.
            deadline: Ends what takes too long.
            on_retry: Called before another attempt.
            sleep: Waits so many seconds.
            clock: Tells seconds that only rise.
        """
        self._client = client
        self._breaker = breaker
        self._policy = policy
        self._deadline = deadline
        self._on_retry = on_retry
        self._sleep = sleep
        self._clock = clock

    def within_deadline(self) -> AbstractContextManager[object]:
        """Return a context that ends all calls of ``fetch`` in it when they take too long together."""
        return self._deadline(self._policy.deadline, _DeadlineError())

    def fetch(self, query: ScoreQuery, authcode: str, trace: str = "") -> ScoreFile:
        """Fetch a score file.

        Args:
            query: What to ask for.
            authcode: The authcode.
            trace: A traceparent (W3C Trace Context) to pass on; empty for none.

        Raises:
            GatewayError: There is none, or not a whole one, or it would take too long.
        """
        trial = self._breaker.admit()
        try:
            file = self._attempt(query, authcode, trace)
        except errors.GatewayError as error:
            if error.cause in _NO_ANSWER:
                self._breaker.failed(trial=trial)
            else:
                self._breaker.answered(trial=trial)
            raise
        except BaseException:
            self._breaker.failed(trial=trial)
            raise
        self._breaker.answered(trial=trial)
        return file

    def _attempt(self, query: ScoreQuery, authcode: str, trace: str) -> ScoreFile:
        end = self._clock() + self._policy.deadline
        for attempt in count(1):
            try:
                return self._client.fetch(query, authcode, trace)
            except _DeadlineError:
                raise
            except errors.GatewayError as error:
                delay = self._policy.delay(attempt, error)
                if delay is None or self._clock() + delay >= end:
                    raise
            self._on_retry()
            self._sleep(delay)
        raise AssertionError  # count never ends


class _DeadlineError(errors.UpstreamError):
    """The time for all attempts is over."""

    def __init__(self) -> None:
        super().__init__(errors.UPSTREAM_TIMEOUT, note="upstream.deadline")
