import pytest
from lxml import etree

from shim.wire import elements
from tests.web import calls


def test_text_is_of_all_descendants_in_document_order() -> None:
    element = etree.fromstring("<a>1<b>2<c>3</c>4</b>5</a>")
    assert elements.text_of(element) == "12345"


@pytest.mark.parametrize(
    ("attribute", "nil"),
    [
        ('xsi:nil="true"', True),
        ('xsi:nil="1"', True),
        ('xsi:nil=" true "', True),
        ('xsi:nil="false"', False),
        ('xsi:nil="0"', False),
        ('nil="true"', False),
        ("", False),
    ],
)
def test_nil(attribute: str, nil: bool) -> None:
    element = etree.fromstring(f'<a xmlns:xsi="{calls.XSI}" {attribute}/>')
    assert elements.is_nil(element) is nil
