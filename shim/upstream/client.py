"""One GET to TOEFL Access: ``ScoreQuery`` and authcode to a verified ``ScoreFile``.

What this module uses of urllib3 and requests without a promise: the pool that the adapter of requests makes,
``ConnectionCls``, ``is_connected`` and ``length_remaining``. ``tests/upstream/test_client.py`` holds it to them.
"""

import ssl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from functools import lru_cache
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import quote

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Retry, Timeout, exceptions
from urllib3.connection import HTTPSConnection

from shim import __version__, errors
from shim.config import UpstreamSettings
from shim.query import Format, ScoreFile, ScoreQuery
from shim.spool import SpoolQuota
from shim.upstream.deadline import Deadline, unlimited
from shim.upstream.verify import verifier_for

_CHUNK: Final = 96 * 1024
_NO_RETRIES: Final = Retry(False)  # noqa: FBT003 - with it urllib3 raises errors as they are
_LONGEST_WAIT: Final = 24 * 60 * 60
"""Seconds of a Retry-After that are believed at most."""
_USER_AGENT: Final = f"toefl-soap-shim/{__version__}"

# The sentences of a 400 in the documentation of TOEFL Access; the body may be plain text or JSON.
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


class Client:
    """An HTTP client of one URL.

    Everything that calls share is made once, by the adapter of ``requests``: the
    pool of connections, the trusted certificates, the way through a proxy. A call
    then uses the pool itself: a session would follow redirects, and send the
    ``authcode`` header wherever they lead, and read proxies and ``.netrc`` from
    the environment.
    """

    def __init__(
        self, settings: UpstreamSettings, quota: SpoolQuota, *, connections: int = 10, deadline: Deadline = unlimited
    ) -> None:
        """Set up the pool of connections.

        Args:
            settings: The URL of ``/scores`` and the limits.
            quota: Where score files are held.
            connections: The most connections kept open.
            deadline: Ends what takes too long.
        """
        self._quota = quota
        self._settings = settings
        self._deadline = deadline
        self._adapter = HTTPAdapter(pool_maxsize=connections)
        url, verify = settings.url, str(settings.ca_file) if settings.ca_file is not None else True
        proxies = {"http": settings.proxy, "https": settings.proxy} if settings.proxy else {}
        request = PreparedRequest()
        request.prepare(method="GET", url=url)
        pool = self._adapter.get_connection_with_tls_context(request, verify, proxies)
        self._adapter.cert_verify(pool, url, verify, None)  # type: ignore[no-untyped-call]
        self._pool = cast("HTTPConnectionPool", pool)
        if self._pool.scheme == "https":
            self._pool.ConnectionCls = _TLSConnection
        self._target = self._adapter.request_url(request, proxies)
        self._timeout = Timeout(connect=settings.connect_timeout, read=settings.read_timeout)

    def fetch(self, query: ScoreQuery, authcode: str, trace: str = "") -> ScoreFile:
        """Fetch a score file.

        Args:
            query: What to ask for.
            authcode: The authcode.
            trace: A traceparent (W3C Trace Context) to pass on; empty for none.

        Raises:
            GatewayError: There is none, or not a whole one.
        """
        with closing(self._send(query, authcode, trace)) as response:
            self._check_head(response)
            return self._spool(response, query)

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def _send(self, query: ScoreQuery, authcode: str, trace: str) -> BaseHTTPResponse:
        headers = {"authcode": authcode, "Accept-Encoding": "identity", "User-Agent": _USER_AGENT}
        if trace:
            headers["traceparent"] = trace
        seconds = self._settings.connect_timeout + self._settings.read_timeout
        try:
            with self._within(seconds, "in the head of the answer"):
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

    def _check_head(self, response: BaseHTTPResponse) -> None:
        if response.status != HTTPStatus.OK:
            raise self._refusal(response)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise errors.UPSTREAM_NOT_SCORES.error(note="compressed, though identity was asked for")
        if "html" in response.headers.get("Content-Type", "").lower():
            raise errors.UPSTREAM_NOT_SCORES.error(note="HTML")
        # A body that ends when the connection does cannot be told from one that was cut.
        chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
        if not chunked and response.length_remaining is None:
            if not next(self._body(response), b""):
                raise errors.UPSTREAM_CUT.error(note="in the head of the answer")
            raise errors.UPSTREAM_NOT_SCORES.error(note="of no announced length")

    def _refusal(self, response: BaseHTTPResponse) -> errors.GatewayError:
        status = response.status
        note = f"HTTP {status}"
        if status == HTTPStatus.BAD_REQUEST:
            body = next(self._body(response), b"")
            sentence = next((known for known in _SENTENCES if known in body), b"")
            if sentence == _BAD_CREDENTIALS:
                return errors.UPSTREAM_AUTHCODE.error(note=note)
            return errors.UPSTREAM_QUERY.error(note=f"{note} {sentence.decode()}".rstrip())
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return errors.UPSTREAM_REDIRECT.error(note=note)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return errors.UPSTREAM_FAILED.error(note=note, retry_after=_retry_after(response))
        return _BY_STATUS.get(status, errors.UPSTREAM_STATUS).error(note=note, retry_after=_retry_after(response))

    def _spool(self, response: BaseHTTPResponse, query: ScoreQuery) -> ScoreFile:
        verifier = verifier_for(query.format)
        with self._quota.spooling() as spool:
            for chunk in self._body(response):
                verifier.feed(chunk)
                spool.write(chunk)
            records = verifier.finish()
            size = spool.tell()
            spool.seek(0)
        return ScoreFile(spool, 0 if verifier.blank else size, records)

    def _body(self, response: BaseHTTPResponse) -> Iterator[bytes]:
        size = 0
        chunks = response.stream(_CHUNK, decode_content=False)
        try:
            while chunk := self._next(chunks):
                size += len(chunk)
                if size > self._settings.max_bytes:
                    raise errors.UPSTREAM_TOO_LARGE.error()
                if size > len(chunk):
                    time.sleep(0)  # a socket with more data at hand does not yield to other calls by itself
                yield chunk
        except exceptions.ReadTimeoutError as error:
            raise errors.UPSTREAM_TIMEOUT.error(note="in the middle of the answer") from error
        except (exceptions.HTTPError, OSError, ValueError) as error:
            raise errors.UPSTREAM_CUT.error(note=type(error).__name__) from error

    def _next(self, chunks: Iterator[bytes]) -> bytes:
        with self._within(self._settings.read_timeout, "in the middle of the answer"):
            return next(chunks, b"")

    def _within(self, seconds: float, note: str) -> AbstractContextManager[object]:
        # A socket's time-out begins anew with each byte, and so never ends an answer that drips.
        return self._deadline(seconds, errors.UPSTREAM_TIMEOUT.error(note=note))


