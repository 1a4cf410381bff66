"""Wrong answers of an upstream, as scripts, and what the caller must get for each."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from tests.upstream_server import Script, Then, chunked, ok, response, slow

PLANTED: Final = "Plantedson-Synthetic"
"""A name in every record and in every other body; no fault and no log may hold it."""

ATTEMPTS: Final = 3

_NONE: Final = ("",)
_SMALL: Final = ("3 records",)
_BOTH: Final = ("3 records", "16 MB")
_MORE: Final = ("24 MB",)
_COUNTS: Final = {"": 3, "3 records": 3, "16 MB": 18_602, "24 MB": 27_000}

_RECORD: Final = f"0001{PLANTED}".encode().ljust(900, b".") + b"\r\n"
_TEXT: Final = "Content-Type: text/plain\r\n"
_PAGE: Final = f"<!DOCTYPE html><html><body>{PLANTED}</body></html>".encode()

_Play = Callable[[bytes], Script]


@dataclass(frozen=True)
class Case:
    """One thing that goes wrong.

    Attributes:
        fault: A description of it.
        slug: The fault that the caller gets; empty if the caller gets scores.
        requests: The number of requests that the upstream sees.
        size: The size of the score file, as a key of ``_COUNTS``.
        play: Returns the wrong answer, given the score file.
        times: The number of wrong answers before a right one; 0 if all are wrong.
        form: The form of the call.
    """

    fault: str
    slug: str
    requests: int
    size: str
    play: _Play
    times: int = 0
    form: str = "SOAP 1.1"

    def scripts(self) -> list[Script]:
        """Return the upstream's answers; the last is for all further requests too."""
        body = body_of(self.size)
        return [self.play(body)] * self.times + [whole(body)] if self.times else [self.play(body)]

    @property
    def is_silent(self) -> bool:
        """Whether the gateway waits until its read timeout."""
        return self.slug == "upstream-timeout" or self.fault.startswith("falls silent")

    @property
    def answer(self) -> str:
        """A description of what the caller gets."""
        if self.times:
            return "the whole answer"
        return f"the sentence of `{self.slug}` as its result" if self.form == "in band" else f"fault `{self.slug}`"

    def __repr__(self) -> str:
        return f"{self.fault}, {self.size or 'any size'}, {self.form}"


def records(count: int) -> bytes:
    """Return a score file of so many records, of 902 bytes each."""
    return _RECORD * count


def body_of(size: str) -> bytes:
    """Return a score file of a size."""
    return records(_COUNTS[size])


def whole(body: bytes) -> Script:
    """Return a right answer, after which the connection is closed."""
    return ok(body, _TEXT)


def until(end: int, then: Then = "close") -> _Play:
    """Return a right answer without its end; then silence, a close or a reset."""
    return lambda body: Script(whole(body).data[:end], then)


