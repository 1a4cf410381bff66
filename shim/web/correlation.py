"""The names by which a call is found again: its request number, and the trace that it belongs to."""

import re
import secrets
from typing import TYPE_CHECKING, Final

from shim.call_record import CallRecord, Observe

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Hexadecimal digits and hyphens alone: the number stands in the log and in faults.
_NUMBER: Final = re.compile(r"[0-9A-Fa-f-]{8,64}")
# Neither the version ff nor identifiers of nothing but zeros are valid (W3C Trace Context §3.2.2).
_TRACE: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def request_number(given: str = "") -> str:
    """Return the number that names one call in a fault and in the log: the caller's own, or 16 hexadecimal digits."""
    return given if _NUMBER.fullmatch(given) else secrets.token_hex(8)


def trace(given: str) -> str:
    """Return a traceparent (W3C Trace Context) as it was sent; an empty string if it is malformed."""
    return given if _TRACE.fullmatch(given) else ""


def record_of(environ: "WSGIEnvironment", observe: Observe | None = None) -> CallRecord:
    """Begin the record of a request, with the address that it comes from."""
    number = request_number(environ.get("HTTP_X_REQUEST_ID", ""))
    record = CallRecord(number, trace(environ.get("HTTP_TRACEPARENT", "")), observe)
    record.note(address=environ.get("REMOTE_ADDR", ""))
    return record