class _TLSConnection(HTTPSConnection):
    """A connection that is not used again while TLS holds unread bytes, which would become the next call's answer.

    The socket does not show bytes that TLS has unpacked already.
    """

    @property
    def is_connected(self) -> bool:
        """Whether it can be used again."""
        return super().is_connected and isinstance(self.sock, ssl.SSLSocket) and not self.sock.pending()


def query_string(query: ScoreQuery) -> str:
    """Return the query as the vendor's guide writes it: in this order, with bare colons."""
    start, end = query.start.isoformat(timespec="seconds"), query.end.isoformat(timespec="seconds")
    return f"startdate={start}&enddate={end}{_what(query.type, query.reportby, query.format)}"


@lru_cache(maxsize=64)
def _what(program: str, reportby: str, wanted: Format) -> str:
    parts = f"&type={quote(program, safe=':')}&reportby={quote(reportby, safe=':')}"
    return parts + "&format=json" if wanted == "json" else parts


def _retry_after(response: BaseHTTPResponse) -> float:
    try:
        return min(_NO_RETRIES.get_retry_after(response) or 0, _LONGEST_WAIT)
    except (exceptions.InvalidHeader, ValueError, OverflowError):  # the last two for an absurd number or year
        return 0


def _unreachable(error: Exception) -> errors.GatewayError:
    note = type(error).__name__
    # urllib3 makes a refused connection a time-out too.
    if isinstance(error, exceptions.TimeoutError) and not isinstance(error, exceptions.NewConnectionError):
        return errors.UPSTREAM_TIMEOUT.error(note=note)
    if isinstance(error, exceptions.SSLError):
        return errors.UPSTREAM_TLS.error(note=note)
    if isinstance(error, exceptions.ProtocolError):
        return errors.UPSTREAM_CUT.error(note=note)
    return errors.UPSTREAM_UNREACHABLE.error(note=note)
