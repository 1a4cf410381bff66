"""A pattern of dates as text, such as ``D/M/YYYY``, by which an operator says what a client writes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise, permutations
from typing import Final

from shim.contracts.date_parts import MONTHS, full_year, hour_of_day, month_number

# By token: its part of a date, the regular expression that reads it, the format that writes it, the parts it needs.
_TOKENS: Final = {
    "YYYY": ("year", r"\d{4}", "{0.year:04}", ()),
    "YY": ("year", r"\d\d", "{0:%y}", ()),
    "MONTH": ("month", "|".join(MONTHS), "{month}", ()),
    "MON": ("month", "|".join(name[:3] for name in MONTHS), "{month:.3}", ()),
    "MM": ("month", r"\d\d", "{0.month:02}", ()),
    "M": ("month", r"\d{1,2}", "{0.month}", ()),
    "DD": ("day", r"\d\d", "{0.day:02}", ()),
    "D": ("day", r"\d{1,2}", "{0.day}", ()),
    "HH": ("hour", r"\d\d", "{0.hour:02}", ("minute",)),
    "H": ("hour", r"\d{1,2}", "{0.hour}", ("minute",)),
    "hh": ("hour", r"\d\d", "{hour:02}", ("AM/PM",)),
    "h": ("hour", r"\d{1,2}", "{hour}", ("AM/PM",)),
    "mm": ("minute", r"\d\d", "{0.minute:02}", ("hour",)),
    "ss": ("second", r"\d\d", "{0.second:02}", ("minute",)),
    "f": ("fraction", r"\d+", "0", ("second",)),
    "AM/PM": ("AM/PM", "AM|PM", "{half}", ("hour",)),
}
_SPLIT: Final = re.compile("|".join(sorted(_TOKENS, key=len, reverse=True)) + "|[-/.,:;_ T]")
_DATE: Final = ("year", "month", "day")
_OF_ANY_WIDTH: Final = frozenset({"M", "D", "H", "h", "f"})
_WORDS: Final = frozenset({"MONTH", "MON", "AM/PM"})

# "MM/DD/YYYY" takes one digit too: it is older than other patterns.
_LENIENT: Final = {"MM/DD/YYYY": "M/D/YYYY"}

# Numbers that every token takes, so that two patterns of one shape read the same texts.
_SAMPLES: Final = tuple(
    datetime(2000 + year, month, day, *clock)  # noqa: DTZ001 - as written
    for year, month, day in permutations((10, 11, 12))
    for clock in ((0, 0, 0), (10, 11, 12), (22, 12, 11))
)


class DatePattern:
    """A pattern of dates as text.

    Letters stand for the parts of a date: ``YYYY``, ``YY`` the year, ``MONTH``, ``MON`` the English name of the month
    and its three letters in any case, ``MM``, ``M`` its number, ``DD``, ``D`` the day, ``HH``, ``H`` the hour of 24,
    ``hh``, ``h`` the hour of 12, with ``AM/PM``, ``mm`` the minute, ``ss`` the second, ``f`` a fraction of any number
    of digits. One letter takes one or two digits, two letters take two. ``T``, blanks and marks take themselves.

    Attributes:
        has_short_year: Whether its year has two digits.
    """

    def __init__(self, text: str, pivot: int | None = None) -> None:
        """Compile a pattern.

        Args:
            text: The pattern.
            pivot: The last year that ``YY`` can mean.

        Raises:
            ValueError: It is not a pattern of whole dates, or one that reads a text in two ways.
        """
        text = " ".join(text.split())
        tokens = _tokens(text)
        _check_parts(text, tokens)
        _check_widths(text, tokens)
        self.has_short_year = "YY" in tokens
        if self.has_short_year and pivot is None:
            raise ValueError(f'"{text}" needs pivot, the last year that its YY can mean, such as 2049')
        self._pivot = pivot or 0
        read = _tokens(_LENIENT.get(text, text))
        self._read = re.compile("".join(map(_regex_of, read)), re.ASCII | re.IGNORECASE)
        self._has_clock = "hour" in self._read.groupindex
        self._written = "".join(_TOKENS[token][2] if token in _TOKENS else token for token in tokens)

    def read(self, text: str) -> datetime | None:
        """Read a date.

        Args:
            text: The text, whose white space is single blanks.

        Returns:
            Whole seconds as they are written, midnight for a day alone; None for text that is not of the pattern or not
            in the calendar.
        """
        match = self._read.fullmatch(text)
        if match is None:
            return None
        year, month, day = match.group(*_DATE)
        try:
            clock = _clock(match.groupdict()) if self._has_clock else ()
            return datetime(full_year(year, self._pivot), month_number(month), int(day), *clock)  # noqa: DTZ001 - as written
        except ValueError:
            return None

    def write(self, moment: datetime) -> str:
        """Write a moment; parts that the pattern does not have are left out."""
        return self._written.format(
            moment,
            month=MONTHS[moment.month - 1],
            hour=moment.hour % 12 or 12,
            half="PM" if moment.hour >= 12 else "AM",  # noqa: PLR2004 - noon
        )

    def samples(self) -> Iterator[str]:
        """Return texts of the pattern that a pattern of the same shape reads too."""
        ends = [_SAMPLES[0].replace(year=year) for year in (self._pivot, self._pivot - 99) if self.has_short_year]
        return map(self.write, (*_SAMPLES, *ends))


def _clock(found: Mapping[str, str]) -> tuple[int, int, int]:
    hour = hour_of_day(int(found["hour"]), found.get("half", ""))
    return hour, int(found.get("minute", 0)), int(found.get("second", 0))


def _tokens(text: str) -> list[str]:
    """Split a pattern into tokens, marks and blanks.

    Raises:
        ValueError: A part is none of them.
    """
    tokens, end = [], 0
    while end < len(text):
        match = _SPLIT.match(text, end)
        if match is None:
            known = ", ".join(_TOKENS)
            raise ValueError(f'"{text}" has a part that stands for nothing: write {known}, or ISO 8601, or .NET en-US')
        tokens.append(match[0])
        end = match.end()
    return tokens


def _check_parts(text: str, tokens: Sequence[str]) -> None:
    known = [_TOKENS[token] for token in tokens if token in _TOKENS]
    parts = [part for part, *_ in known]
    for part in parts:
        if parts.count(part) > 1:
            raise ValueError(f'"{text}" has the {part} twice')
    for part in (*_DATE, *(needed for *_, needs in known for needed in needs)):
        if part not in parts:
            raise ValueError(f'"{text}" has no {part}')


def _check_widths(text: str, tokens: Sequence[str]) -> None:
    for one, other in pairwise(tokens):
        numbers = {one, other} & _TOKENS.keys() - _WORDS
        if len(numbers) > 1 and numbers & _OF_ANY_WIDTH:
            raise ValueError(f'"{text}" does not say where {one} ends and {other} begins: put a mark between them')


def _regex_of(token: str) -> str:
    if token not in _TOKENS:
        return re.escape(token)
    part, regex, *_ = _TOKENS[token]
    return f"(?P<{'half' if part == 'AM/PM' else part}>{regex})"
