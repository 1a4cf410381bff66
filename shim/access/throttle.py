"""Failed log-ons by source: answered late, then refused for a while."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

SLOW_AFTER: Final = 3
"""Failures that are answered at once."""
REFUSE_AFTER: Final = 20
"""Failures after which a source is refused."""
FORGOTTEN_AFTER: Final = 300.0
"""Seconds without a failure after which a source's failures are forgotten."""
_LONGEST_DELAY: Final = 1.0
_MOST_DELAYED: Final = 4
_MOST_SOURCES: Final = 10_000


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0


class Throttle:
    """Counts the failures of each source, in this process."""

    def __init__(
        self, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with no failures.

        Args:
            sleep: Waits so many seconds.
            clock: Tells seconds that only rise.
        """
        self._sleep = sleep
        self._clock = clock
        self._sources: OrderedDict[str, _Failures] = OrderedDict()
        self._lock = threading.Lock()
        # A delayed answer holds resources; those who guess must not hold more than these few.
        self._delays = threading.BoundedSemaphore(_MOST_DELAYED)

    def refuses(self, source: str) -> bool:
        """Return whether a source has failed too often."""
        with self._lock:
            failures = self._sources.get(source)
            if failures is None:
                return False
            if self._clock() - failures.last > FORGOTTEN_AFTER:
                del self._sources[source]
                return False
            return failures.count >= REFUSE_AFTER

    def penalize(self, source: str) -> None:
        """Count a failure, and wait longer with each one."""
        beyond = self._count(source) - SLOW_AFTER
        if beyond > 0 and self._delays.acquire(blocking=False):
            try:
                self._sleep(min(0.05 * 2 ** min(beyond, 5), _LONGEST_DELAY))
            finally:
                self._delays.release()

    def _count(self, source: str) -> int:
        with self._lock:
            failures = self._sources.setdefault(source, _Failures())
            failures.count += 1
            failures.last = self._clock()
            self._sources.move_to_end(source)
            if len(self._sources) > _MOST_SOURCES:
                self._sources.popitem(last=False)
            return failures.count
