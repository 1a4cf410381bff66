"""Requests that ASMX answers and the gateway refuses on purpose."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final


@dataclass(frozen=True, slots=True)
class Refusal:
    """One kind of refusal.

    Attributes:
        kind: Its name.
        cases: Patterns of the names of the cases, as ``fnmatch`` reads them.
        reason: Why the gateway refuses, in a sentence.
    """

    kind: str
    cases: tuple[str, ...]
    reason: str


REFUSED_ON_PURPOSE: Final = (
    Refusal(
        "range without an order",
        (
            "11-gs-both-date-same",
            "11-gs-date-max",
            "11-gs-frac-same-second",
            "11-gs-same",
            "11-gs-start-after-end*",
            "12-rd-start-after-end",
            "21-soap12-start-after-end",
            "27-byday-after",
            "27-bytime-one-day",
        ),
        "TOEFL Access demands a start before the end, in whole seconds.",
    ),
    Refusal(
        "framing that two readers could take differently",
        (
            "05-bare-lf-lines",
            "05-lf-before-first",
            "06-path-trailing-space",
            "06-path-two-spaces",
            "09-chunked-size-space",
        ),
        "A proxy and the gateway could see different requests: request smuggling.",
    ),
    Refusal(
        "header lines that are no HTTP",
        (
            "09-expect-other",
            "09-expect-quoted",
            "09-header-control",
            "09-header-no-colon",
            "09-header-paren",
            "09-header-slash-name",
        ),
        "gunicorn refuses a header name or value, or an expectation, that RFC 9110 does not allow.",
    ),
    Refusal(
        "encodings without ASCII",
        ("02-utf32-bom", "03-ebcdic-bytes"),
        "In UTF-32 and EBCDIC the bytes of markup are other ones: a filter before the gateway would not see it.",
    ),
    Refusal(
        "wrong credentials",
        (
            "09-auth-basic-wrong",
            "10-wsse-unmarked-digest-old",
            "10-wsse-unmarked-newline-password",
            "10-wsse-unmarked-spaced-names",
            "10-wsse-unmarked-wrong",
            "12-rd-lower-params",
            "12-rd-newline-creds",
            "12-rd-password-alone",
            "12-rd-space-password",
            "12-rd-space-user",
            "12-rd-user-upper",
            "12-rd-wrong-password",
            "12-rd-wrong-user",
            "21-wrong-credentials-soap12",
        ),
        "The service that answered here checks no credentials. A password is compared as it was sent.",
    ),
    Refusal(
        "values that differ",
        (
            "10-twice-different-date",
            "10-twice-different-type",
            "10-twice-same-spelling-differs",
            "10-two-operations",
            "10-two-operations-different",
            "10-unknown-beside-request-same-name",
        ),
        "ASMX takes one of the two without a word; which of them the client meant is a guess.",
    ),
    Refusal(
        "text that names no day",
        (
            "11-gs-date-month-alone",
            "11-gs-date-year-alone",
            "12-rd-both-month-year",
            "12-rd-both-month-year-slash",
            "12-rd-both-time-alone",
            "12-rd-both-year-month",
        ),
        "A month, a year or a time alone: .NET makes up the day, and a range from a day made up could miss scores.",
    ),
    Refusal(
        "offset beyond 14 hours",
        ("11-gs-date-offset-15",),
        "XML Schema has none, and no place on earth does.",
    ),
    Refusal(
        "GET and form POST bindings",
        ("07-get-method-binding", "07-httppost", "07-httppost-http10"),
        "The served WSDL has no such binding, and ASP.NET offers them to programs of its own machine alone.",
    ),
    Refusal(
        "size",
        ("10-longer-type", "21-too-large*"),
        "A request has at most 64 KiB (gateway.max_request), and a type at most 200 characters.",
    ),
    Refusal(
        "no REST counterpart",
        ("00-baseline-edi",),
        "TOEFL Access has no EDI form.",
    ),
)
"""All kinds, at most 12."""


def refusal_of(name: str) -> Refusal | None:
    """Return the kind that covers a case; None for a case that must be answered."""
    return next((kind for kind in REFUSED_ON_PURPOSE if any(fnmatchcase(name, one) for one in kind.cases)), None)
