import json
import re
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, strategies

from shim.compare.comparison import Comparison, NotScoresError, Records
from shim.sandbox import Options
from shim.upstream import scorelink
from tests.planted import planted

_OPTIONS = Options(width=1100, scale="old")
_PEOPLE = [_OPTIONS.values(number) for number in range(12)]
# Beside the fields: bytes between them, and beyond the last.
_PLACES = {part.name: part.start for part in (*scorelink.FIELDS, scorelink.IBT26)} | {
    "filler_5": 7,
    "filler_775": 800,
    "filler_938": 1050,
}
_NAMES = sorted(_PLACES.keys() - {"registration_number"})


def _record(number: int, *, width: int = 1100) -> bytes:
    return scorelink.write(_PEOPLE[number], width)


def _changed(record: bytes, name: str, to: bytes = b"~") -> bytes:
    """Another first byte in a field; none is there in any record."""
    at = _PLACES[name] - 1
    return record[:at] + to + record[at + 1 :]


def _records(*records: bytes, end: bytes = b"\r\n") -> Records:
    return Records.read(record + end for record in records)


def _found(before: Records, rest: Records, after: Records | None = None) -> Comparison:
    found = Comparison()
    found.add(before, rest, after or before)
    return found


@dataclass
class _Plan:
    """What is planted, and so what must be found."""

    numbers: list[int] = field(default_factory=list)
    changes: dict[int, set[str]] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)
    extra: set[int] = field(default_factory=set)
    unsteady: set[int] = field(default_factory=set)
    twins: set[int] = field(default_factory=set)
    noise: dict[str, set[int]] = field(default_factory=dict)
    narrower: bool = False
    end: bytes = b"\r\n"

    def expected(self) -> dict[str, int]:
        both = [number for number in self.numbers if number not in self.missing | self.extra]
        counted = Counter(name for number in both for name in self.changes.get(number, ()) if name not in self.noise)
        counted |= {"only_legacy": len(self.missing), "only_rest": len(self.extra)}
        counted["record_width"] = len(both) if self.narrower else 0
        told = Counter({name: records for name, records in counted.items() if records})
        rest = len(self.numbers) - len(self.missing)
        if self.end != b"\r\n" and rest and len(self.numbers) > len(self.extra):
            told["line_ends"] = rest
        return dict(told)


@strategies.composite
def _plans(draw: strategies.DrawFn) -> _Plan:
    numbers = draw(strategies.lists(strategies.integers(0, 11), unique=True, max_size=12))
    some = strategies.sets(strategies.sampled_from(numbers)) if numbers else strategies.just(set())
    missing, extra, unsteady = draw(some), draw(some), draw(some)
    extra -= missing
    unsteady -= missing | extra
    names = strategies.sampled_from(_NAMES)
    return _Plan(
        numbers,
        {number: draw(strategies.sets(names, max_size=3)) for number in draw(some)},
        missing,
        extra,
        unsteady,
        draw(some),
        {name: draw(some) for name in draw(strategies.sets(names, max_size=2))},
        draw(strategies.booleans()),
        draw(strategies.sampled_from([b"\r\n", b"\n"])),
    )


@given(_plans(), strategies.randoms(use_true_random=False))
def test_every_planted_difference_is_found_and_no_other(plan: _Plan, random: object) -> None:
    plan.noise = {name: noisy for name, noisy in plan.noise.items() if noisy - plan.extra - plan.unsteady}
    before, rest, after = [], [], []
    for number in plan.numbers:
        # Twins have the registration number of person 0.
        person = _PEOPLE[number] | ({"registration_number": "7" * 16} if number in plan.twins else {})
        old = scorelink.write(person, 1100)
        new = old
        for name in plan.changes.get(number, ()):
            new = _changed(new, name)
        again = old
        for name, noisy in plan.noise.items():
            again = _changed(again, name, b"^") if number in noisy else again
        if number not in plan.extra:
            before.append(old)
        if number not in plan.missing:
            rest.append(new + b" " * 50 if plan.narrower else new)
        if number not in plan.extra | plan.unsteady:
            after.append(again)
    random.shuffle(rest)  # type: ignore[attr-defined]
    random.shuffle(after)  # type: ignore[attr-defined]
    # Which of several twins is missing, extra or unsteady cannot be told: such plans are others' to try.
    if len(plan.twins & set(plan.numbers)) > 1 and plan.twins & (plan.missing | plan.extra | plan.unsteady):
        return
    found = _found(_records(*before), _records(*rest, end=plan.end), _records(*after))
    assert found.different == plan.expected()
    assert found.outcome == ("different" if plan.expected() else "same")
    assert found.unsteady == len(plan.unsteady)
    assert {part.name: one.noise for part, one in found.fields.items() if one.noise} == {
        name: len(noisy - plan.extra - plan.unsteady) for name, noisy in plan.noise.items()
    }


