"""``ScoreQuery`` and authcode to ``ScoreFile``: one GET to TOEFL Access, verified whole."""

import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import quote

import gevent
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Retry, Timeout, exceptions
from urllib3.connection import HTTPSConnection

from shim import __version__, errors
from shim.query import Format, ScoreFile, ScoreQuery
from shim.spool import SpoolQuota
from shim.upstream.verify import verifier

_CHUNK: Final = 96 * 1024
_NO_RETRIES: Final = Retry(False)  # noqa: FBT003 - urllib3 means by it that errors come as they are
_LONGEST_WAIT: Final = 24 * 60 * 60
"""Seconds that a caller is told to wait, at most."""
_USER_AGENT: Final = f"toefl-soap-shim/{__version__}"

# The sentences of a 400, as its documentation gives them; in plain text or within JSON.
_SENTENCES: Final = (
    b"startdate is required",
    b"enddate is required",
    b"type/program is required",
    b"reportby is required",
    _BAD_CREDENTIALS := b"Invalid credentials format",
)

_BY_STATUS: Final[dict[int, errors.Cause]] = {
    HTTPStatus.UNAUTHORIZED: errors.UPSTREAM_AUTHCODE,
    HTTPStatus.FORBIDDEN: errors.UPSTREAM_FORBIDDEN,
    HTTPStatus.NOT_FOUND: errors.UPSTREAM_ADDRESS,
    HTTPStatus.REQUEST_TIMEOUT: errors.UPSTREAM_BUSY,
    HTTPStatus.TOO_MANY_REQUESTS: errors.UPSTREAM_BUSY,
}


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """What a call may take.

    Attributes:
        connect_timeout: Seconds to a connection.
        read_timeout: Seconds to the head of the answer, and for each 96 KiB of it.
        max_bytes: Largest score file that is passed on.
        connections: Most connections kept open.
    """

    connect_timeout: float
    read_timeout: float
    max_bytes: int
    connections: int


class Client:
    """An HTTP client of one URL.

    Everything that calls share is made once, by the adapter of ``requests``: the
    pool of connections, the trusted certificates, the way through a proxy. A call
    then uses the pool itself: a session would follow redirects, and send the
    ``authcode`` header wherever they lead, and read proxies and ``.netrc`` from
    the environment.
    """

    def __init__(
        self,
        url: str,
        limits: UpstreamLimits,
        room: SpoolQuota,
        *,
        ca_file: str | None = None,
        proxy: str | None = None,
    ) -> None:
        """Take the URL of ``/scores`` as configured."""
        self._room = room
        self._limits = limits
        self._adapter = HTTPAdapter(pool_maxsize=limits.connections)
        request, proxies = PreparedRequest(), {"http": proxy, "https": proxy} if proxy else {}
        request.prepare(method="GET", url=url)
        pool = self._adapter.get_connection_with_tls_context(request, ca_file or True, proxies)
        self._adapter.cert_verify(pool, url, ca_file or True, None)  # type: ignore[no-untyped-call]
        self._pool = cast("HTTPConnectionPool", pool)
        if self._pool.scheme == "https":
            self._pool.ConnectionCls = _Secured
        self._target = self._adapter.request_url(request, proxies)
        self._timeout = Timeout(connect=limits.connect_timeout, read=limits.read_timeout)

    def fetch(self, query: ScoreQuery, authcode: str, trace: str = "") -> ScoreFile:
        """Fetch a score file.

        Args:
            query: What to ask for.
            authcode: The key.
            trace: A traceparent (W3C Trace Context) to pass on.

        Raises:
            GatewayError: There is none, or not a whole one.
        """
        with closing(self._send(query, authcode, trace)) as response:
            _check_head(response, self._limits)
            return self._spool(response, query)

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def _send(self, query: ScoreQuery, authcode: str, trace: str) -> BaseHTTPResponse:
        headers = {"authcode": authcode, "Accept-Encoding": "identity", "User-Agent": _USER_AGENT}
        if trace:
            headers["traceparent"] = trace
        try:
            with _within(self._limits.connect_timeout + self._limits.read_timeout, "in the head of the answer"):
                return self._pool.urlopen(
                    "GET",
                    f"{self._target}?{query_string(query)}",
                    headers=headers,
                    timeout=self._timeout,
                    retries=_NO_RETRIES,
                    redirect=False,
                    assert_same_host=False,
                    preload_content=False,
                )
        except (exceptions.HTTPError, OSError) as error:
            raise _unreachable(error) from error

    def _spool(self, response: BaseHTTPResponse, query: ScoreQuery) -> ScoreFile:
        kind = verifier(query.format)
        with self._room.spooling() as spool:
            for chunk in _body(response, self._limits):
                kind.feed(chunk)
                spool.write(chunk)
            records = kind.finish()
            size = spool.tell()
            spool.seek(0)
        return ScoreFile(spool, 0 if kind.blank else size, records)


