"""What is known of one call: its line in the log, and what observers of calls are told besides."""

import time
from collections.abc import Callable, Mapping

import structlog

Observe = Callable[[Mapping[str, object]], None]
"""Is told of each call that has ended: the fields of its line in the log, and its details."""

_log = structlog.get_logger()


class CallRecord:
    """One call, from its first byte to its line in the log.

    Attributes:
        number: The request number, by which a fault is found in the log.
        trace: Its traceparent (W3C Trace Context); empty for none.
    """

    def __init__(self, number: str, trace: str = "", observe: Observe | None = None) -> None:
        """Begin the record of a call.

        Args:
            number: The request number.
            trace: The traceparent.
            observe: Is told of the call at its end; nobody is by default.
        """
        self.number = number
        self.trace = trace
        self._observe = observe
        self._began = time.monotonic()
        self._fields: dict[str, object] = {"request": number, "trace": trace}
        self._details: dict[str, object] = {}

    def note(self, **fields: object) -> None:
        """Add fields to the line in the log; those of ``log.FIELDS``."""
        self._fields.update(fields)

    def detail(self, **details: object) -> None:
        """Add what observers are told, and the log is not."""
        self._details.update(details)

    def end(self, outcome: str) -> None:
        """Write the line in the log, and tell the observers.

        Args:
            outcome: ``ok``, or the reason why there were no scores.
        """
        self.note(outcome=outcome, seconds=round(time.monotonic() - self._began, 6))
        fields = {name: value for name, value in self._fields.items() if value not in ("", None)}
        _log.info("call", **fields)
        if self._observe is not None:
            self._observe({**fields, **self._details})
