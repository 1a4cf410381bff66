import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from types import MappingProxyType
from urllib.parse import urlsplit

import pytest
import requests

from shim.sandbox import DEMO_AUTHCODE, AnsweredRequest, Faults, Options, Sandbox, sample, select
from shim.sandbox.keys import BROKEN_AUTHCODE, FAILED_AUTHCODE, FORBIDDEN_AUTHCODE, INACTIVE_AUTHCODE
from tests.guide import END, QUERY, REQUEST_LINE, START

_PAST = {"startdate": "2001-01-01T00:00:00", "enddate": "2001-01-02T00:00:00"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def _get(
    sandbox: Sandbox,
    more: str = "",
    *,
    authcode: str | None = DEMO_AUTHCODE,
    query: Mapping[str, str | None] = MappingProxyType({}),
) -> requests.Response:
    headers = {} if authcode is None else {"authcode": authcode}
    parameters = {name: value for name, value in {**QUERY, **query}.items() if value is not None}
    return requests.get(sandbox.url + more, parameters, headers=headers, allow_redirects=False, timeout=10)


@pytest.mark.parametrize("asked", [None, "TEXT"])
def test_scores_as_text(sandbox: Sandbox, asked: str | None) -> None:
    response = _get(sandbox, query={"format": asked})
    guide = select(Options(), START, END)
    assert response.headers["Content-Type"] == "text/plain"
    assert int(response.headers["Content-Length"]) == len(response.content) == guide.length > 0
    assert response.content == b"".join(guide.chunks())


def test_scores_as_json(sandbox: Sandbox) -> None:
    response = _get(sandbox, query={"format": "json"})
    assert response.headers["Content-Type"] == "application/json"
    assert [score["email"] for score in response.json()["data"]] == [
        Options().values(number)["email"] for number in select(Options(), START, END).numbers
    ]


def test_an_empty_range_is_a_success_with_nothing_in_it(sandbox: Sandbox) -> None:
    assert (_get(sandbox, query=_PAST).status_code, _get(sandbox, query=_PAST).content) == (200, b"")
    assert _get(sandbox, query={**_PAST, "format": "json"}).json() == {"data": []}


def test_the_sample_data_does_not_depend_on_the_range(sandbox: Sandbox) -> None:
    assert _get(sandbox, "/sample-data", query=_PAST).content == b"".join(sample(Options()).chunks())


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("startdate", "startdate is required"),
        ("enddate", "enddate is required"),
        ("type", "type/program is required"),
        ("reportby", "reportby is required"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_missing_parameter_is_named(sandbox: Sandbox, missing: str, sentence: str, as_json: bool) -> None:
    sandbox.faults = Faults(json_errors=as_json)
    response = _get(sandbox, query={missing: None})
    assert response.status_code == 400
    assert (response.json()["message"] if as_json else response.text) == sentence


@pytest.mark.parametrize(
    "dates",
    [
        {"startdate": "04/21/2025"},
        {"startdate": "2025-4-21T16:45:3"},
        {"enddate": "2025-02-30T00:00:00"},
        {"enddate": QUERY["startdate"]},
    ],
)
def test_dates_that_make_no_range_are_refused(sandbox: Sandbox, dates: dict[str, str]) -> None:
    assert _get(sandbox, query=dates).status_code == 400


@pytest.mark.parametrize(
    ("authcode", "status", "sentence"),
    [
        (None, 401, "authcode is missing"),
        ("c2FuZGJveDp3cm9uZw==", 401, "authcode is incorrect or expired"),
        (INACTIVE_AUTHCODE, 401, "account is inactive or system error"),
        (FAILED_AUTHCODE, 401, "authentication failed"),
        ("not base64", 400, "Invalid credentials format"),
        ("bm8gY29sb24=", 400, "Invalid credentials format"),
        (FORBIDDEN_AUTHCODE, 403, "forbidden"),
        (BROKEN_AUTHCODE, 500, "internal server error"),
    ],
)
def test_refused_authcodes(sandbox: Sandbox, authcode: str | None, status: int, sentence: str) -> None:
    response = _get(sandbox, authcode=authcode)
    assert (response.status_code, response.text) == (status, sentence)


def test_a_key_can_be_rotated_while_it_runs(sandbox: Sandbox) -> None:
    sandbox.authcodes = {"bmV3OmtleQ=="}
    assert _get(sandbox).status_code == 401
    assert _get(sandbox, authcode="bmV3OmtleQ==").status_code == 200


def test_other_addresses(sandbox: Sandbox) -> None:
    assert _get(sandbox, "/other").status_code == 404


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods(sandbox: Sandbox, method: str) -> None:
    response = requests.request(method, sandbox.url, data=b"x", timeout=10)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET")


def test_planned_faults(sandbox: Sandbox) -> None:
    sandbox.faults = Faults(status=503)
    assert _get(sandbox).status_code == 503
    sandbox.faults = Faults(html=True)
    assert (_get(sandbox).status_code, _get(sandbox).headers["Content-Type"]) == (200, "text/html")
    sandbox.faults = Faults(location="http://127.0.0.1:9/")
    assert _get(sandbox).headers["Location"] == "http://127.0.0.1:9/"
    sandbox.faults = Faults(delay=0.2)
    began = time.monotonic()
    assert _get(sandbox).status_code == 200
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("cut", [0, 1, 5000])
def test_a_cut_body(sandbox: Sandbox, cut: int, chunked: bool) -> None:
    sandbox.faults = Faults(cut=cut, chunked=chunked)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _get(sandbox)


def test_a_chunked_body_is_the_same(sandbox: Sandbox) -> None:
    sandbox.faults = Faults(chunked=True)
    response = _get(sandbox)
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.content == b"".join(select(Options(), START, END).chunks())


def test_it_remembers_what_was_asked_but_not_the_authcode(sandbox: Sandbox) -> None:
    _get(sandbox)
    assert list(sandbox.requests) == [
        AnsweredRequest(REQUEST_LINE.replace("16:45:03", "16%3A45%3A03").replace("16:52:13", "16%3A52%3A13"), 200)
    ]
    assert DEMO_AUTHCODE not in repr(sandbox.requests)


def test_connections_are_kept(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    for _ in range(2):
        connection.request("GET", "/scores")
        assert connection.getresponse().read() == b"authcode is missing"
        kept = connection.sock
    assert connection.sock is kept
    connection.close()


def test_a_stopped_server_answers_on_no_kept_connection() -> None:
    with Sandbox() as sandbox:
        connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
        connection.request("GET", "/scores")
        connection.getresponse().read()
    with closing(connection):
        connection.request("GET", "/scores")
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()


def test_clients_that_close_the_connection_are_not_logged(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    gone = socket.create_connection(("127.0.0.1", urlsplit(sandbox.url).port or 0))
    gone.sendall(b"GET /scores")
    # Closed so, a connection is reset.
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gone.close()
    # Connections are taken in turn, so after this one the first has a thread, which ends with it.
    assert _get(sandbox).status_code == 200
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(10)
    assert capfd.readouterr() == ("", "")


def test_it_stops_in_the_middle_of_a_delay() -> None:
    with Sandbox(faults=Faults(delay=60)) as sandbox:
        connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
        connection.request("GET", "/scores")
        began = time.monotonic()
    assert time.monotonic() - began < 30
    connection.close()
