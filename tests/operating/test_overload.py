"""More callers than the gateway answers at a time."""

import threading
from pathlib import Path

from tests.gateway import running_gateway
from tests.operating.load import Background, typed
from tests.processes import wait_until
from tests.soap_http import SOAP_11, SOAP_12, envelope, post
from tests.upstream_server import FakeUpstream, gated, ok, scores

_LIMIT = 5
_MORE = 35
_IN_BAND = (
    f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body><getScorelinkDataByReportDate><reportstartdate>04/21/2025'
    "</reportstartdate><reportenddate>04/22/2025</reportenddate></getScorelinkDataByReportDate></s:Body></s:Envelope>"
).encode()


def test_calls_beyond_the_limit_are_refused_at_once(tmp_path: Path) -> None:
    gate = threading.Event()
    settings = {"gateway": {"max_calls": _LIMIT}}
    with (
        FakeUpstream(ok(scores(1), then="keep"), types={"slow": gated(ok(scores(100), then="keep"), gate)}) as upstream,
        running_gateway(upstream.url, tmp_path / "gateway", settings) as gateway,
    ):
        first = [Background(lambda: post(gateway.url, typed("slow"))) for _ in range(_LIMIT)]
        wait_until(lambda: len(upstream.requests) == _LIMIT, "calls at the upstream")
        wait_until(lambda: gateway.metric("calls_in_flight") == _LIMIT, "gauge")
        kinds = [(envelope(SOAP_11), SOAP_11), (envelope(SOAP_12), SOAP_12), (_IN_BAND, SOAP_11)]
        asked = [kinds[number % len(kinds)] for number in range(_MORE)]
        others = [
            Background(lambda body=body, version=version: post(gateway.url, body, version))  # type: ignore[misc]
            for body, version in asked
        ]
        answers = [other.whole for other in others]
        assert not any(call.answer for call in first)
        for (body, version), answer in zip(asked, answers, strict=True):
            if body is _IN_BAND:
                assert answer.status == 200
                assert (answer.result or b"").startswith(b"Logon failure: The gateway answers as many calls")
                assert b"(busy; request" in (answer.result or b"")
            else:
                assert (answer.status, answer.slug, answer.version) == (500, "busy", version)
                assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert len(upstream.requests) == _LIMIT
        # The operator's address still answers.
        assert gateway.admin("/livez").status_code == gateway.admin("/readyz").status_code == 200
        gate.set()
        for call in first:
            assert call.whole.result == scores(100)
        wait_until(lambda: gateway.metric("calls_in_flight") == 0, "end of all calls")
        assert post(gateway.url, envelope()).result == scores(1)
        wait_until(lambda: len(gateway.calls) == _LIMIT + _MORE + 1, "lines in the log")
        outcomes = [line["outcome"] for line in gateway.calls]
        assert (outcomes.count("busy"), outcomes.count("ok")) == (_MORE, _LIMIT + 1)
