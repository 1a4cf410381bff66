"""Score files: the verdict is the same however the bytes arrive, and records are made just as wide as asked."""

import io
import itertools
import re
from typing import Final

from shim.contracts.mapping import RecordWidth
from shim.contracts.records import fit
from shim.errors import OperatorError
from shim.query import ScoreFile
from shim.spool import SpoolQuota
from shim.upstream.verify import LONGEST_RECORD, SHORTEST_RECORD
from tests.fuzz.inputs import Choices, expanded
from tests.upstream.test_verify import REFUSED, verdict

WORDS: Final = (b"\r\n", b"\n", b"\xef\xbb\xbf", b"<html>", b"{}", b"[]", b"\xc3\xa9", b"\x1a\x01\x0a", b"\x1a\x01\x0c")

_WIDTHS: Final = (SHORTEST_RECORD, 900, SHORTEST_RECORD - 1, 937, LONGEST_RECORD, LONGEST_RECORD + 1, 775, 1600, 1, 0)
_SEPARATORS: Final = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"")
_CHUNKS: Final = (1, 7, 64, 773, 774, 776, 901, 902, 939, 4096, 4097, 5000, 100_000)
_MOST_CHUNKS: Final = 200
_MOST: Final = 20_000
_BLANK: Final = b" \t\r\n"
_CONTINUATION: Final = re.compile(rb"[\x80-\xbf]+")

Verdict = tuple[int | None, bool] | str
"""How many records, and whether there is nothing; or refused."""


def run(data: bytes) -> None:
    """How the file is cut into chunks and fitted, then what it is made of."""
    choices = Choices(data)
    chunk, fitted = choices.pick(_CHUNKS), choices.pick(_WIDTHS) or 5
    cut, tight, as_is = choices.number(2) == 0, choices.number(8) == 7, choices.number(2) == 1
    file = expanded(choices.rest())[:_MOST] if as_is else _made(choices)[:_MOST]
    whole = verdict(file, wanted="text")
    chunk = max(chunk, len(file) // _MOST_CHUNKS)
    assert whole == _expected(file)
    assert verdict(*(file[at : at + chunk] for at in range(0, len(file), chunk)), wanted="text") == whole, "by chunks"
    cuts = [0, *sorted({byte * len(file) // 256 for byte in data[:8]}), len(file)]
    assert verdict(*(file[start:end] for start, end in itertools.pairwise(cuts)), wanted="text") == whole, "by chunks"
    _check_json(file, chunk)
    _check_fit(file, RecordWidth(width=fitted, wider="cut" if cut else "refuse"), 100 if tight else 10 * _MOST)


def _made(choices: Choices) -> bytes:
    """Records and what is nearly records, each of a byte for its kind and one for how often."""
    width, separator = choices.pick(_WIDTHS), choices.pick(_SEPARATORS)
    record = b"1234".ljust(width, b".")
    kinds = (
        record,
        b"",
        b" " * width,
        b"1234\xc3\xa9".ljust(width, b"."),
        b"1234\xc3\xa9".ljust(width + 1, b"."),
        record + b".",
        record[:-1],
        None,
        b" \t",
        b"1234\xe9".ljust(width, b"."),
        record[:-1] + b"\r",
        record + b"\n" + record,
    )
    made = bytearray(b"\xef\xbb\xbf" if choices.number(16) == 15 else b"")
    while choices.left and len(made) < _MOST:
        kind, times = choices.pick(kinds), 1 + choices.number(40)
        made += ((choices.line() if kind is None else kind) + separator) * times
    return bytes(made.removesuffix(separator) if choices.number(2) else made)


def _expected(file: bytes) -> Verdict:
    """The rule as the documents state it, on the whole file at once."""
    lines = [line.removesuffix(b"\r") for line in file.split(b"\n")]
    records = [line for line in lines if line.strip(_BLANK)]
    if any(len(line) > LONGEST_RECORD for line in lines) or any(len(record) < SHORTEST_RECORD for record in records):
        return REFUSED
    if not records:
        return 0, True
    if records[0].removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK)[:1] in (b"<", b"{", b"["):
        return REFUSED
    in_bytes = {len(record) for record in records}
    in_characters = {len(_CONTINUATION.sub(b"", record)) for record in records}
    return (len(records), False) if 1 in (len(in_bytes), len(in_characters)) else REFUSED


def _check_json(file: bytes, chunk: int) -> None:
    whole = verdict(file, wanted="json")
    assert verdict(*(file[at : at + chunk] for at in range(0, len(file), chunk)), wanted="json") == whole
    content = file.strip(_BLANK)
    ends = (content[:1], content[-1:])
    assert whole == ((None, not content) if not content or ends in ((b"{", b"}"), (b"[", b"]")) else REFUSED)


def _check_fit(file: bytes, width: RecordWidth, limit: int) -> None:
    quota = SpoolQuota(limit)
    original = ScoreFile(io.BytesIO(file), len(file), 3)
    records = [line.rstrip(b"\r") for line in file.split(b"\n")]
    wider = sum(len(record) > width.width for record in records)
    try:
        made, cuts = fit(original, width, quota)
    except OperatorError as error:
        # Which of the two it is depends on which comes first.
        assert (error.cause.slug == "record-width" and width.wider == "refuse" and wider) or (
            error.cause.slug == "spool" and len(file) + len(records) * width.width > limit
        )
        assert original.spool.closed
        assert quota.held == 0
        return
    assert not (wider and width.wider == "refuse")
    with made:
        found = made.spool.read()
    assert original.spool.closed
    assert quota.held == 0
    assert made.records == 3
    assert made.size == len(found)
    assert cuts == wider
    separators = [line[len(record) :] for line, record in zip(file.split(b"\n"), records, strict=True)]
    expected = [record[: width.width].ljust(width.width) if record else b"" for record in records]
    assert found == b"\n".join(record + end for record, end in zip(expected, separators, strict=True))
