"""The legacy score file against the new one: records by registration number, fields by the ScoreLink layout.

The result has names, positions, counts and digests, and no values. The digests are
keyed; the key is made for each comparison and kept nowhere. Within one result equal
digests mean equal text without the spaces around it, and no digest shows its text.

The legacy service is asked before and after the new one. A field that differs between
its own two answers is noise, in all records and on all days; so is a record that only
one of the two answers has.
"""

import hmac
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final, Literal

from shim.upstream import scorelink
from shim.upstream.scorelink import FIELDS, IBT26, Field
from shim.upstream.verify import LONGEST_RECORD, SHORTEST_RECORD

WIDTH: Final = Field("record_width", 0, 0)
"""Stands for the width of a record among the fields."""

_EXAMPLES: Final = 3
_MOST_PAIRS: Final = 10_000
_FOREIGN: Final = b"<{["
_LINE_ENDS: Final = {b"\r\n": "CR LF", b"\n": "LF", b"": "none"}
_NUMBER: Final = scorelink.BY_NAME["registration_number"]


class NotScoresError(Exception):
    """The bytes are no score file."""


@dataclass(frozen=True, slots=True)
class Records:
    """A score file.

    Attributes:
        by_number: The records by registration number, without their line ends.
        line_ends: The kinds of line end.
    """

    by_number: Mapping[bytes, Sequence[bytes]]
    line_ends: frozenset[str]

    @classmethod
    def read(cls, lines: Iterable[bytes]) -> "Records":
        """Read the lines of a file. Records of the legacy service may differ in width.

        Raises:
            NotScoresError: A line is no record.
        """
        found, ends = defaultdict(list), set()
        for line in lines:
            record = line.rstrip(b"\r\n")
            if not record.strip():
                continue
            if not SHORTEST_RECORD <= len(record) <= LONGEST_RECORD or record.lstrip()[0] in _FOREIGN:
                raise NotScoresError
            found[_text(record, _NUMBER).strip()].append(record)
            ends.add(_LINE_ENDS.get(line[len(record) :], "other"))
        return cls(found, frozenset(ends))

    @property
    def count(self) -> int:
        """The number of records."""
        return sum(map(len, self.by_number.values()))

    @property
    def repeated(self) -> int:
        """The number of registration numbers that occur more than once."""
        return sum(len(records) > 1 for records in self.by_number.values())


