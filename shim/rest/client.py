"""``ScoreQuery`` and authcode to ``ScoreFile``: one GET to TOEFL Access, verified whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import urllib3
from requests import PreparedRequest, Response
from requests import exceptions as failures
from requests.adapters import HTTPAdapter

from shim import __version__, errors
from shim.query import ScoreFile, ScoreQuery
from shim.rest.verify import verifier
from shim.spool import spooling

_CHUNK: Final = 64 * 1024

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
    HTTPStatus.TOO_MANY_REQUESTS: errors.UPSTREAM_BUSY,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a call may take.

    Attributes:
        connect_timeout: Seconds to a connection.
        read_timeout: Seconds between two bytes of the answer.
        max_bytes: Largest score file that is passed on.
        connections: Most connections kept open.
    """

    connect_timeout: float
    read_timeout: float
    max_bytes: int
    connections: int


class Client:
    """An HTTP client of one URL.

    It uses the adapter of ``requests`` and not its session: a session follows
    redirects, and would send the ``authcode`` header wherever they lead; it also
    reads proxies and ``.netrc`` from the environment.
    """

    def __init__(self, url: str, limits: Limits, *, ca_file: str | None = None, proxy: str | None = None) -> None:
        """Take the URL of ``/scores`` as configured."""
        self._url = url
        self._limits = limits
        self._verify = ca_file or True
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=limits.connections, max_retries=0)

    def fetch(self, query: ScoreQuery, authcode: str) -> ScoreFile:
        """Fetch a score file.

        Raises:
            GatewayError: There is none, or not a whole one.
        """
        with self._send(query, authcode) as response:
            _check_head(response)
            return self._spool(response, query)

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def _send(self, query: ScoreQuery, authcode: str) -> Response:
        request = PreparedRequest()
        headers = {
            "authcode": authcode,
            "Accept-Encoding": "identity",
            "User-Agent": f"toefl-soap-shim/{__version__}",
        }
        request.prepare(method="GET", url=f"{self._url}?{query_string(query)}", headers=headers)
        try:
            return self._adapter.send(
                request,
                stream=True,
                timeout=(self._limits.connect_timeout, self._limits.read_timeout),
                verify=self._verify,
                proxies=self._proxies,
            )
        except failures.RequestException as error:
            raise _unreachable(error) from error

    def _spool(self, response: Response, query: ScoreQuery) -> ScoreFile:
        kind = verifier(query.format)
        with spooling() as spool:
            for chunk in _body(response, self._limits.max_bytes):
                kind.feed(chunk)
                spool.write(chunk)
            records = kind.finish()
            size = spool.tell()
            spool.seek(0)
        return ScoreFile(spool, 0 if kind.blank else size, records)


def query_string(query: ScoreQuery) -> str:
    """The query as the vendor's guide writes it: this order, and colons as they are."""
    parts = {
        "startdate": query.start.isoformat(timespec="seconds"),
        "enddate": query.end.isoformat(timespec="seconds"),
        "type": query.type,
        "reportby": query.reportby,
    }
    if query.format == "json":
        parts["format"] = "json"
    return "&".join(f"{name}={quote(value, safe=':')}" for name, value in parts.items())


def _check_head(response: Response) -> None:
    if response.status_code != HTTPStatus.OK:
        raise _refusal(response)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise errors.UPSTREAM_NOT_SCORES.error(note="compressed, though identity was asked for")
    if "html" in response.headers.get("Content-Type", "").lower():
        raise errors.UPSTREAM_NOT_SCORES.error(note="HTML")
    # A body that ends when the connection does cannot be told from one that was cut.
    chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
    if not chunked and response.raw.length_remaining is None:
        raise errors.UPSTREAM_NOT_SCORES.error(note="of no announced length")


def _refusal(response: Response) -> errors.GatewayError:
    status = response.status_code
    note = f"HTTP {status}"
    if status == HTTPStatus.BAD_REQUEST:
        body = next(_body(response, _CHUNK), b"")
        sentence = next((known for known in _SENTENCES if known in body), b"")
        if sentence == _BAD_CREDENTIALS:
            return errors.UPSTREAM_AUTHCODE.error(note=note)
        return errors.UPSTREAM_QUERY.error(note=f"{note} {sentence.decode()}".rstrip())
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return errors.UPSTREAM_REDIRECT.error(note=note)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return errors.UPSTREAM_FAILED.error(note=note)
    return _BY_STATUS.get(status, errors.UPSTREAM_STATUS).error(note=note)


def _body(response: Response, limit: int) -> Iterator[bytes]:
    size = 0
    try:
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            size += len(chunk)
            if size > limit:
                raise errors.UPSTREAM_TOO_LARGE.error()
            yield chunk
    except urllib3.exceptions.ReadTimeoutError as error:
        raise errors.UPSTREAM_TIMEOUT.error(note="in the middle of the answer") from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise errors.UPSTREAM_CUT.error(note=type(error).__name__) from error


def _unreachable(error: failures.RequestException) -> errors.GatewayError:
    cause = error.args[0] if error.args else error
    note = type(getattr(cause, "reason", None) or cause).__name__
    if isinstance(error, failures.Timeout):
        return errors.UPSTREAM_TIMEOUT.error(note=note)
    if isinstance(error, failures.SSLError):
        return errors.UPSTREAM_TLS.error(note=note)
    if isinstance(cause, urllib3.exceptions.ProtocolError):
        return errors.UPSTREAM_CUT.error(note=note)
    return errors.UPSTREAM_UNREACHABLE.error(note=note)
