"""What is read of an HTTP request, within limits: its media type, its action, and its body, whole and decompressed."""

import re
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import gevent

from shim import errors

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, WSGIEnvironment

# PHP's client compresses requests with either; zlib tells them apart by itself.
_COMPRESSIONS: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32
_MEDIA_TYPES: Final = frozenset({"text/xml", "application/soap+xml", "application/xml"})
# Digits of a Content-Length; int refuses thousands of them with an exception.
_LONGEST_LENGTH: Final = 20
# Bytes that are read at a time: each may come in a chunk of its own, with kilobytes of chunk extensions.
_PIECE: Final = 1024
_ACTION_PARAMETER: Final = re.compile(r';\s*action\s*=\s*"?([^";]*)', re.IGNORECASE)


def action(environ: "WSGIEnvironment") -> str:
    """Return the action in the SOAPAction header, or in SOAP 1.2's Content-Type; an empty string for none."""
    named: str = environ.get("HTTP_SOAPACTION", "")
    if not named and (parameter := _ACTION_PARAMETER.search(environ.get("CONTENT_TYPE", ""))):
        named = parameter[1]
    return named.strip(' "')


def check_media_type(content_type: str) -> None:
    """Accept the media types that SOAP clients send.

    A web page of another site can make a browser post some of the other types without asking.

    Raises:
        CallerError: It is another type.
    """
    if content_type.partition(";")[0].strip().lower() not in _MEDIA_TYPES:
        raise errors.CONTENT_TYPE.error()


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What a request may take.

    Attributes:
        size: Largest length of its body in bytes, both before and after decompression.
        seconds: Longest time for its body.
    """

    size: int
    seconds: float


def read_body(environ: "WSGIEnvironment", limits: RequestLimits) -> bytes:
    """Read and decompress the body of a request.

    Args:
        environ: The request.
        limits: What it may take.

    Raises:
        CallerError: The body is too large or cut, or its compression is unknown or damaged.
    """
    announced = _announced_length(environ)
    if announced is not None and announced > limits.size:
        raise errors.TOO_LARGE.error()
    body = _read_in_time(environ["wsgi.input"], limits)
    if len(body) > limits.size:
        raise errors.TOO_LARGE.error()
    if announced is not None and len(body) < announced:
        raise errors.CUT_REQUEST.error()
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    return body if encoding == "identity" else _decompress(body, encoding, limits.size)


def _announced_length(environ: "WSGIEnvironment") -> int | None:
    text = environ.get("CONTENT_LENGTH") or ""
    if len(text) > _LONGEST_LENGTH:
        raise errors.TOO_LARGE.error()
    return int(text) if text.isdecimal() else None


def _read_in_time(stream: "InputStream", limits: RequestLimits) -> bytes:
    try:
        with gevent.Timeout(limits.seconds):
            return _read(stream, limits.size + 1)
    except gevent.Timeout as error:
        raise errors.CUT_REQUEST.error(note="too slow") from error
    except Exception as error:  # each WSGI server has exceptions of its own for bad framing
        raise errors.CUT_REQUEST.error(note=type(error).__name__) from error


def _read(stream: "InputStream", most: int) -> bytes:
    parts = []
    while most:
        part = stream.read(min(most, _PIECE))
        parts.append(part)
        most -= len(part)
        if len(part) < _PIECE:
            break
        time.sleep(0)  # a client that sends as fast as is read must not keep others waiting, nor outrun the time limit
    return b"".join(parts)


def _decompress(body: bytes, encoding: str, limit: int) -> bytes:
    if encoding not in _COMPRESSIONS:
        raise errors.COMPRESSION.error()
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise errors.COMPRESSION.error() from error
    if len(plain) > limit:
        raise errors.TOO_LARGE.error()
    # Bytes after the end, such as a second gzip member, would be dropped without a word.
    if not stream.eof or stream.unused_data:
        raise errors.COMPRESSION.error()
    return plain
