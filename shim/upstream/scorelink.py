"""The fixed-length ScoreLink record: its fields, reading and writing.

The layout is the vendor's of 2018, with 900 bytes; positions are 1-based and count
bytes. Records are wider today: bytes 832 to 937 hold the scores on the scale of
January 2026, whose layout is not public.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the record.

    Attributes:
        name: The name in the layout.
        start: The first byte, counted from 1.
        end: The last byte.
    """

    name: str
    start: int
    end: int

    @property
    def width(self) -> int:
        """Its width in bytes."""
        return self.end - self.start + 1


FIELDS: Final = tuple(
    Field(name, start, end)
    for name, start, end in (
        ("institution_code", 1, 4),
        ("department_code", 10, 11),
        ("registration_number", 27, 42),
        ("last_name", 43, 72),
        ("first_name", 73, 102),
        ("middle_name", 103, 132),
        ("address_line_1", 133, 187),
        ("address_line_2", 188, 242),
        ("address_line_3", 243, 297),
        ("address_line_4", 298, 352),
        ("city", 353, 382),
        ("state", 383, 388),
        ("country_code", 389, 391),
        ("country_name", 392, 431),
        ("postal_code", 432, 443),
        ("native_country_code", 444, 446),
        ("native_country_name", 447, 486),
        ("native_language_code", 487, 489),
        ("native_language_name", 490, 529),
        ("date_of_birth", 530, 537),
        ("gender", 538, 538),
        ("test_date", 539, 546),
        ("test_center_code", 547, 551),
        ("test_type", 556, 556),
        ("listening_indicator", 557, 557),
        ("speaking_indicator", 558, 558),
        ("ibt_listening", 559, 560),
        ("ibt_reading", 561, 562),
        ("ibt_speaking", 563, 564),
        ("ibt_writing", 565, 566),
        ("ibt_total", 567, 569),
        ("reason", 572, 572),
        ("degree", 573, 573),
        ("paper_section_1", 574, 575),
        ("paper_section_2", 576, 577),
        ("paper_section_3", 578, 579),
        ("paper_twe", 580, 581),
        ("paper_total", 582, 584),
        ("interpretive_year", 585, 588),
        ("times_taken", 589, 589),
        ("no_response", 590, 590),
        ("email", 591, 665),
        ("test_center_code_long", 666, 680),
        ("test_center_country", 681, 716),
        ("security_id_type", 717, 731),
        ("security_id_number", 732, 756),
        ("security_id_country", 757, 766),
        ("report_date", 767, 774),
    )
)
SHORTEST: Final = 774
"""Bytes: the end of the last field of the 2018 layout, before its filler."""
WIDTH_2018: Final = 900
IBT26: Final = Field("ibt26", 832, 937)
"""The block with the scores on the scale of 2026."""
BY_NAME: Final = {field.name: field for field in (*FIELDS, IBT26)}


def write(values: Mapping[str, str], width: int, encoding: str = "utf-8") -> bytes:
    """Write a record, padded with spaces, without a separator.

    Args:
        values: By the name of the field; a value that is too long is cut.
        width: Bytes of the record.
        encoding: The encoding of the text; fields are counted in its bytes.

    Raises:
        KeyError: There is no such field.
        ValueError: The width has no room for a field, or a value cannot be written in the encoding.
    """
    record = bytearray(b" " * width)
    for name, value in values.items():
        field = BY_NAME[name]
        text = value.encode(encoding)
        if len(text) > field.width:
            # A character that is cut in the middle is dropped.
            text = text[: field.width].decode(encoding, "ignore").encode(encoding)
        record[field.start - 1 : field.start - 1 + len(text)] = text
    # A field beyond the end has made the record longer.
    if len(record) != width:
        raise ValueError(f"a record of {width} bytes has no room for these fields")
    return bytes(record)


def read(record: bytes, encoding: str = "utf-8") -> dict[str, str]:
    """Return the values of a record by the name of the field, without padding.

    Bytes that are no text in the encoding become replacement characters.
    """
    return {
        name: record[field.start - 1 : field.end].decode(encoding, "replace").strip() for name, field in BY_NAME.items()
    }
