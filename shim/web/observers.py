"""What observes calls that have ended: it never harms a call."""

from collections.abc import Callable, Mapping, Sequence

import structlog

from shim import errors
from shim.call_record import Observe

_log = structlog.get_logger()


def guarded(observers: Sequence[Observe], on_failure: Callable[[], None]) -> Observe:
    """Return one observer that tells all of them, whatever any of them raises.

    Args:
        observers: What observes calls.
        on_failure: Called for each failure.
    """

    def observe(call: Mapping[str, object]) -> None:
        for observer in observers:
            try:
                observer(call)
            except Exception as error:  # noqa: BLE001 - an observer must not harm the call
                on_failure()
                _log.error("observer", request=call["request"], note=errors.location(error))

    return observe
