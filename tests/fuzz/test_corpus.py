"""Every input of the corpus, through the same harnesses, without a fuzzer."""

import gc
import importlib
import itertools
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from shim.contracts.dates import Bound, DateReader
from shim.wire.dialect import Dialect
from tests.fuzz import harnesses, limits
from tests.fuzz.harnesses import Harness
from tests.fuzz.inputs import MOST, Choices, expanded

LARGEST = 4096
MOST_FILES = 80
FILES = {name: sorted((harnesses.CORPUS / name).iterdir()) for name in harnesses.NAMES}


@pytest.fixture(autouse=True)
def _no_garbage_is_collected() -> Iterator[None]:
    # What other tests left behind cannot be finalised while an input takes the whole stack.
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    ("name", "data"),
    [pytest.param(name, path.read_bytes(), id=f"{name}/{path.name}") for name in FILES for path in FILES[name]],
)
def test_nothing_is_found(name: str, data: bytes) -> None:
    harness = harnesses.load(name)
    with limits.limited_memory(), limits.limited_time():
        harness.run(data)


@pytest.mark.parametrize("name", harnesses.NAMES)
def test_the_corpus_is_small(name: str) -> None:
    assert 10 < len(FILES[name]) <= MOST_FILES
    assert max(path.stat().st_size for path in FILES[name]) < LARGEST


def test_every_corpus_has_a_harness() -> None:
    assert {path.name for path in harnesses.CORPUS.iterdir()} == set(harnesses.NAMES)


class Lenient:
    """A verifier that finds nothing wrong."""

    blank = False

    def __init__(self, wanted: object) -> None:
        self._records = 0

    def feed(self, chunk: bytes) -> None:
        self._records += chunk.count(b"\n")

    def finish(self) -> int:
        return self._records


def late(reader: type[DateReader]) -> type[DateReader]:
    """Make a reader that is a second late."""

    class Late(reader):  # type: ignore[misc, valid-type]
        def to_utc(self, text: str, bound: Bound) -> datetime:
            return super().to_utc(text, bound) + timedelta(seconds=1)  # type: ignore[no-any-return]

    return Late


# The code under test is broken in one place at a time: what stood there comes in, what shall stand there goes out.
BREAKAGES: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "body": (
        "tests.fuzz.harnesses.body",
        "RequestBody",
        lambda body: type("Broken", (body,), {"read": lambda self, limits: body.read(self, limits)[:-1]}),
    ),
    "body-guess": ("shim.web.request", "_beginning", lambda beginning: zlib.decompress),
    "credentials": ("shim.wire.credentials", "_from_authorization", lambda read: lambda authorization: ()),
    "credentials-note": ("shim.wire.credentials", "_password_text", lambda plain: lambda user, password: int(user)),
    "dates": ("tests.fuzz.harnesses.dates", "DateReader", late),
    "dates-days": (
        "shim.contracts.dates",
        "bound_of_day",
        lambda bound: lambda day, _, zone: bound(day, "start", zone),
    ),
    "dates-exception": ("tests.fuzz.harnesses.dates", "DateReader", lambda reader: lambda *given, **named: b"" + 1),  # type: ignore[operator]
    "dates-pattern": ("shim.contracts.date_pattern", "month_number", lambda number: lambda text: 1),
    "description": ("shim.contracts.description", "_value_type", lambda kind: lambda element: ""),
    "description-exception": ("shim.contracts.description", "DescriptionError", lambda error: KeyError),
    "envelope-fault": (
        "shim.wire.answer",
        "fault",
        lambda fault: lambda dialect, cause, text: fault(dialect, cause, f"{text}."),
    ),
    "envelope-escape": ("shim.wire.answer", "escape", lambda escape: str.strip),
    "envelope-exception": ("shim.contracts.dates", "bound_of_day", lambda day: None),
    "envelope-length": ("shim.wire.result", "b64encode", lambda encode: lambda data: encode(data) + b"\n"),
    "envelope-version": ("shim.wire.envelope", "guess_dialect", lambda guess: lambda body, content_type: Dialect()),
    "mapping": (
        "shim.contracts.mapping",
        "load",
        lambda load: lambda path: dict(itertools.islice(load(path).items(), 1, None)),
    ),
    "mapping-exception": ("shim.contracts.mapping", "reasons", lambda reasons: None),
    "result-escape": ("shim.wire.result", "_ESCAPES", lambda escapes: escapes | {ord("\r"): "\r"}),
    "result-base64": ("shim.wire.result", "_CHUNK", lambda chunk: 1000),
    "scores-fit": (
        "tests.fuzz.harnesses.scores",
        "fit",
        lambda fit: lambda file, width, quota: (fit(file, width, quota)[0], 0),
    ),
    "scores-verify": ("tests.upstream.test_verify", "verifier_for", lambda verifier: Lenient),
    "scores-chunks": ("shim.upstream.verify", "_UTF8_CONTINUATION", lambda continuation: b"."),
}


def finds(harness: Harness, data: bytes) -> bool:
    try:
        harness.run(data)
    except Exception:  # noqa: BLE001 - whatever it is, a finding it is
        return True
    return False


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_harness_finds_what_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, attribute, broken = BREAKAGES[name]
    harness = harnesses.load(name.partition("-")[0])
    sound = getattr(importlib.import_module(module), attribute)
    monkeypatch.setattr(f"{module}.{attribute}", broken(sound))
    assert any(finds(harness, path.read_bytes()) for path in FILES[harness.name])


def hang() -> None:
    while True:
        pass


def test_a_hang_is_a_finding() -> None:
    with pytest.raises(limits.TooSlow), limits.limited_memory(), limits.limited_time(0.1):
        hang()


def test_memory_out_of_proportion_is_a_finding() -> None:
    with pytest.raises(MemoryError), limits.limited_memory(16):
        bytearray(64 * 1024 * 1024)
    assert bytearray(64 * 1024 * 1024)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"abc", b"abc"),
        (b"ab\x1a\x01\x03c", b"a" + b"b" * 8 + b"c"),
        (b"ab\x1a\x02\x02", b"abababab"),
        (b"ab\x1a\x00\x02c", b"abc"),
        (b"a\x1a\x01\x10" * 3, b"a" * MOST),
        (b"ab\x1a", b"ab\x1a"),
    ],
)
def test_repetitions(written: bytes, read: bytes) -> None:
    assert expanded(written) == read


def test_choices() -> None:
    choices = Choices(b"\x05\x01\x02line\nrest")
    assert (choices.pick("abc"), choices.number(1000), choices.line(), choices.rest()) == ("c", 258, b"line", b"rest")
    assert (choices.left, choices.number(70_000), choices.line(), choices.rest()) == (False, 0, b"", b"")
