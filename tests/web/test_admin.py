"""The admin address of a real gateway of two workers."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from shim.sandbox import DEMO_AUTHCODE, Sandbox
from tests.gateway import Gateway, running_gateway
from tests.soap_http import envelope, post


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def gateway(sandbox: Sandbox, tmp_path: Path) -> Iterator[Gateway]:
    with running_gateway(sandbox.url, tmp_path, {"gateway": {"workers": 2}}) as running:
        yield running


@pytest.fixture
def admin(gateway: Gateway) -> str:
    return f"127.0.0.1:{gateway.admin_port}"


def _get(admin: str, path: str) -> requests.Response:
    return requests.get(f"http://{admin}{path}", timeout=10)


def _metrics(admin: str) -> dict[str, float]:
    families = text_string_to_metric_families(_get(admin, "/metrics").text)
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_an_authcode_that_is_refused_is_not_ready_until_it_is_accepted(
    gateway: Gateway, sandbox: Sandbox, admin: str
) -> None:
    assert (_get(admin, "/readyz").status_code, _get(admin, "/livez").text) == (200, "alive\n")
    assert post(gateway.url, envelope()).status == 200
    before = _metrics(admin)
    assert before["toefl_shim_authcode_refused"] == 0
    assert abs(time.time() - before["toefl_shim_authcode_last_success_timestamp_seconds"]) < 60

    sandbox.authcodes = set()
    asked = [post(gateway.url, envelope()).slug for _ in range(8)]
    assert set(asked) == {"upstream-authcode"}
    assert "generate a new API key in TOEFL Access" in _get(admin, "/").text
    for _ in range(8):  # whichever worker answers
        refused = _get(admin, "/readyz")
        assert (refused.status_code, refused.text) == (
            503,
            "TOEFL Access refuses the authcode main: generate and store a new one\n",
        )
    assert _metrics(admin)["toefl_shim_authcode_refused"] == 1
    # One sentence of each worker's, not one of each call's.
    assert gateway.log.read_text().count('"event": "authcode"') <= 2

    sandbox.authcodes = {DEMO_AUTHCODE}
    assert post(gateway.url, envelope()).status == 200
    assert _get(admin, "/readyz").status_code == 200


def test_neither_address_answers_for_the_other(gateway: Gateway, admin: str) -> None:
    address = urlsplit(gateway.url).netloc
    assert requests.get(f"http://{address}/metrics", timeout=10).status_code == 404
    assert _get(admin, urlsplit(gateway.url).path).status_code == 404
    assert requests.post(f"http://{admin}/livez", timeout=10).status_code == 404
    head = requests.head(f"http://{admin}/metrics", timeout=10)
    assert (head.status_code, head.content) == (200, b"")


def test_the_status_page_has_what_it_needs(gateway: Gateway, admin: str) -> None:
    page = _get(admin, "/")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "There are no figures" in page.text
    assert "not used yet" in page.text
    post(gateway.url, envelope())
    assert "accepted" in _get(admin, "/").text
    files = re.findall('(?:src|href)="(static/[^"]+)"', page.text)
    assert len(files) == 5
    assert {_get(admin, f"/{file}").status_code for file in files} == {200}
    assert _get(admin, "/successor?caller=nobody").status_code == 404
    assert requests.get(f"http://{admin}/", headers={"Host": "attacker.example"}, timeout=10).status_code == 421
    assert requests.post(f"http://{admin}/", timeout=10).status_code == 404


def test_the_age_is_that_of_the_file(gateway: Gateway, admin: str) -> None:
    assert 0 <= _metrics(admin)["toefl_shim_authcode_age_seconds"] < 60
