"""The operator's address: liveness, readiness, and counters that are exact across workers."""

import http.client
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from shim.config import ConfigError, load
from shim.sandbox import Sandbox
from tests.gateway import PATH, Gateway, Labels, running_gateway, write_config, write_secret
from tests.operating.load import loaded, typed
from tests.processes import wait_until
from tests.soap_http import SOAP_11, SOAP_12, envelope, post, send
from tests.upstream_server import FakeUpstream, ok, response, scores

_WRONG = "<userName>registrar</userName><password>not-this-one</password>"
_RIGHT = "<userName>registrar</userName><password>synthetic-password</password>"
_CALL = (
    f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body><getScorelinkDataByReportDate>{{}}<reportstartdate>04/21/2025'
    "</reportstartdate><reportenddate>04/22/2025</reportenddate></getScorelinkDataByReportDate></s:Body></s:Envelope>"
)


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    types = {
        "hundred": ok(scores(100), then="keep"),
        "none": ok(b"", then="keep"),
        "fails": response("500 Internal Server Error", b"it failed", then="keep"),
        "refuses": response("400 Bad Request", b"startdate is required", then="keep"),
        "html": ok(b"<html></html>", then="keep"),
        "locked": response("401 Unauthorized", b"no", then="keep"),
    }
    with FakeUpstream(ok(scores(1), then="keep"), types=types) as running:
        yield running


def test_ready_while_the_breaker_lets_calls_through(upstream: FakeUpstream, tmp_path: Path) -> None:
    settings = {"upstream": {"breaker_failures": 3, "breaker_seconds": 4, "attempts": 1}, "gateway": {"workers": 2}}
    with running_gateway(upstream.url, tmp_path / "gateway", settings) as gateway:

        def probe() -> tuple[int, float]:
            return gateway.admin("/readyz").status_code, gateway.metric("breaker_open")

        assert probe() == (200, 0)
        wait_until(lambda: post(gateway.url, typed("fails")).slug == "upstream-down", "open breaker")
        seen = len(upstream.requests)
        for _ in range(6):  # so that both workers answer
            assert probe() == (503, 1)
            assert gateway.admin("/readyz").text == "TOEFL Access does not answer\n"
            assert gateway.admin("/livez").text == "alive\n"
        refused = post(gateway.url, envelope())
        assert refused.slug == "upstream-down"
        assert 1 <= int(refused.headers["retry-after"]) <= 4
        # Only a call can close the breaker, and a balancer sends calls to a gateway that is ready.
        wait_until(lambda: probe() == (200, 1), "readiness for the call that tries the upstream")
        assert len(upstream.requests) == seen
        assert post(gateway.url, envelope()).result == scores(1)
        assert probe() == (200, 0)


def test_not_ready_while_the_authcode_is_refused(upstream: FakeUpstream, tmp_path: Path) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway") as gateway:
        assert post(gateway.url, typed("locked")).slug == "upstream-authcode"
        seen = len(upstream.requests)
        answer = gateway.admin("/readyz")
        assert (answer.status_code, answer.text.split(":")[0]) == (503, "TOEFL Access refuses the authcode main")
        assert [line["outcome"] for line in gateway.calls] == ["upstream-authcode"]
        # With a new authcode a call may try again.
        time.sleep(0.01)
        write_secret(gateway.folder / "authcode", "c3ludGhldGljOm90aGVy")
        assert gateway.admin("/readyz").status_code == 200
        assert len(upstream.requests) == seen
        assert post(gateway.url, envelope()).result == scores(1)
        assert gateway.admin("/readyz").status_code == 200


def _labels(operation: str, caller: str, outcome: str) -> Labels:
    return ("caller", caller), ("operation", operation), ("outcome", outcome)


def _settings(folder: Path) -> dict[str, object]:
    folder.mkdir()
    file = write_secret(folder / "secret", "synthetic-password")
    return {
        "gateway": {"workers": 3, "max_calls": 50},
        "upstream": {"attempts": 2, "breaker_failures": 1000},
        "callers": [
            {"name": "registrar", "credentials": "own", "user": "registrar", "secret_file": str(file)},
            {"name": "here", "anybody": True},
        ],
    }


# Calls: times, body, SOAP version, operation, caller, outcome, whether the upstream is asked, retries, records.
_MIXED = [
    (7, envelope(), SOAP_11, "GetScores", "here", "ok", True, 0, 1),
    (5, envelope(SOAP_12), SOAP_12, "GetScores", "here", "ok", True, 0, 1),
    (4, typed("hundred"), SOAP_11, "GetScores", "here", "ok", True, 0, 100),
    (3, typed("none"), SOAP_11, "GetScores", "here", "ok", True, 0, 0),
    (6, _CALL.format(_RIGHT).encode(), SOAP_11, "getScorelinkDataByReportDate", "registrar", "ok", True, 0, 1),
    (2, _CALL.format(_WRONG).encode(), SOAP_11, "getScorelinkDataByReportDate", "", "not-authenticated", False, 0, 0),
    (3, envelope(end="2025-02-30T00:00:00"), SOAP_11, "GetScores", "here", "bad-date", False, 0, 0),
    (4, b"<a><b></a>", SOAP_11, "", "", "not-xml", False, 0, 0),
    (2, typed("fails"), SOAP_11, "GetScores", "here", "upstream-failed", True, 1, 0),
    (3, typed("refuses"), SOAP_11, "GetScores", "here", "upstream-query", True, 0, 0),
    (2, typed("html"), SOAP_11, "GetScores", "here", "upstream-not-scores", True, 0, 0),
]