class _Secured(HTTPSConnection):
    """A connection that is not used again with bytes on it that nobody asked for.

    TLS may have unpacked some already, which the socket does not show; they would be
    taken for the answer to the next call.
    """

    @property
    def is_connected(self) -> bool:
        """Whether it can be used again."""
        return super().is_connected and isinstance(self.sock, ssl.SSLSocket) and not self.sock.pending()


def query_string(query: ScoreQuery) -> str:
    """The query as the vendor's guide writes it: this order, and colons as they are."""
    start, end = query.start.isoformat(timespec="seconds"), query.end.isoformat(timespec="seconds")
    return f"startdate={start}&enddate={end}{_what(query.type, query.reportby, query.format)}"


@lru_cache(maxsize=64)
def _what(program: str, reportby: str, wanted: Format) -> str:
    parts = f"&type={quote(program, safe=':')}&reportby={quote(reportby, safe=':')}"
    return parts + "&format=json" if wanted == "json" else parts


def _check_head(response: BaseHTTPResponse, limits: UpstreamLimits) -> None:
    if response.status != HTTPStatus.OK:
        raise _refusal(response, limits)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise errors.UPSTREAM_NOT_SCORES.error(note="compressed, though identity was asked for")
    if "html" in response.headers.get("Content-Type", "").lower():
        raise errors.UPSTREAM_NOT_SCORES.error(note="HTML")
    # A body that ends when the connection does cannot be told from one that was cut.
    chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
    if not chunked and response.length_remaining is None:
        if not next(_body(response, limits), b""):
            raise errors.UPSTREAM_CUT.error(note="in the head of the answer")
        raise errors.UPSTREAM_NOT_SCORES.error(note="of no announced length")


def _refusal(response: BaseHTTPResponse, limits: UpstreamLimits) -> errors.GatewayError:
    status = response.status
    note = f"HTTP {status}"
    if status == HTTPStatus.BAD_REQUEST:
        body = next(_body(response, limits), b"")
        sentence = next((known for known in _SENTENCES if known in body), b"")
        if sentence == _BAD_CREDENTIALS:
            return errors.UPSTREAM_AUTHCODE.error(note=note)
        return errors.UPSTREAM_QUERY.error(note=f"{note} {sentence.decode()}".rstrip())
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return errors.UPSTREAM_REDIRECT.error(note=note)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return errors.UPSTREAM_FAILED.error(note=note, retry_after=_retry_after(response))
    return _BY_STATUS.get(status, errors.UPSTREAM_STATUS).error(note=note, retry_after=_retry_after(response))


def _retry_after(response: BaseHTTPResponse) -> float:
    try:
        return min(_NO_RETRIES.get_retry_after(response) or 0, _LONGEST_WAIT)
    except (exceptions.InvalidHeader, ValueError, OverflowError):  # the last two of a number or a year beyond reason
        return 0


def _body(response: BaseHTTPResponse, limits: UpstreamLimits) -> Iterator[bytes]:
    size = 0
    chunks = response.stream(_CHUNK, decode_content=False)
    try:
        while chunk := _next(chunks, limits.read_timeout):
            size += len(chunk)
            if size > limits.max_bytes:
                raise errors.UPSTREAM_TOO_LARGE.error()
            if size > len(chunk):
                time.sleep(0)  # a socket that has more already does not give way to other calls by itself
            yield chunk
    except exceptions.ReadTimeoutError as error:
        raise errors.UPSTREAM_TIMEOUT.error(note="in the middle of the answer") from error
    except (exceptions.HTTPError, OSError, ValueError) as error:
        raise errors.UPSTREAM_CUT.error(note=type(error).__name__) from error


def _next(chunks: Iterator[bytes], seconds: float) -> bytes:
    with _within(seconds, "in the middle of the answer"):
        return next(chunks, b"")


def _within(seconds: float, note: str) -> gevent.Timeout:
    # The time-out of a socket begins anew with each byte, and so never ends an answer that drips.
    return gevent.Timeout(seconds, errors.UPSTREAM_TIMEOUT.error(note=note))


def _unreachable(error: Exception) -> errors.GatewayError:
    note = type(error).__name__
    # A connection that is refused is a time-out, too, to urllib3.
    if isinstance(error, exceptions.TimeoutError) and not isinstance(error, exceptions.NewConnectionError):
        return errors.UPSTREAM_TIMEOUT.error(note=note)
    if isinstance(error, exceptions.SSLError):
        return errors.UPSTREAM_TLS.error(note=note)
    if isinstance(error, exceptions.ProtocolError):
        return errors.UPSTREAM_CUT.error(note=note)
    return errors.UPSTREAM_UNREACHABLE.error(note=note)
