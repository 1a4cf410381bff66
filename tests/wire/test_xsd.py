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
