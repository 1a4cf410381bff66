"""The names by which one call is found again: its request number, and the trace that it belongs to."""

import re
import secrets
from typing import Final

# Nothing but digits: whatever else a caller sent would stand in the log and in faults.
_NUMBER: Final = re.compile(r"[0-9A-Fa-f-]{8,64}")
# Neither the version ff nor identifiers of nothing but zeros are valid (W3C Trace Context §3.2.2).
_TRACE: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def request_number(given: str = "") -> str:
    """The number that names one call in a fault and in the log: the caller's own, or 16 hexadecimal digits."""
    return given if _NUMBER.fullmatch(given) else secrets.token_hex(8)


def trace(given: str) -> str:
    """A traceparent (W3C Trace Context) as it was sent; empty if it is none."""
    return given if _TRACE.fullmatch(given) else ""
