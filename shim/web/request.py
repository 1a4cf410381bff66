"""What is read of an HTTP request, within limits: its media type, its action, and its body, whole and decompressed."""

import re
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import gevent

from shim import errors

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, WSGIEnvironment

# PHP's client compresses requests with either; zlib tells them apart by itself.
_COMPRESSIONS: Final = frozenset({"gzip", "x-gzip", "deflate"})
# The first byte of a zlib stream: method 8, with a window of up to 32 KiB.
_ZLIB_METHODS: Final = frozenset(bytes([size << 4 | 8]) for size in range(8))
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32
_MEDIA_TYPES: Final = frozenset({"text/xml", "application/soap+xml", "application/xml"})
# Digits of a Content-Length; int refuses thousands of them with an exception.
_LONGEST_LENGTH: Final = 20
# Bytes that are read at a time: each may come in a chunk of its own, with kilobytes of chunk extensions.
_PIECE: Final = 1024
# Bytes and seconds: a namespace stands in the first lines of an envelope.
_PEEKED: Final = 4096
_PEEK_SECONDS: Final = 2.0
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


class RequestBody:
    """The body of a request, read within limits.

    Attributes:
        received: What was read so far, as it was sent.
    """

    def __init__(self, environ: "WSGIEnvironment", limits: RequestLimits) -> None:
        """Read nothing yet.

        Args:
            environ: The request.
            limits: What it may take.
        """
        self.received = b""
        self._environ = environ
        self._limits = limits

    def read(self) -> bytes:
        """Return the body, whole and decompressed.

        Raises:
            CallerError: The body is too large or cut, or its compression is damaged.
        """
        announced = self._announced_length()
        if announced is not None and announced > self._limits.size:
            raise errors.TOO_LARGE.error()
        self._receive(self._limits.size + 1, self._limits.seconds)
        if len(self.received) > self._limits.size:
            raise errors.TOO_LARGE.error()
        if announced is not None and len(self.received) < announced:
            raise errors.CUT_REQUEST.error()
        encoding = self._environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        # IIS did not look at Content-Encoding, and many clients send a charset in it, or gzip for a plain body.
        if encoding in _COMPRESSIONS and _is_compressed(self.received):
            return _decompress(self.received, self._limits.size)
        return self.received

    def peek(self) -> bytes:
        """Return the beginning of the body, as much as tells the SOAP version of the caller; never raise."""
        if not self.received:
            with suppress(errors.CallerError):
                self._receive(_PEEKED, _PEEK_SECONDS)
        return self.received

    def _announced_length(self) -> int | None:
        text = self._environ.get("CONTENT_LENGTH") or ""
        if len(text) > _LONGEST_LENGTH:
            raise errors.TOO_LARGE.error()
        return int(text) if text.isdecimal() else None

    def _receive(self, most: int, seconds: float) -> None:
        try:
            with gevent.Timeout(seconds):
                for part in _parts(self._environ["wsgi.input"], most):
                    self.received += part
        except gevent.Timeout as error:
            raise errors.CUT_REQUEST.error(note="too slow") from error
        except Exception as error:  # each WSGI server has exceptions of its own for bad framing
            raise errors.CUT_REQUEST.error(note=type(error).__name__) from error


def _parts(stream: "InputStream", most: int) -> Iterator[bytes]:
    while most:
        part = stream.read(min(most, _PIECE))
        yield part
        most -= len(part)
        if len(part) < _PIECE:
            return
        time.sleep(0)  # a client that sends as fast as is read must not keep others waiting, nor outrun the time limit


def _is_compressed(body: bytes) -> bool:
    """Return whether a body begins as gzip (RFC 1952 §2.3.1) or zlib (RFC 1950 §2.2) does; no XML begins so."""
    is_zlib = body[:1] in _ZLIB_METHODS and int.from_bytes(body[:2]) % 31 == 0
    return is_zlib or body.startswith(b"\x1f\x8b")


def _decompress(body: bytes, limit: int) -> bytes:
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
