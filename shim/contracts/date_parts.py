"""The parts of a date as people write it in English: month names, two-digit years, hours before and after noon."""

from typing import Final

MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""The names of the months. Their abbreviations are the first three letters, as in .NET."""

_NUMBERS: Final = {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}


def month_number(text: str) -> int:
    """Return the number of a month from 1, given as a number, as an English name or as its abbreviation in any case."""
    return int(text) if text.isdigit() else _NUMBERS[text[:3].lower()]


def full_year(text: str, pivot: int) -> int:
    """Return a year given with one to four digits.

    Args:
        text: The digits. One or two of them are a year of the hundred years that end with ``pivot``.
        pivot: The last year that two digits can mean.
    """
    year = int(text)
    return year if len(text) > 2 else pivot - (pivot - year) % 100  # noqa: PLR2004 - two digits


def hour_of_day(hour: int, half: str) -> int:
    """Return an hour from 0 to 23, as .NET does: ``16:45 PM`` is 16:45.

    Args:
        hour: The hour as it is written.
        half: ``AM``, ``PM`` in any case, or empty for an hour of 24.

    Raises:
        ValueError: The hour is after noon, and the half is before noon.
    """
    if not half:
        return hour
    if half.upper() == "PM":
        return hour + 12 if hour < 12 else hour  # noqa: PLR2004 - noon
    if hour > 12:  # noqa: PLR2004 - noon
        raise ValueError("an hour after noon with AM")
    return hour % 12
