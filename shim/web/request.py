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
from shim.wire import envelope
from shim.wire.dialect import Dialect

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, WSGIEnvironment

# PHP's client compresses requests with either; zlib tells them apart by itself.
_COMPRESSIONS: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP: Final = b"\x1f\x8b"
# Method 8, with a window of up to 32 KiB.
_ZLIB: Final = re.compile(rb"[\x08\x18\x28\x38\x48\x58\x68\x78]")
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32
_MEDIA_TYPES: Final = frozenset({"text/xml", "application/soap+xml", "application/xml"})
# Digits of a Content-Length; int refuses thousands of them with an exception.
_LONGEST_LENGTH: Final = 20
# Bytes that are read at a time: each may come in a chunk of its own, with kilobytes of chunk extensions.
_PIECE: Final = 1024
# Bytes and seconds: a namespace stands in the first lines of an envelope.
_PEEKED: Final = 4096
_PEEK_SECONDS: Final = 1.0
# Bytes of a compressed stream to decompress at a time: those before the damage are read.
_PEEKED_PART: Final = 64
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
    """The body of a request."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        """Read nothing yet."""
        self._stream: InputStream = environ["wsgi.input"]
        self._socket = environ.get("gunicorn.socket")
        self._announced: str = environ.get("CONTENT_LENGTH") or ""
        self._content_type: str = environ.get("CONTENT_TYPE", "")
        self._encodings = environ.get("HTTP_CONTENT_ENCODING", "").lower().split(",")
        self._received = bytearray()
        self._is_begun = False

    def read(self, limits: RequestLimits) -> bytes:
        """Return the body, whole and decompressed.

        Args:
            limits: What it may take.

        Raises:
            CallerError: The body is too large or cut, or its compression is damaged.
        """
        announced = self._announced_length()
        if announced is not None and announced > limits.size:
            raise errors.TOO_LARGE.error()
        self._receive(limits.size + 1, limits.seconds)
        if len(self._received) > limits.size:
            raise errors.TOO_LARGE.error()
        if announced is not None and len(self._received) < announced:
            raise errors.CUT_REQUEST.error()
        body = bytes(self._received)
        return _decompress(body, limits.size) if self._is_compressed() else body

    def guess_dialect(self) -> Dialect:
        """Return the dialect in which to answer before the body is read or if it cannot be read; never raise.

        Judge by what was read of the body. If nothing was, read its beginning; wait for a second at most.
        """
        if not self._is_begun:
            with suppress(errors.CallerError):
                self._receive(_PEEKED, _PEEK_SECONDS)
        if not self._received:
            # gunicorn hands out whole pieces alone; the worker's socket recorded what came of one, behind the head.
            self._received += getattr(self._socket, "received", b"").partition(b"\r\n\r\n")[2]
        body = bytes(self._received)
        return envelope.guess_dialect(_beginning(body) if self._is_compressed() else body, self._content_type)

    def _announced_length(self) -> int | None:
        if len(self._announced) > _LONGEST_LENGTH:
            raise errors.TOO_LARGE.error()
        return int(self._announced) if self._announced.isdecimal() else None

    def _receive(self, most: int, seconds: float) -> None:
        self._is_begun = True
        try:
            with gevent.Timeout(seconds):
                for part in _parts(self._stream, most):
                    self._received += part
        except gevent.Timeout as error:
            raise errors.CUT_REQUEST.error(note="too slow") from error
        except Exception as error:  # each WSGI server has exceptions of its own for bad framing
            raise errors.CUT_REQUEST.error(note=type(error).__name__) from error

    def _is_compressed(self) -> bool:
        """Return whether the body is said to be compressed, and begins as gzip or zlib does (RFC 1952, RFC 1950).

        IIS did not look at Content-Encoding, and many clients send a charset in it, or gzip for a plain body. No XML
        begins as a compressed body does.
        """
        if _COMPRESSIONS.isdisjoint(encoding.strip() for encoding in self._encodings):
            return False
        start = bytes(self._received[:2])
        return start == _GZIP or (_ZLIB.match(start) is not None and int.from_bytes(start) % 31 == 0)


def _parts(stream: "InputStream", most: int) -> Iterator[bytes]:
    while most:
        part = stream.read(min(most, _PIECE))
        yield part
        most -= len(part)
        if len(part) < _PIECE:
            return
        time.sleep(0)  # a client that sends as fast as is read must not keep others waiting, nor outrun the time limit


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


def _beginning(body: bytes) -> bytes:
    """Return what the beginning of a compressed body says, up to where it is damaged or cut."""
    stream, plain = zlib.decompressobj(_GZIP_OR_ZLIB), b""
    with suppress(zlib.error):
        for start in range(0, _PEEKED, _PEEKED_PART):
            plain += stream.decompress(body[start : start + _PEEKED_PART], _PEEKED)
            if len(plain) >= _PEEKED:
                break
    return plain
