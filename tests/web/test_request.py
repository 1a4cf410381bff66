import gzip
import io
import random
import time
import zlib
from collections.abc import Callable

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim.errors import CallerError
from shim.web.request import RequestBody, RequestLimits, action, check_media_type
from shim.wire.dialect import Dialect, Version
from tests.web import calls

LIMIT = 1000


class Broken(io.RawIOBase):
    """An input that fails as a server's does when framing is bad."""

    def read(self, size: int = -1, /) -> bytes:
        raise OSError("secret")


class Counted(io.BytesIO):
    """An input that keeps how much was asked of it."""

    asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.asked += size or 0
        return super().read(size)


def read(body: bytes, /, **changes: object) -> bytes:
    return RequestBody(calls.request(body, **changes)).read(RequestLimits(LIMIT, 30))


def refused(body: bytes, /, **changes: object) -> str:
    with pytest.raises(CallerError) as caught:
        read(body, **changes)
    return caught.value.cause.slug


class TestPlain:
    @pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT])
    @pytest.mark.parametrize("length", ["announced", "", None], ids=["announced", "empty", "chunked"])
    def test_up_to_the_limit(self, size: int, length: str | None) -> None:
        body = b"x" * size
        assert read(body, CONTENT_LENGTH=str(size) if length else length) == body

    @pytest.mark.parametrize("length", ["announced", None], ids=["announced", "chunked"])
    def test_one_byte_above_the_limit(self, length: str | None) -> None:
        assert refused(b"x" * (LIMIT + 1), CONTENT_LENGTH=str(LIMIT + 1) if length else None) == "too-large"

    @pytest.mark.parametrize(
        "length", [str(LIMIT + 1), "9" * 30, "9" * 5000], ids=["by one", "30 digits", "5000 digits"]
    )
    def test_what_is_announced_too_large_is_not_read(self, length: str) -> None:
        body = Counted(b"x")
        assert refused(b"", **{"wsgi.input": body, "CONTENT_LENGTH": length}) == "too-large"
        assert body.asked == 0

    def test_no_more_is_read_than_needed(self) -> None:
        body = Counted(b"x" * 10 * LIMIT)
        assert refused(b"", **{"wsgi.input": body, "CONTENT_LENGTH": None}) == "too-large"
        assert body.asked == LIMIT + 1

    def test_a_cut_body(self) -> None:
        assert refused(b"x" * 9, CONTENT_LENGTH="10") == "cut-request"

    def test_a_body_that_cannot_be_read(self) -> None:
        with pytest.raises(CallerError) as caught:
            read(b"", **{"wsgi.input": Broken(), "CONTENT_LENGTH": None})
        assert (caught.value.cause.slug, caught.value.note) == ("cut-request", "OSError")

    @pytest.mark.parametrize(
        "encoding",
        [
            " Identity ",
            "",
            "utf-8",
            "UTF-8",
            "none",
            "binary",
            "8bit",
            "text/xml",
            "br",
            "gzip",
            "deflate",
            "x-gzip, a",
        ],
    )
    @pytest.mark.parametrize(
        "body", [b"", b"<", b"<Envelope/>", b"\xef\xbb\xbf<a/>", "<a/>".encode("utf-16")], ids=repr
    )
    def test_a_content_encoding_that_is_no_compression_is_ignored(self, encoding: str, body: bytes) -> None:
        assert read(body, HTTP_CONTENT_ENCODING=encoding) == body


COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "GZIP": gzip.compress,
    " gzip ": gzip.compress,
    "gzip, identity": gzip.compress,
    "UTF-8,deflate": zlib.compress,
}