@dataclass(slots=True)
class FieldDifference:
    """The differences of one field.

    Attributes:
        records: The number of records in which the two services differ.
        noise: The number of records in which the two answers of the legacy service differ.
        examples: Up to three pairs of digests, old and new, each with its count.
    """

    records: int = 0
    noise: int = 0
    examples: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class Comparison:
    """The differences found so far.

    Attributes:
        legacy: Records of the legacy service.
        rest: Records of the new one.
        only_legacy: Records that only the legacy service has.
        only_rest: Records that only the new one has.
        unsteady: Records that only one of two answers of the legacy service has.
        repeated_legacy: Registration numbers that the legacy service has more than once in a day.
        repeated_rest: The same for the new one.
        line_ends_legacy: Kinds of line end of the legacy service.
        line_ends_rest: The same for the new one.
        fields: The differences of each field, in the order of the layout.
    """

    legacy: int = 0
    rest: int = 0
    only_legacy: int = 0
    only_rest: int = 0
    unsteady: int = 0
    repeated_legacy: int = 0
    repeated_rest: int = 0
    line_ends_legacy: frozenset[str] = frozenset()
    line_ends_rest: frozenset[str] = frozenset()
    _findings: dict[Field, FieldDifference] = field(default_factory=lambda: defaultdict(FieldDifference))
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def add(self, before: Records, rest: Records, after: Records) -> None:
        """Compare the new answer with the two legacy answers, given before it and after it."""
        self.legacy += before.count
        self.rest += rest.count
        self.repeated_legacy += before.repeated
        self.repeated_rest += rest.repeated
        self.line_ends_legacy |= before.line_ends
        self.line_ends_rest |= rest.line_ends
        for number in {*before.by_number, *rest.by_number, *after.by_number}:
            first, new, second = (one.by_number.get(number, ()) for one in (before, rest, after))
            noisy, gone, come = _pairs(first, second)
            for old, again in noisy:
                for part in _differing(old, again):
                    self._findings[part].noise += 1
            pairs, missing, extra = _pairs(first, new)
            for old, one in pairs:
                for part in _differing(old, one):
                    self._found(part, old, one)
            self.unsteady += gone + come
            if not gone + come:
                self.only_legacy += missing
                self.only_rest += extra

    @property
    def fields(self) -> Mapping[Field, FieldDifference]:
        """The differences of each field, in the order of the layout."""
        return dict(sorted(self._findings.items(), key=lambda item: item[0].start))

    @property
    def different(self) -> Mapping[str, int]:
        """The differences without noise: by name, the number of records."""
        fields = {part.name: found.records for part, found in self.fields.items() if found.records and not found.noise}
        whole = {"only_legacy": self.only_legacy, "only_rest": self.only_rest}
        if self.line_ends_legacy and self.line_ends_rest and self.line_ends_legacy != self.line_ends_rest:
            whole["line_ends"] = self.rest
        return {name: records for name, records in (whole | fields).items() if records}

    @property
    def outcome(self) -> Literal["same", "different"]:
        """Whether anything differs."""
        return "different" if self.different else "same"

    def as_json(self) -> dict[str, object]:
        """Return the result for programs."""
        fields = [
            {
                "name": part.name,
                "bytes": [part.start, part.end] if part is not WIDTH else None,
                "records": found.records,
                "noise": found.noise,
                "digests": [{"old": old, "new": new, "records": times} for (old, new), times in found.examples.items()],
            }
            for part, found in self.fields.items()
        ]
        counts = ("legacy", "rest", "only_legacy", "only_rest", "unsteady", "repeated_legacy", "repeated_rest")
        return {
            "outcome": self.outcome,
            "different": self.different,
            **{name: getattr(self, name) for name in counts},
            "line_ends_legacy": sorted(self.line_ends_legacy),
            "line_ends_rest": sorted(self.line_ends_rest),
            "fields": fields,
        }

    def _found(self, part: Field, old: bytes, new: bytes) -> None:
        finding = self._findings[part]
        finding.records += 1
        pair = (self._digest(part, old), self._digest(part, new))
        if pair in finding.examples or len(finding.examples) < _EXAMPLES:
            finding.examples[pair] += 1

    def _digest(self, part: Field, record: bytes) -> str:
        if part is WIDTH:
            return str(len(record))
        text = _text(record, part).strip()
        return hmac.digest(self._key, text, "sha256").hex()[:12] if text else "blank"


def _layout() -> Iterator[Field]:
    """Return the known fields, and the fillers between and after them."""
    position = 1
    for part in (*FIELDS, IBT26):
        if position < part.start:
            yield Field(f"filler_{position}", position, part.start - 1)
        yield part
        position = part.end + 1
    yield Field(f"filler_{position}", position, LONGEST_RECORD)


_LAYOUT: Final = tuple(_layout())


def _text(record: bytes, part: Field) -> bytes:
    return record[part.start - 1 : part.end]


def _differing(one: bytes, other: bytes) -> list[Field]:
    """Return the fields that differ; a shorter record is padded with spaces."""
    if one == other:
        return []
    width = max(len(one), len(other))
    first, second = one.ljust(width), other.ljust(width)
    differing = [part for part in _LAYOUT if _text(first, part) != _text(second, part)]
    return differing if len(one) == len(other) else [WIDTH, *differing]


def _pairs(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[list[tuple[bytes, bytes]], int, int]:
    """Pair the records of one registration number, the most similar first; return the pairs, and how many are left."""
    left, right = list((Counter(old) - Counter(new)).elements()), list((Counter(new) - Counter(old)).elements())
    # So many records share a number only where numbers are missing throughout; then the order in the files decides.
    every = product if len(left) * len(right) <= _MOST_PAIRS else zip
    likely = every(range(len(left)), range(len(right)))
    taken: dict[int, int] = {}
    for one, other in sorted(likely, key=lambda pair: len(_differing(left[pair[0]], right[pair[1]]))):
        if one not in taken and other not in taken.values():
            taken[one] = other
    return [(left[one], right[other]) for one, other in taken.items()], len(left) - len(taken), len(right) - len(taken)
