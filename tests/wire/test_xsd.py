import pytest

from shim.wire import xsd


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", True),
        ("true", True),
        (" \t\r\n1 ", True),
        ("0", False),
        ("false", False),
        ("", False),
        ("TRUE", False),
        ("\u00a01", False),
    ],
)
def test_a_boolean(text: str, expected: bool) -> None:
    assert xsd.is_true(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-04-21T16:45:03", "2025-04-21T16:45:03"),
        ("2025-04-21T16:45:03.9999999", "2025-04-21T16:45:03"),
        ("2025-04-21T16:45:03Z", "2025-04-21T16:45:03+00:00"),
        ("2025-04-21T16:45:03z", "2025-04-21T16:45:03+00:00"),
        ("2025-04-21T16:45:03-04:00", "2025-04-21T16:45:03-04:00"),
        ("2025-04-21", "2025-04-21T00:00:00"),
        ("2025-04-21Z", "2025-04-21T00:00:00+00:00"),
        ("2025-04-21+14:00", "2025-04-21T00:00:00+14:00"),
        ("2025-04-21T24:00:00", None),
        ("2025-04-21T16:45", None),
        ("2025-02-29", None),
        ("2025-04-21+14:01", None),
        (" 2025-04-21", None),
    ],
)
def test_a_date_is_read_as_it_is_written(text: str, expected: str | None) -> None:
    found = xsd.read_written(text)
    assert (found and found.isoformat()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-04-21T16:45:03", "2025-04-21T16:45:03"),
        ("2025-04-21T16:45:03-04:00", "2025-04-21T20:45:03"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00"),
        ("9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59"),
        ("2025-04-21", None),
        ("2025-04-21T24:00:00", None),
    ],
)
def test_a_date_and_time_in_utc(text: str, expected: str | None) -> None:
    found = xsd.read_date_time(text)
    assert (found and found.isoformat()) == expected
