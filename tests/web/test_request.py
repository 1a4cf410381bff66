import gzip
import io
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim.errors import CallerError
from shim.web.request import RequestBody, RequestLimits, action, check_media_type
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
    return RequestBody(calls.request(body, **changes), RequestLimits(LIMIT, 30)).read()


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

    def test_identity_is_no_compression(self) -> None:
        assert read(b"x", HTTP_CONTENT_ENCODING=" Identity ") == b"x"


COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "GZIP": gzip.compress,
    " gzip ": gzip.compress,
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
    @pytest.mark.parametrize("kept", [0, 1, 5, -9, -1], ids=lambda kept: f"[:{kept}]")
    def test_truncated(self, encoding: str, kept: int) -> None:
        assert refused(COMPRESSED[encoding](b"synthetic" * 9)[:kept], HTTP_CONTENT_ENCODING=encoding) == "compression"

    @pytest.mark.parametrize("encoding", ["gzip", "deflate"])
    def test_damaged(self, encoding: str) -> None:
        sent = bytearray(COMPRESSED[encoding](bytes(range(200))))
        sent[-2] ^= 0xFF
        assert refused(bytes(sent), HTTP_CONTENT_ENCODING=encoding) == "compression"

    def test_plain_though_compression_is_declared(self) -> None:
        assert refused(b"<Envelope/>", HTTP_CONTENT_ENCODING="gzip") == "compression"

    @pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "aws-chunked"])
    def test_not_supported(self, encoding: str) -> None:
        assert refused(b"x", HTTP_CONTENT_ENCODING=encoding) == "compression"

    @given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate"]))
    def test_any_bytes_are_read_or_refused(self, body: bytes, encoding: str) -> None:
        assert read(COMPRESSED[encoding](body), HTTP_CONTENT_ENCODING=encoding) == body
        try:
            read(body, HTTP_CONTENT_ENCODING=encoding)
        except CallerError as error:
            assert error.cause.slug in ("compression", "too-large")  # noqa: PT017 - whether it raises is the input's affair


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
