"""Failed log-ons by source: slowed down, then refused for a while."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

SLOW_AFTER: Final = 3
"""Failures that are answered at once."""
REFUSE_AFTER: Final = 20
"""Failures after which a source is refused."""
FORGOTTEN_AFTER: Final = 300.0
"""Seconds without a failure after which all is forgotten."""
_LONGEST_DELAY: Final = 1.0
_MOST_DELAYED: Final = 4
_MOST_SOURCES: Final = 10_000


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0


class Throttle:
    """Counts failures of each source, in this process."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sources: OrderedDict[str, _Failures] = OrderedDict()
        self._lock = threading.Lock()
        # A delayed answer holds a thread; more than these few must not be held by those who guess.
        self._delays = threading.BoundedSemaphore(_MOST_DELAYED)

    def refuses(self, source: str) -> bool:
        """Whether a source has failed too often."""
        with self._lock:
            failures = self._sources.get(source)
            if failures is None:
                return False
            if time.monotonic() - failures.last > FORGOTTEN_AFTER:
                del self._sources[source]
                return False
            return failures.count >= REFUSE_AFTER

    def failed(self, source: str) -> None:
        """Count a failure, and wait the longer the more there were."""
        with self._lock:
            failures = self._sources.setdefault(source, _Failures())
            failures.count += 1
            failures.last = time.monotonic()
            self._sources.move_to_end(source)
            if len(self._sources) > _MOST_SOURCES:
                self._sources.popitem(last=False)
            over = failures.count - SLOW_AFTER
        if over > 0 and self._delays.acquire(blocking=False):
            try:
                time.sleep(min(0.05 * 2 ** min(over, 5), _LONGEST_DELAY))
            finally:
                self._delays.release()
