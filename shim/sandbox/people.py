"""Synthetic people with synthetic scores. A number always gives the same person."""

from datetime import date, datetime, timedelta
from typing import Final

_LAST: Final = ("Okafor", "Lindqvist", "Tanaka", "Moreau", "Silva", "Novak", "Haddad", "Kim", "Rossi", "Mbeki", "Singh")
_FIRST: Final = (
    "Amina",
    "Bjorn",
    "Chie",
    "Denis",
    "Elena",
    "Farid",
    "Grace",
    "Hugo",
    "Ines",
    "Jun",
    "Kofi",
    "Lea",
    "Mio",
)
_LAST_BEYOND_ASCII: Final = ("Ångström", "Müller", "Gómez", "Çelik", "Núñez", "Sørensen", "Île", "Weiß")
_CITIES: Final = (("Lagos", "NGA", "Nigeria"), ("Uppsala", "SWE", "Sweden"), ("Osaka", "JPN", "Japan"))
_FIRST_BIRTHDAY: Final = date(1995, 1, 1)
_SECTIONS: Final = ("ibt_listening", "ibt_reading", "ibt_speaking", "ibt_writing")
_HIGHEST_SECTION: Final = 30
# The CEFR level of a score on the iBT26 scale; A1 for lower ones.
_CEFR: Final = {6.0: "C2", 5.5: "C1", 5.0: "C1", 4.5: "B2", 4.0: "B2", 3.5: "B1", 3.0: "B1", 2.5: "A2", 2.0: "A2"}


def person(number: int, reported: datetime, *, of_2026: bool, beyond_ascii: bool) -> dict[str, str]:
    """Return the values of one record, by the names of the score link fields.

    Args:
        number: The number of the person, from 0.
        reported: When the score was reported, UTC.
        of_2026: Whether the scores are on the iBT26 scale of 2026 instead of the old one.
        beyond_ascii: Whether the name has letters beyond ASCII.
    """
    last_names = _LAST_BEYOND_ASCII if beyond_ascii else _LAST
    city, country_code, country = _CITIES[number % len(_CITIES)]
    first, last = _FIRST[number % len(_FIRST)], last_names[number * 7 % len(last_names)]
    values = {
        "institution_code": "1234",
        "department_code": "99",
        "registration_number": f"{4_000_000_000_000_000 + number:016}",
        "last_name": last,
        "first_name": first,
        "address_line_1": f"{number % 200 + 1} Example Street",
        "city": city,
        "country_code": country_code,
        "country_name": country,
        "postal_code": f"{10_000 + number % 90_000}",
        "date_of_birth": _date(_FIRST_BIRTHDAY + timedelta(days=number * 37 % 3650)),
        "gender": "FM"[number % 2],
        "test_date": _date(reported - timedelta(days=6)),
        "test_type": "I",
        "email": f"person{number}@example.org",
        "security_id_type": "PASSPORT",
        "security_id_number": f"X{number:08}",
        "report_date": _date(reported),
    }
    return values | (_scores_of_2026(number) if of_2026 else _old_scores(number))


def _date(moment: date) -> str:
    # The vendor documents eight digits, but not their order.
    return f"{moment.month:02}{moment.day:02}{moment.year:04}"


def _old_scores(number: int) -> dict[str, str]:
    sections = [number * step % (_HIGHEST_SECTION + 1) for step in (3, 5, 7, 11)]
    scores = {name: f"{score:02}" for name, score in zip(_SECTIONS, sections, strict=True)}
    return scores | {"ibt_total": f"{sum(sections):03}"}


def _scores_of_2026(number: int) -> dict[str, str]:
    # The vendor documents where the block is, but not how it is split.
    sections = [1 + number * step % 11 / 2 for step in (3, 5, 7, 9)]
    total = _nearest_half(sum(sections) / 4)
    scores = " ".join(f"{score:.1f}" for score in (*sections, total))
    return {"ibt26": f"{scores} {_CEFR.get(total, 'A1')}"}


def _nearest_half(mean: float) -> float:
    return int(mean * 2 + 0.5) / 2