def half(then: Then = "close") -> _Play:
    """Return a right answer without the second half of its body."""
    return lambda body: Script(whole(body).data[: -len(body) // 2], then)


def status(line: str, body: bytes = PLANTED.encode(), headers: str = "") -> Script:
    """Return a refusal."""
    return response(line, body, headers)


def _headers(then: Then) -> _Play:
    return lambda body: Script(whole(body).data.removesuffix(body), then)


def _always(script: Script) -> _Play:
    return lambda _: script


def _drip(piece: int, fast: Callable[[int], int]) -> _Play:
    return lambda body: slow(whole(body), fast=fast(len(body)), piece=piece, pause=0.1)


def _changed(change: Callable[[bytes], bytes], headers: str = "") -> _Play:
    return lambda body: ok(change(body), _TEXT + headers)


def _in_the_middle(odd: bytes) -> _Play:
    def play(body: bytes) -> Script:
        middle = body.index(b"\n", len(body) // 2) + 1
        return ok(body[:middle] + odd + body[middle:], _TEXT)

    return play


@cache
def _packed_spaces() -> bytes:
    """Return 256 MiB of spaces, packed by gzip."""
    compressor, block = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS), b" " * (16 << 20)
    return b"".join([*(compressor.compress(block) for _ in range(16)), compressor.flush()])


def _bomb(_: bytes) -> bytes:
    return _packed_spaces()


def _squeezed(body: bytes) -> bytes:
    return gzip.compress(body, 1)


_SILENT: Final[list[tuple[str, tuple[str, ...], _Play]]] = [
    ("accepts and never answers", _NONE, _always(Script(b"", "hold"))),
    ("falls silent in its headers", _NONE, until(35, "hold")),
    ("falls silent after its headers", _NONE, _headers("hold")),
    ("falls silent in the middle of the body", _BOTH, half("hold")),
    ("falls silent before the last byte", _BOTH, until(-1, "hold")),
    ("sends its headers below the minimum rate", _NONE, _drip(1, lambda _: 0)),
    ("sends its body below the minimum rate", _BOTH, _drip(20, lambda length: max(100, length - 2000))),
]

_CUT: Final[list[tuple[str, tuple[str, ...], _Play]]] = [
    ("closes without an answer", _NONE, _always(Script(b""))),
    ("closes in its headers, before Content-Length", _NONE, until(25)),
    ("closes in its headers, within Content-Length", _NONE, until(35)),
    ("closes after its headers", _NONE, _headers("close")),
    ("closes in the middle of the body", _BOTH, half()),
    ("sends one byte less than Content-Length", _BOTH, until(-1)),
    ("cuts a chunk", _BOTH, lambda body: Script(chunked(body[:902], body[902:]).data[: len(body) // 2])),
    ("sends all chunks but the empty last", _BOTH, lambda body: Script(chunked(body).data.removesuffix(b"0\r\n\r\n"))),
    ("resets instead of an answer", _NONE, _always(Script(b"", "reset"))),
    ("resets after its headers", _NONE, _headers("reset")),
    ("resets in the middle of the body", _BOTH, half("reset")),
]

_NO_SCORES: Final[list[tuple[str, tuple[str, ...], _Play]]] = [
    ("HTML", _NONE, _always(ok(_PAGE, "Content-Type: text/html\r\n"))),
    ("HTML that calls itself text", _BOTH, _changed(lambda body: _PAGE * (len(body) // len(_PAGE)))),
    ("JSON where text was asked for", _BOTH, _changed(lambda body: b'{"data":"%s"}' % body.replace(b"\r\n", b"\\n"))),
    ("an error sentence", _NONE, _always(ok(f"startdate is required {PLANTED}".encode(), _TEXT))),
    ("a record too short in the middle", _BOTH, _in_the_middle(b"." * 899 + b"\r\n")),
    ("a record too long in the middle", _BOTH, _in_the_middle(b"." * 901 + b"\r\n")),
    ("a page of HTML in the middle", _BOTH, _in_the_middle(_PAGE)),
    ("a byte order mark", _BOTH, _changed(lambda body: b"\xef\xbb\xbf" + body)),
    ("UTF-16", _BOTH, _changed(lambda body: body.decode().encode("utf-16"))),
    ("gzip, though identity was asked for", _BOTH, _changed(_squeezed, "Content-Encoding: gzip\r\n")),
    ("records that are said to be gzip", _BOTH, _changed(lambda body: body, "Content-Encoding: gzip\r\n")),
    ("gzip that does not say so", _BOTH, _changed(_squeezed)),
    (
        "gzip as its transfer coding",
        _BOTH,
        lambda body: Script(chunked(_squeezed(body)).data.replace(b": chunked", b": gzip, chunked")),
    ),
    ("a gzip bomb of 256 MB", _NONE, _changed(_bomb, "Content-Encoding: gzip\r\n")),
    ("a gzip bomb of 256 MB that does not say so", _NONE, _changed(_bomb)),
    ("neither Content-Length nor chunks", _BOTH, lambda body: Script(b"HTTP/1.1 200 OK\r\n\r\n" + body)),
]

_TOO_LARGE: Final[list[tuple[str, tuple[str, ...], _Play]]] = [("announced", _MORE, ok), ("in chunks", _MORE, chunked)]

_STATUSES: Final = [
    ("204 No Content", "upstream-status", 1),
    ("206 Partial Content", "upstream-status", 1),
    ("401 Unauthorized", "upstream-authcode", 1),
    ("403 Forbidden", "upstream-forbidden", 1),
    ("404 Not Found", "upstream-address", 1),
    ("408 Request Timeout", "upstream-busy", ATTEMPTS),
    ("418 I'm a teapot", "upstream-status", 1),
    ("429 Too Many Requests", "upstream-busy", ATTEMPTS),
    ("500 Internal Server Error", "upstream-failed", ATTEMPTS),
    ("502 Bad Gateway", "upstream-failed", ATTEMPTS),
    ("503 Service Unavailable", "upstream-failed", ATTEMPTS),
    ("504 Gateway Timeout", "upstream-failed", ATTEMPTS),
]

_SENTENCES: Final = [
    ("startdate is required", "upstream-query"),
    ("enddate is required", "upstream-query"),
    ("type/program is required", "upstream-query"),
    ("reportby is required", "upstream-query"),
    ("Invalid credentials format", "upstream-authcode"),
    ("any other sentence", "upstream-query"),
]
_FORMS: Final = [("as text", "{0} {1}"), ("as JSON", '{{"message":"{0}","name":"{1}"}}')]


# Failures that another attempt may cure; those with a body, in both sizes.
_PASSING: Final[list[tuple[str, tuple[str, ...], _Play]]] = [
    ("closes without an answer", _SMALL, _always(Script(b""))),
    ("resets instead of an answer", _SMALL, _always(Script(b"", "reset"))),
    ("closes in the middle of the body", _BOTH, half()),
    ("resets in the middle of the body", _BOTH, half("reset")),
    ("sends one byte less than Content-Length", _BOTH, until(-1)),
    ("falls silent in the middle of the body", _BOTH, half("hold")),
    *[(f"answers {line}", _SMALL, _always(status(line))) for line, _, requests in _STATUSES if requests == ATTEMPTS],
]
# One fault of each kind.
_IN_ALL_FORMS: Final = frozenset(
    {
        "falls silent in the middle of the body",
        "sends one byte less than Content-Length",
        "answers 200 with a page of HTML in the middle",
        "answers more than `upstream.max_bytes`, announced",
        "answers 401 Unauthorized",
        "answers 503 with records",
    }
)


def cases() -> Iterator[Case]:
    """Return all cases."""
    yield from (failing := list(_failing()))
    for fault, sizes, play in _PASSING:
        for times, often in ((1, "once"), (2, "twice")):
            for size in sizes:
                yield Case(f"{fault} {often}, then answers as it should", "", times + 1, size, play, times)
    for form in ("SOAP 1.2", "in band"):
        yield from (replace(case, form=form) for case in failing if case.fault in _IN_ALL_FORMS)


def _failing() -> Iterator[Case]:
    for slug, requests, prefix, rows in [
        ("upstream-timeout", ATTEMPTS, "", _SILENT),
        ("upstream-cut", ATTEMPTS, "", _CUT),
        ("upstream-not-scores", 1, "answers 200 with ", _NO_SCORES),
        ("upstream-too-large", 1, "answers more than `upstream.max_bytes`, ", _TOO_LARGE),
    ]:
        for fault, sizes, play in rows:
            yield from (Case(prefix + fault, slug, requests, size, play) for size in sizes)
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    late = lambda body: replace(ok(body), data=hints, steps=[0.5, ok(body).data])  # noqa: E731
    yield Case("answers 103 Early Hints, and what was asked for after them", "upstream-status", 1, "", late)
    for line, slug, requests in _STATUSES:
        yield Case(f"answers {line}", slug, requests, "", _always(status(line)))
    for size in _BOTH:
        yield Case(
            "answers 503 with records",
            "upstream-failed",
            ATTEMPTS,
            size,
            lambda body: status("503 Service Unavailable", body),
        )
    for sentence, slug in _SENTENCES:
        for form, template in _FORMS:
            body = template.format(sentence, PLANTED).encode()
            yield Case(f"answers 400 with “{sentence}” {form}", slug, 1, "", _always(status("400 Bad Request", body)))
