"""What can go wrong, whose move it is, and how each SOAP version reports it.

``CAUSES`` is the one table: the documents print it and the tests loop over it.
No text in it, and no detail put into a text, may hold a value of a score record,
a credential, or words that a caller, the upstream or a parser supplied.
"""

from dataclasses import dataclass, field
from typing import Final


class GatewayError(Exception):
    """Base of all errors that the gateway raises on purpose; never raised itself.

    Attributes:
        cause: The row of the table.
        detail: Fills the ``{}`` of the row's text: a name from the contract.
        note: For the operator's log alone: the name of an exception, an HTTP status.
        retry_after: Seconds after which the same call may succeed; 0 if unknown.
    """

    def __init__(self, cause: "Cause", detail: str = "", note: str = "", retry_after: float = 0) -> None:
        """Raise a row of the table for one call."""
        super().__init__(cause.slug)
        self.retry_after = retry_after
        self.cause = cause
        self.detail = detail
        self.note = note

    @property
    def sentence(self) -> str:
        """What happened and what to do, in the same words for every SOAP version."""
        return self.cause.text.format(self.detail)

    @property
    def with_advice(self) -> str:
        """The sentence, followed by the advice and the note for the operator."""
        note = f"({self.note})" if self.note else ""
        return " ".join(filter(None, (self.sentence, self.cause.advice, note)))

    def fault_text(self, request_number: str) -> str:
        """Return the words of a fault: the sentence, the slug, and the number that finds the call in the log."""
        return f"{self.sentence} ({self.cause.slug}; request {request_number})"


class CallerError(GatewayError):
    """The call cannot be answered as it was sent; the caller must change it."""


class UpstreamError(GatewayError):
    """TOEFL Access did not give a whole score file."""


class OperatorError(GatewayError):
    """The gateway is set up wrongly or failed; its operator must act."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One row of the table.

    Attributes:
        slug: Stable name, for logs, metrics, faults and documents.
        party: Whose move it is.
        text: What happened and what to do, with at most one ``{}``.
        code_11: Local name of the SOAP 1.1 fault code (SOAP 1.1 §4.4.1).
        code_12: Local name of the SOAP 1.2 fault code (SOAP 1.2 part 1 §5.4.6).
        http: HTTP status. ASMX sent every fault with 500, and WCF reads the words of no 400, whatever SOAP 1.2 part 2
            §7.5.2 says; only what is wrong with the HTTP request has another.
        retry: Whether the same call may succeed later.
        advice: What the log and ``toefl-shim check`` add for the operator.
    """

    slug: str
    party: type[GatewayError]
    text: str
    code_11: str
    code_12: str
    http: int = 500
    retry: bool = field(kw_only=True, default=False)
    advice: str = field(kw_only=True, default="")

    def error(self, detail: str = "", *, note: str = "", retry_after: float = 0) -> GatewayError:
        """Return the exception to raise, of the party's class."""
        return self.party(self, detail, note, retry_after)


def _caller(slug: str, text: str, *, retry: bool = False) -> Cause:
    return Cause(slug, CallerError, text, "Client", "Sender", retry=retry)


def _http(slug: str, status: int, text: str) -> Cause:
    # No SOAP client reads these answers, so HTTP's own status says more than 500 would.
    return Cause(slug, CallerError, text, "Client", "Sender", status)


def _upstream(slug: str, text: str, *, retry: bool = False) -> Cause:
    return Cause(slug, UpstreamError, text, "Server", "Receiver", retry=retry)


def _operator(slug: str, text: str, *, retry: bool = False, advice: str = "") -> Cause:
    return Cause(slug, OperatorError, text, "Server", "Receiver", retry=retry, advice=advice)


def _retirement(slug: str, text: str, *, retry: bool = False) -> Cause:
    # The caller must migrate, but its message is right (SOAP 1.1 §4.4.1); and every client reads the words of a 500.
    return Cause(slug, CallerError, text, "Server", "Receiver", retry=retry)


METHOD: Final = _http("method", 405, "Send SOAP calls to this address by POST.")
CONTENT_TYPE: Final = _http(
    "content-type", 415, "The Content-Type is not a type of SOAP: send text/xml or application/soap+xml."
)
BAD_HTTP: Final = _http("bad-http", 400, "The request is not well-formed HTTP.")
NOT_FOUND: Final = _http("not-found", 404, "There is no service at this address.")

