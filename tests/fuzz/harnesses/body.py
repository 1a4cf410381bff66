"""The body of a request: whole and decompressed as another reading of it says, or refused, and within the limit."""

import gzip
import io
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, cast

from shim.errors import CallerError
from shim.web.request import RequestBody, RequestLimits
from shim.wire.dialect import Dialect
from tests.fuzz.inputs import Choices, expanded

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

WORDS: Final = (b"\x1f\x8b\x08", b"\x78\x9c", b"\x1a\x01\x10", b"\x1a\x20\x08")

_LIMITS: Final = (1024, 0, 1, 100, 65536)
_ENCODINGS: Final = (
    "gzip",
    "deflate",
    "identity",
    None,
    "x-gzip",
    " GZIP\t",
    "",
    "br",
    "gzip, gzip",
    "gzip;q=1",
    "\xdf",
)
_RAW_DEFLATE: Final = -zlib.MAX_WBITS
_SECONDS: Final = 30.0
_PIECE: Final = 61
_BOMB: Final = gzip.compress(b"\0" * 50_000_000, mtime=0)


class _Broken(io.BytesIO):
    """A body whose framing breaks."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "synthetic")


def _raw(plain: bytes) -> bytes:
    stream = zlib.compressobj(wbits=_RAW_DEFLATE)
    return stream.compress(plain) + stream.flush()


def _plain(data: bytes) -> bytes:
    return data


def _gzip(plain: bytes) -> bytes:
    return gzip.compress(plain, mtime=0)


_MAKERS: Final[Sequence[Callable[[bytes], bytes]]] = (
    _plain,
    _gzip,
    zlib.compress,
    _raw,
    lambda plain: _gzip(plain) + _gzip(plain),
    lambda plain: _gzip(plain) + plain[:9],
    lambda plain: zlib.compress(plain)[:-1],
    lambda plain: _gzip(_gzip(plain)),
    lambda plain: _gzip(plain * 50),
    lambda plain: _BOMB[: -len(plain) or None],
)
_ANNOUNCED: Final[Sequence[Callable[[bytes], str | None]]] = (
    lambda body: str(len(body)),
    lambda body: None,
    lambda body: "",
    lambda body: str(len(body) + 1),
    lambda body: "0" * 30 + str(len(body)),
    lambda body: "9" * 5000,
    lambda body: "-1",
    lambda body: f"{len(body)}, {len(body)}",
    lambda body: "\u0663\u00b2",
    lambda body: f"+{len(body)}",
)


def run(data: bytes) -> None:
    """A limit, an encoding, how the body is made and announced, whether it breaks; then what it is made of."""
    choices = Choices(data)
    limit, encoding = choices.pick(_LIMITS), choices.pick(_ENCODINGS)
    make, announce, broken = choices.pick(_MAKERS), choices.pick(_ANNOUNCED), choices.number(16) == 15
    body = make(expanded(choices.rest()))
    announced = announce(body)
    environ: dict[str, object] = {"wsgi.input": _Broken(body) if broken else io.BytesIO(body)}
    if announced is not None:
        environ["CONTENT_LENGTH"] = announced
    if encoding is not None:
        environ["HTTP_CONTENT_ENCODING"] = encoding
    reader = RequestBody(cast("WSGIEnvironment", environ))
    try:
        found: bytes | str = reader.read(RequestLimits(limit, _SECONDS))
    except CallerError as error:
        assert not error.detail
        assert error.note in ("", "OSError")
        found = error.cause.slug
    if isinstance(found, bytes):
        assert len(found) <= limit
    assert found == _expected(body, announced or "", encoding, limit, broken=broken)
    assert isinstance(reader.guess_dialect(), Dialect)


def _expected(body: bytes, announced: str, encoding: str | None, limit: int, *, broken: bool) -> bytes | str:
    """The body, or the reason to refuse it."""
    length = int(announced) if announced.isdecimal() and len(announced) <= 20 else None
    if len(announced) > 20 or (length or 0) > limit:
        return "too-large"
    if broken:
        return "cut-request"
    if len(body) > limit:
        return "too-large"
    if length is not None and len(body) < length:
        return "cut-request"
    codings = {one.strip() for one in (encoding or "").lower().split(",")}
    is_zlib = len(body) > 1 and body[0] & 0x8F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    is_compressed = body[:2] == b"\x1f\x8b" or is_zlib
    return _decompressed(body, limit) if is_compressed and codings & {"gzip", "x-gzip", "deflate"} else body


def _decompressed(body: bytes, limit: int) -> bytes | str:
    """In small pieces, with the form told by the first two bytes."""
    stream = zlib.decompressobj(zlib.MAX_WBITS | (16 if body[:2] == b"\x1f\x8b" else 0))
    plain = bytearray()
    for at in range(0, len(body), _PIECE):
        if stream.eof:
            return "compression"
        try:
            plain += stream.decompress(stream.unconsumed_tail + body[at : at + _PIECE], limit + 1 - len(plain))
        except zlib.error:
            return "compression"
        if len(plain) > limit:
            return "too-large"
    # What follows the end would be dropped without a word.
    return bytes(plain) if stream.eof and not stream.unused_data else "compression"
