"""Every request recorded from a real client, replayed byte for byte."""

import base64
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from shim.sandbox import Sandbox
from tests.gateway import Gateway, running_gateway
from tests.planted import PASSWORD
from tests.soap_http import MEDIA_TYPES, SOAP_11, SOAP_12, send

_RECORDED = sorted(Path(__file__).parent.glob("wire/*/*.http"))
# The recorded clients' user name and password.
_AUTHCODE = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
# Recordings with odd values on purpose; all others get scores.
_FAULTS = {
    f"{client}/{number}": slug
    for slug, client, numbers in (
        ("bad-date", "php", "14 20"),
        ("start-after-end", "csharp-wcf", "07 08 09 10 11 12 13 14"),
        ("start-after-end", "csharp-wsdl", "07 08 09 10 12 13 14 15"),
        ("start-after-end", "zeep", "06 07 08 09 10 11 12 13 14"),
        ("missing-parameter", "csharp-wcf", "15"),
        ("missing-parameter", "csharp-wsdl", "11"),
        ("missing-parameter", "php", "09 15 21 24"),
        # Their digests were made long ago.
        ("not-authenticated", "zeep", "wsse-digest-02 wsse-digest-04 wsse-digest-06 wsse-digest-08"),
    )
    for number in numbers.split()
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Run a gateway with the two addresses of the recordings."""
    contracts = [
        {"path": "/TOEFLEdm.asmx", "wsdl_path": "/TOEFLEdm.wsdl"},
        {"path": "/ScoreLink.asmx", "wsdl_path": "/ScoreLink.wsdl"},
    ]
    with Sandbox() as sandbox:
        sandbox.authcodes = {_AUTHCODE}
        folder = tmp_path_factory.mktemp("wire")
        with running_gateway(sandbox.url, folder, {"contracts": contracts}, authcode=_AUTHCODE) as running:
            yield running


def test_all_recordings_are_here() -> None:
    assert len(_RECORDED) == 81


@pytest.mark.parametrize("path", _RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recorded_request_is_answered_in_its_own_way(path: Path, gateway: Gateway) -> None:
    request = path.read_bytes()
    answer = send(gateway.url, request)
    assert answer.version == _version(request)
    assert answer.headers["content-type"].startswith(MEDIA_TYPES[answer.version])
    assert etree.fromstring(answer.body).getroottree().docinfo.encoding == _encoding(request)
    assert int(answer.headers["content-length"]) == len(answer.body)
    expected = _FAULTS.get(f"{path.parent.name}/{path.stem.partition('-POST')[0]}", "")
    if answer.result is not None and expected:
        # This operation answers errors in band.
        assert answer.result.startswith(b"Logon failure")
        assert f"({expected};".encode() in answer.result
    elif expected:
        assert answer.slug == expected
        assert answer.status == 500
    else:
        assert answer.status == 200
        assert answer.result is not None
        assert len(answer.result) > 1000


def _version(request: bytes) -> str:
    head, _, body = request.partition(b"\r\n\r\n")
    if b"Content-Encoding: gzip" in head:
        body = gzip.decompress(body)
    return SOAP_12 if SOAP_12.encode() in body.replace(b"\0", b"") else SOAP_11


def _encoding(request: bytes) -> str:
    declared = re.search(rb"charset=(utf-16\w*)", request)
    return declared[1].decode() if declared else "utf-8"