TOO_LARGE: Final = _caller("too-large", "The request is larger than this service accepts.")
CUT_REQUEST: Final = _caller("cut-request", "The request ended early: send it again.")
ENCODING: Final = _caller("encoding", "The character encoding is not supported: send UTF-8 or UTF-16.")
COMPRESSION: Final = _caller("compression", "The compression is damaged: send no compression, gzip or deflate.")
NOT_XML: Final = _caller("not-xml", "The request is not well-formed XML.")
DOCTYPE: Final = _caller("doctype", "The request has a DOCTYPE, which SOAP forbids.")
NOT_SOAP: Final = _caller("not-soap", "The request is not a SOAP envelope with one operation in its body.")
VERSION: Final = Cause(
    "version",
    CallerError,
    "The SOAP version is not supported: send SOAP 1.1 or 1.2.",
    "VersionMismatch",
    "VersionMismatch",
)
MUST_UNDERSTAND: Final = Cause(
    "must-understand",
    CallerError,
    "A header marked mustUnderstand is not supported.",
    "MustUnderstand",
    "MustUnderstand",
)
REPLY_ELSEWHERE: Final = _caller(
    "reply-elsewhere", "WS-Addressing asks for a reply at another address: only the anonymous address is supported."
)
NO_CREDENTIALS: Final = _http("no-credentials", 401, "Authentication is required: send a user name and a password.")
NOT_AUTHENTICATED: Final = _caller("not-authenticated", "Authentication failed.")
THROTTLED: Final = _caller(
    "throttled", "Too many failed log-ons came from this address: wait some minutes.", retry=True
)
UNKNOWN_OPERATION: Final = _caller("unknown-operation", "The service has no such operation: see its WSDL.")
ACTION: Final = _caller("action", "SOAPAction names another operation than the body.")
MISSING_PARAMETER: Final = _caller("missing-parameter", "{} is missing: send a value.")
DUPLICATE_PARAMETER: Final = _caller("duplicate-parameter", "{} is given more than once: send it once.")
BAD_PARAMETER: Final = _caller("bad-parameter", "{} is not a value of its type in the WSDL.")
BAD_DATE: Final = _caller("bad-date", "{} is not a valid date in a form that this operation accepts.")
START_AFTER_END: Final = _caller("start-after-end", "The start of the range must be before its end.")
UNAVAILABLE: Final = _caller("unavailable", "This operation is no longer answered: {}")
BROWNOUT: Final = _retirement(
    "brownout", "This service will end, and is paused for a while to remind its callers: {}", retry=True
)
SUNSET: Final = _retirement("sunset", "This service has ended and will not answer again: {}")

UPSTREAM_QUERY: Final = _upstream(
    "upstream-query", "TOEFL Access rejected the query: check its dates, type and report-by."
)
UPSTREAM_AUTHCODE: Final = _operator(
    "upstream-authcode",
    "TOEFL Access rejected the stored authcode: the gateway's operator must replace it.",
    advice="The stored authcode is missing, wrong or expired: generate a new API key in TOEFL Access and store it.",
)
UPSTREAM_FORBIDDEN: Final = _operator(
    "upstream-forbidden",
    "TOEFL Access does not let this institution read scores: the gateway's operator must ask why.",
    advice="TOEFL Access knows the authcode but refuses it these scores: ask its support which rights the key has.",
)
UPSTREAM_ADDRESS: Final = _operator(
    "upstream-address",
    "TOEFL Access is not at the configured address: the gateway's operator must check it.",
    advice="Compare upstream.url with the address in the vendor's guide, character by character.",
)
UPSTREAM_REDIRECT: Final = _upstream(
    "upstream-redirect", "TOEFL Access redirected the gateway, which follows no redirect: tell its operator."
)
UPSTREAM_BUSY: Final = _upstream("upstream-busy", "TOEFL Access is busy: call again later.", retry=True)
UPSTREAM_DOWN: Final = _upstream(
    "upstream-down", "TOEFL Access did not answer the last calls, so it is not asked now: call again later.", retry=True
)
UPSTREAM_FAILED: Final = _upstream("upstream-failed", "TOEFL Access failed: call again later.", retry=True)
UPSTREAM_STATUS: Final = _upstream("upstream-status", "TOEFL Access answered with an unknown status.")
UPSTREAM_TIMEOUT: Final = _upstream("upstream-timeout", "TOEFL Access did not answer in time: call again.", retry=True)
UPSTREAM_UNREACHABLE: Final = _upstream(
    "upstream-unreachable", "TOEFL Access cannot be reached: call again later.", retry=True
)
UPSTREAM_TLS: Final = _operator(
    "upstream-tls",
    "The connection to TOEFL Access is not trusted: the gateway's operator must check its certificates.",
    advice="If a proxy of yours inspects TLS, name its certificate authority in upstream.ca_file.",
)
UPSTREAM_CUT: Final = _upstream(
    "upstream-cut", "The answer of TOEFL Access ended early and was discarded: call again.", retry=True
)
UPSTREAM_NOT_SCORES: Final = _upstream(
    "upstream-not-scores",
    "TOEFL Access answered with something other than a score file: call again later.",
    retry=True,
)
UPSTREAM_TOO_LARGE: Final = _operator(
    "upstream-too-large", "The score file is larger than the gateway may pass on: ask for a shorter range."
)
RECORD_WIDTH: Final = _operator(
    "record-width",
    "The score records have another width than this operation answers with: the gateway's operator must act.",
    advice="Compare the operation's records in the mapping with what the client can read.",
)
NOT_TEXT: Final = _operator(
    "not-text",
    "The score file has characters that a text result cannot carry: the gateway's operator must act.",
    advice="Only a base64Binary result can carry this file; the contract's result is a string.",
)
SPOOL: Final = _operator("spool", "The gateway has no room for the score file: its operator must act.", retry=True)
BUSY: Final = _operator(
    "busy",
    "The gateway answers as many calls as it can now: call again later.",
    retry=True,
    advice="If that is no attack, raise gateway.max_calls or gateway.workers.",
)
INTERNAL: Final = _operator("internal", "The gateway failed: tell its operator the request number.")


def location(error: BaseException) -> str:
    """Return the class of an exception and the innermost line of code it came from, without its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace is not None else "?"
    return f"{type(error).__name__} in {place}"


def as_gateway_error(error: Exception) -> GatewayError:
    """Return the error to answer with: itself, or ``INTERNAL`` for an exception that nothing expected."""
    return error if isinstance(error, GatewayError) else INTERNAL.error(note=location(error))


CAUSES: Final = {cause.slug: cause for cause in tuple(globals().values()) if isinstance(cause, Cause)}