class TestCompressed:
    @pytest.mark.parametrize("encoding", list(COMPRESSED))
    @pytest.mark.parametrize("size", [0, 1, LIMIT])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_up_to_the_limit(self, encoding: str, size: int, chunked: bool) -> None:
        sent = COMPRESSED[encoding](b"x" * size)
        length = None if chunked else str(len(sent))
        assert read(sent, HTTP_CONTENT_ENCODING=encoding, CONTENT_LENGTH=length) == b"x" * size

    @pytest.mark.parametrize("encoding", list(COMPRESSED))
    @pytest.mark.parametrize("size", [LIMIT + 1, 500 * LIMIT], ids=["by one", "bomb"])
    def test_above_the_limit(self, encoding: str, size: int) -> None:
        sent = COMPRESSED[encoding](b"x" * size)
        assert len(sent) < LIMIT
        assert refused(sent, HTTP_CONTENT_ENCODING=encoding) == "too-large"

    @pytest.mark.parametrize("encoding", ["gzip", "deflate"])
    @pytest.mark.parametrize("kept", [2, 5, -9, -1], ids=lambda kept: f"[:{kept}]")
    def test_truncated(self, encoding: str, kept: int) -> None:
        assert refused(COMPRESSED[encoding](b"synthetic" * 9)[:kept], HTTP_CONTENT_ENCODING=encoding) == "compression"

    @pytest.mark.parametrize("encoding", ["gzip", "deflate"])
    def test_damaged(self, encoding: str) -> None:
        sent = bytearray(COMPRESSED[encoding](bytes(range(200))))
        sent[-2] ^= 0xFF
        assert refused(bytes(sent), HTTP_CONTENT_ENCODING=encoding) == "compression"

    @pytest.mark.parametrize("encoding", ["gzip", "deflate"])
    def test_more_than_one_stream(self, encoding: str) -> None:
        assert refused(COMPRESSED[encoding](b"x") * 2, HTTP_CONTENT_ENCODING=encoding) == "compression"

    @pytest.mark.parametrize("level", range(10))
    def test_zlib_of_every_level_is_recognized(self, level: int) -> None:
        assert read(zlib.compress(b"x", level), HTTP_CONTENT_ENCODING="deflate") == b"x"

    @pytest.mark.parametrize("window", range(9, 16))
    def test_zlib_of_every_window_is_recognized(self, window: int) -> None:
        stream = zlib.compressobj(wbits=window)
        assert read(stream.compress(b"x") + stream.flush(), HTTP_CONTENT_ENCODING="deflate") == b"x"

    @pytest.mark.parametrize("encoding", ["", "utf-8", "br", "identity"])
    def test_only_what_is_said_to_be_compressed_is_decompressed(self, encoding: str) -> None:
        sent = gzip.compress(b"x")
        assert read(sent, HTTP_CONTENT_ENCODING=encoding) == sent

    @given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate"]))
    def test_any_bytes_are_read_or_refused(self, body: bytes, encoding: str) -> None:
        assert read(COMPRESSED[encoding](body), HTTP_CONTENT_ENCODING=encoding) == body
        try:
            found = read(body, HTTP_CONTENT_ENCODING=encoding)
        except CallerError as error:
            assert error.cause.slug in ("compression", "too-large")  # noqa: PT017 - whether it raises is the input's affair
        else:
            assert found == body or body[0] == 0x1F or body[0] & 0x8F == 8


SOAP_12 = calls.envelope(version=Version.SOAP_12).encode()


class Late(io.RawIOBase):
    """An input whose client sends nothing."""

    reads = 0

    def read(self, size: int = -1, /) -> bytes:
        self.reads += 1
        gevent.sleep(60)
        return b""


def guess(body: bytes, /, **changes: object) -> Dialect:
    return RequestBody(calls.request(body, **changes)).guess_dialect()


