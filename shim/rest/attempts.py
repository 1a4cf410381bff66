"""As many attempts at one call as may help, within the patience of who waits for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gevent import Timeout
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential_jitter

from shim import errors
from shim.query import ScoreFile, ScoreQuery
from shim.rest.breaker import Breaker
from shim.rest.client import Client

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
class Patience:
    """How long and how often is tried.

    Attributes:
        deadline: Seconds for all attempts together.
        attempts: How many there are at most.
    """

    deadline: float
    attempts: int


class Attempts:
    """Fetches score files by a client."""

    def __init__(
        self, client: Client, breaker: Breaker, patience: Patience, on_retry: Callable[[], None] = lambda: None
    ) -> None:
        """Take the client, and what to call before another attempt."""
        self._client = client
        self._breaker = breaker
        self._deadline = patience.deadline
        self._retrying = Retrying(
            retry=retry_if_exception(_is_curable),
            wait=_wait,
            stop=stop_after_attempt(patience.attempts) | stop_before_delay(patience.deadline),
            before_sleep=lambda _: on_retry(),
            reraise=True,
        )

    def fetch(self, query: ScoreQuery, authcode: str, trace: str = "") -> ScoreFile:
        """Fetch a score file.

        Raises:
            GatewayError: There is none, or not a whole one, or it would take too long.
        """
        tried = self._breaker.admit()
        try:
            with Timeout(self._deadline, errors.UPSTREAM_TIMEOUT.error(note="upstream.deadline")):
                file = self._retrying(self._client.fetch, query, authcode, trace)
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


def _is_curable(error: BaseException) -> bool:
    return isinstance(error, errors.GatewayError) and error.cause in _CURABLE and error.note != "upstream.deadline"


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.retry_after if isinstance(error, errors.GatewayError) else 0
    return max(asked, _BACKOFF(state))
