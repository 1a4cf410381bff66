import codecs
from itertools import product

import pytest
from lxml import etree

from shim.wire.dialect import Dialect, Version
from shim.wire.encoding import BYTE_ORDER_MARKS


@pytest.mark.parametrize(
    ("version", "encoding", "expected"),
    [
        (Version.SOAP_11, "utf-8", "text/xml; charset=utf-8"),
        (Version.SOAP_12, "utf-8", "application/soap+xml; charset=utf-8"),
        (Version.SOAP_11, "utf-16le", "text/xml; charset=utf-16"),
        (Version.SOAP_12, "utf-16be", "application/soap+xml; charset=utf-16BE"),
    ],
)
def test_content_type(version: Version, encoding: str, expected: str) -> None:
    assert Dialect(version, encoding).content_type == expected


@pytest.mark.parametrize(("version", "encoding"), list(product(Version, BYTE_ORDER_MARKS)))
def test_the_charset_decodes_what_is_sent(version: Version, encoding: str) -> None:
    charset = Dialect(version, encoding).content_type.partition("charset=")[2]
    data = BYTE_ORDER_MARKS[encoding] + "\u00e9".encode(encoding)
    assert codecs.decode(data, charset).removeprefix("\ufeff") == "\u00e9"
    assert (
        etree.fromstring(
            BYTE_ORDER_MARKS[encoding] + f'<?xml version="1.0" encoding="{charset}"?><a/>'.encode(encoding)
        )
        is not None
    )


def test_the_default_is_soap_11_in_utf_8() -> None:
    assert Dialect() == Dialect(Version.SOAP_11, "utf-8", addressing=None, message_id="")


def test_versions_differ_in_namespace_media_type_and_role_attribute() -> None:
    old, new = Version.SOAP_11, Version.SOAP_12
    assert (old.namespace, old.media_type, old.actor) == (
        "http://schemas.xmlsoap.org/soap/envelope/",
        "text/xml",
        "actor",
    )
    assert (new.namespace, new.media_type, new.actor) == (
        "http://www.w3.org/2003/05/soap-envelope",
        "application/soap+xml",
        "role",
    )