class TestGuessDialect:
    @pytest.mark.parametrize("content_type", ["text/xml", "application/json", "", None])
    def test_the_envelope_counts_whatever_the_content_type_says(self, content_type: str | None) -> None:
        assert guess(SOAP_12, CONTENT_TYPE=content_type) == Dialect(Version.SOAP_12)
        assert guess(calls.envelope().encode(), CONTENT_TYPE="application/soap+xml") == Dialect()

    def test_without_a_body_the_content_type_counts(self) -> None:
        assert guess(b"", CONTENT_TYPE="application/soap+xml; charset=utf-8") == Dialect(Version.SOAP_12)
        assert guess(b"", CONTENT_TYPE="text/xml") == Dialect()

    @pytest.mark.parametrize("length", ["9" * 5000, "100000", None], ids=["digits", "too large", "chunked"])
    def test_the_beginning_of_a_large_body_is_enough(self, length: str | None) -> None:
        stream = Counted(SOAP_12 + b" " * 100_000)
        assert guess(b"", **{"wsgi.input": stream, "CONTENT_LENGTH": length}).version is Version.SOAP_12
        assert stream.asked <= 8192

    def test_what_was_read_is_not_read_again(self) -> None:
        stream = Counted(SOAP_12)
        body = RequestBody(calls.request(SOAP_12, **{"wsgi.input": stream, "CONTENT_LENGTH": "900"}))
        with pytest.raises(CallerError, match="cut-request"):
            body.read(RequestLimits(LIMIT, 30))
        asked = stream.asked
        assert body.guess_dialect().version is Version.SOAP_12
        assert stream.asked == asked

    def test_a_body_that_cannot_be_read(self) -> None:
        assert guess(b"", **{"wsgi.input": Broken(), "CONTENT_TYPE": "application/soap+xml"}).version is Version.SOAP_12

    def test_a_client_that_sends_nothing_is_waited_for_once_and_briefly(self) -> None:
        stream = Late()
        body = RequestBody(calls.request(b"", **{"wsgi.input": stream, "CONTENT_LENGTH": "9"}))
        began = time.monotonic()
        assert body.guess_dialect() == Dialect()
        assert time.monotonic() - began < 5
        assert body.guess_dialect() == Dialect()
        assert stream.reads == 1

    def test_a_client_that_was_too_slow_is_not_waited_for_again(self) -> None:
        stream = Late()
        body = RequestBody(calls.request(b"", **{"wsgi.input": stream, "CONTENT_LENGTH": "9"}))
        with pytest.raises(CallerError, match="cut-request"):
            body.read(RequestLimits(LIMIT, 0.01))
        assert body.guess_dialect() == Dialect()
        assert stream.reads == 1

    @pytest.mark.parametrize("encoding", ["gzip", "deflate"])
    @pytest.mark.parametrize("damage", ["whole", "cut", "in the middle", "at the end"])
    def test_a_compressed_body_is_read_up_to_its_damage(self, encoding: str, damage: str) -> None:
        sent = bytearray(COMPRESSED[encoding](SOAP_12 + random.Random(1).randbytes(3000).hex().encode()))  # noqa: S311 - a text that compresses badly
        if damage == "cut":
            del sent[1000:]
        elif damage != "whole":
            position = 1000 if damage == "in the middle" else len(sent) - 2
            sent[position] ^= 0xFF
        found = guess(bytes(sent), HTTP_CONTENT_ENCODING=encoding, CONTENT_TYPE="text/xml")
        assert found.version is Version.SOAP_12

    def test_a_bomb_is_not_unpacked(self) -> None:
        bomb = zlib.compress(b" " * 50_000_000)
        began = time.process_time()
        assert guess(bomb, HTTP_CONTENT_ENCODING="deflate") == Dialect()
        assert time.process_time() - began < 0.2

    @given(
        st.binary(max_size=100), st.sampled_from(["gzip", "deflate", "utf-8"]), st.sampled_from(["", "7", "x", "99999"])
    )
    def test_it_never_raises(self, body: bytes, encoding: str, length: str) -> None:
        assert isinstance(guess(body, HTTP_CONTENT_ENCODING=encoding, CONTENT_LENGTH=length), Dialect)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/xml",
        "text/xml; charset=utf-8",
        "Text/XML;charset=UTF-8",
        " text/xml ; charset=utf-8",
        "application/soap+xml",
        'application/soap+xml; charset=utf-8; action="urn:x"',
        "application/xml",
    ],
)
def test_media_types_of_soap(content_type: str) -> None:
    check_media_type(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/html",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/related; type=text/xml",
        "text/xmlx",
        "text/plain; text/xml",
    ],
)
def test_other_media_types(content_type: str) -> None:
    with pytest.raises(CallerError, match="content-type"):
        check_media_type(content_type)


@pytest.mark.parametrize(
    ("header", "content_type", "expected"),
    [
        pytest.param('"urn:x/GetScores"', "text/xml", "urn:x/GetScores", id="quoted"),
        pytest.param("urn:x/GetScores", "text/xml", "urn:x/GetScores", id="unquoted"),
        pytest.param('"*"', "text/xml", "*", id="star"),
        pytest.param('""', "text/xml", "", id="empty quotes"),
        pytest.param("", "text/xml", "", id="empty"),
        pytest.param(None, "text/xml; charset=utf-8", "", id="absent"),
        pytest.param(None, 'application/soap+xml; action="urn:x"', "urn:x", id="type"),
        pytest.param(None, "application/soap+xml;Action=urn:x;charset=utf-8", "urn:x", id="type, unquoted"),
        pytest.param('"urn:a"', 'application/soap+xml; action="urn:b"', "urn:a", id="header first"),
    ],
)
def test_action(header: str | None, content_type: str, expected: str) -> None:
    assert action(calls.request(HTTP_SOAPACTION=header, CONTENT_TYPE=content_type)) == expected