def test_nothing_that_is_told_is_a_value() -> None:
    old = [_record(number) for number in range(12)]
    new = [bytes(reversed(record[:900])) for record in old]
    new = [record[:26] + one[26:42] + record[42:] for record, one in zip(new, old, strict=True)]
    found = _found(_records(*old), _records(*new))
    # A digest may have the digits of a short value by chance.
    told = re.sub(r"\b[0-9a-f]{12}\b", "", json.dumps(found.as_json()) + repr(found))
    assert len(found.different) > 30
    values = {value for person in _PEOPLE for value in person.values() if len(value) > 3} | set(planted().values())
    assert not [value for value in values if value in told or value[::-1] in told]


def test_digests_tell_the_same_text_within_one_outcome_alone() -> None:
    old, new = _record(1), _changed(_record(1), "last_name")
    once, again = (_found(_records(old), _records(new)).as_json()["fields"] for _ in range(2))
    assert once != again
    # A value that moved has the same digest in its new place.
    moved = scorelink.write(_PEOPLE[1] | {"address_line_1": "", "address_line_2": "12 Example"}, 1100)
    start = scorelink.write(_PEOPLE[1] | {"address_line_1": "12 Example"}, 1100)
    first, second = _found(_records(start), _records(moved)).fields.values()
    ((one, blank),), ((none, other),) = first.examples, second.examples
    assert (one, blank, none) == (other, "blank", "blank")


def test_of_many_pairs_three_are_shown() -> None:
    old = [_record(number) for number in range(12)]
    new = [_changed(record, "email", bytes([65 + number])) for number, record in enumerate(old)]
    ((_, found),) = _found(_records(*old), _records(*new)).fields.items()
    assert (found.records, len(found.examples)) == (12, 3)


def test_noise_of_one_day_is_noise_on_all_days() -> None:
    found = Comparison()
    old, new = _record(1), _changed(_record(1), "reason")
    found.add(_records(old), _records(new), _records(old))
    assert found.different == {"reason": 1}
    found.add(_records(old), _records(old), _records(_changed(old, "reason", b"^")))
    assert found.different == {}


def test_a_record_that_comes_meanwhile_is_no_difference() -> None:
    found = _found(_records(), _records(_record(1)), _records(_record(1)))
    assert (found.outcome, found.unsteady) == ("same", 1)


def test_records_of_one_number_are_paired_by_likeness() -> None:
    old = [scorelink.write(_PEOPLE[number] | {"registration_number": "7" * 16}, 1100) for number in range(4)]
    new = [_changed(record, "city") for record in reversed(old)]
    found = _found(_records(*old), _records(*new))
    assert found.different == {"city": 4}
    assert (found.repeated_legacy, found.repeated_rest) == (1, 1)


def test_where_no_record_has_a_number_the_order_of_the_files_does() -> None:
    nameless = [record[:26] + b" " * 16 + record[42:] for record in (_record(number % 12) for number in range(240))]
    old = [_changed(record, "filler_938", bytes([33 + number % 90])) for number, record in enumerate(nameless)]
    found = _found(_records(*old), _records(*(_changed(record, "degree") for record in old)))
    assert found.different == {"degree": 240}


def test_what_is_shorter_goes_on_in_spaces() -> None:
    found = _found(_records(_record(1, width=774)), _records(_record(1)))
    assert found.different == {"record_width": 1}


@pytest.mark.parametrize(
    "line",
    [b"Logon failure: no.\r\n", b"<html>" + b" " * 900, b"{" + b"x" * 900, b"x" * 4097, b"x" * 773],
)
def test_what_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(NotScoresError):
        Records.read([_record(1) + b"\r\n", line])


def test_blank_lines_are_no_records() -> None:
    assert Records.read([b"\r\n", b"  \n", b""]).count == 0