def _differences(gateway: Gateway, rounds: int) -> list[str]:
    """Return a sentence for each metric that differs from what so many rounds of the mixed calls add up to."""
    expected: Counter[tuple[str, Labels]] = Counter()
    for times, _, _, operation, caller, outcome, asked, retries, records in _MIXED:
        calls = times * rounds
        expected["calls_total", _labels(operation, caller, outcome)] += calls
        expected["upstream_seconds_count", ()] += calls * asked
        expected["upstream_seconds_bucket", (("le", "+Inf"),)] += calls * asked
        expected["added_seconds_count", ()] += calls
        expected["added_seconds_bucket", (("le", "+Inf"),)] += calls
        expected["retries_total", ()] += calls * retries
        expected["records_total", ()] += calls * records
        expected["bytes_total", ()] += calls * len(scores(records))
    found = gateway.metrics()
    of_calls = {name for name in found if name[0] == "calls_total"}
    names = expected.keys() | of_calls | {("spool_bytes", ()), ("calls_in_flight", ())}
    return [f"{name}: {found.get(name)}, not {expected[name]}" for name in names if found.get(name) != expected[name]]


def test_counters_are_exact_across_workers_and_their_deaths(upstream: FakeUpstream, tmp_path: Path) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway", _settings(tmp_path / "callers")) as gateway:

        def call() -> None:
            for times, body, version, *_ in _MIXED:
                for _ in range(times):
                    post(gateway.url, body, version)

        call()
        wait_until(lambda: not _differences(gateway, 1), f"end: {_differences(gateway, 1)}")
        # One worker ends at SIGTERM, one is killed.
        first, second, third = gateway.workers()
        os.kill(first, signal.SIGTERM)
        os.kill(second, signal.SIGKILL)
        wait_until(lambda: len({first, second, *gateway.workers()}) == 5, "other workers")
        assert third in gateway.workers()
        assert _differences(gateway, 1) == []
        call()
        wait_until(lambda: not _differences(gateway, 2), f"end: {_differences(gateway, 2)}")
        assert {line["outcome"] for line in gateway.calls} == {row[5] for row in _MIXED}


def test_the_metrics_count_the_calls_that_were_made(upstream: FakeUpstream, tmp_path: Path) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway", {"gateway": {"workers": 2}}) as gateway:
        with loaded(gateway.url, scraped=gateway) as load:
            load.wait_for(100)
        assert load.failures == []
        ok = ("calls_total", _labels("GetScores", "this-machine", "ok"))
        wait_until(lambda: gateway.metrics()[ok] == load.calls, "count of all calls")
        found = gateway.metrics()
        buckets = [value for (name, _), value in found.items() if name == "added_seconds_bucket"]
        assert buckets == sorted(buckets)
        assert 0 < found["added_seconds_sum", ()] < 60
        assert abs(found["authcode_last_success_timestamp_seconds", (("authcode", "main"),)] - time.time()) < 60
        assert 0 <= found["authcode_age_seconds", (("authcode", "main"),)] < 60


@pytest.mark.parametrize("path", ["/", "/successor", "/static/status.css", "/livez", "/readyz", "/metrics"])
def test_the_soap_address_serves_no_operators_page(path: str, gateway: Gateway) -> None:
    answer = send(gateway.url, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{gateway.admin_port}\r\n\r\n".encode())
    assert (answer.status, answer.slug) == (404, "not-found")


@pytest.mark.parametrize("path", [PATH, f"{PATH}?wsdl", "/TOEFLWebService/TOEFLEdm.wsdl", "/metrics/", "/livez2"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_operators_address_serves_no_soap(path: str, method: str, gateway: Gateway) -> None:
    connection = http.client.HTTPConnection(f"127.0.0.1:{gateway.admin_port}", timeout=30)
    connection.request(method, path, envelope(), {"Content-Type": "text/xml", "Host": f"127.0.0.1:{gateway.port}"})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (404, b"/, /livez, /readyz, /metrics\n")
    connection.close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Sandbox() as sandbox, running_gateway(sandbox.url, tmp_path_factory.mktemp("admin") / "gateway") as running:
        yield running


def test_the_two_addresses_need_two_ports(gateway: Gateway, tmp_path: Path) -> None:
    tables = gateway.tables({"gateway": {"admin_bind": f"127.0.0.2:{gateway.port}"}})
    write_config(tmp_path, tables)
    with pytest.raises(ConfigError, match="another port"):
        load(tmp_path / "gateway.toml")
