"""A failing upstream, seen by the caller: a fault in the caller's own version, never a part of a score file."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shim.demo import free_port, wait_for
from shim.sandbox import Faults, Options, Sandbox, keys, select
from tests.gateway import Gateway, running_gateway
from tests.soap_http import SOAP_11, SOAP_12, envelope, post

_OPTIONS = Options()
_WHOLE = b"".join(select(_OPTIONS, _OPTIONS.first, _OPTIONS.last).chunks())
both_versions = pytest.mark.parametrize("version", [pytest.param(SOAP_11, id="1.1"), pytest.param(SOAP_12, id="1.2")])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(_OPTIONS) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    log = tmp_path_factory.mktemp("faults") / "gateway.log"
    with running_gateway(sandbox.url, log, settings={"UPSTREAM__READ_TIMEOUT": "0.5"}) as running:
        yield running


@pytest.fixture(autouse=True)
def _healthy(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.faults = Faults()
    sandbox.authcodes = {keys.DEMO_AUTHCODE}


@both_versions
@pytest.mark.parametrize(
    ("faults", "slug"),
    [
        (Faults(status=400), "upstream-query"),
        (Faults(status=401), "upstream-authcode"),
        (Faults(status=403), "upstream-forbidden"),
        (Faults(status=404), "upstream-address"),
        (Faults(status=418), "upstream-status"),
        (Faults(status=429), "upstream-busy"),
        (Faults(status=500), "upstream-failed"),
        (Faults(status=503, json_errors=True), "upstream-failed"),
        (Faults(status=599), "upstream-failed"),
        (Faults(location="http://127.0.0.1:9/scores"), "upstream-redirect"),
        (Faults(html=True), "upstream-not-scores"),
        (Faults(delay=1), "upstream-timeout"),
        (Faults(cut=0), "upstream-cut"),
        (Faults(cut=1602), "upstream-cut"),
        (Faults(cut=len(_WHOLE) - 1), "upstream-cut"),
        (Faults(cut=1602, chunked=True), "upstream-cut"),
        (Faults(cut=len(_WHOLE), chunked=True), "upstream-cut"),
    ],
    ids=repr,
)
def test_a_fault_and_never_a_part_of_a_score_file(
    faults: Faults, slug: str, version: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    sandbox.faults = faults
    answer = post(gateway.url, _call(version), version)
    assert (answer.version, answer.slug, answer.status) == (version, slug, 500)
    assert answer.result is None


@both_versions
@pytest.mark.parametrize("faults", [Faults(), Faults(chunked=True)], ids=["length", "chunked"])
def test_the_upstream_is_well_again(faults: Faults, version: str, sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.faults = faults
    answer = post(gateway.url, _call(version), version)
    assert answer.status == 200
    assert answer.result == _WHOLE


def test_an_expired_authcode_is_told_to_the_operator_and_less_to_the_caller(sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.authcodes = set()
    answer = post(gateway.url, envelope())
    assert answer.slug == "upstream-authcode"
    assert "expired" not in answer.fault
    assert "generate a new API key in TOEFL Access" in gateway.log.read_text()


def test_an_upstream_that_is_killed_in_the_middle_of_a_body(tmp_path: Path) -> None:
    bind = f"127.0.0.1:{free_port()}"
    with _big_sandbox(bind) as upstream, running_gateway(f"http://{bind}/scores", tmp_path / "gateway.log") as gateway:
        # It takes seconds to send so many records.
        killer = threading.Timer(0.4, upstream.kill)
        killer.start()
        answer = post(gateway.url, _call(SOAP_11))
        killer.join()
    assert answer.slug == "upstream-cut"


def test_an_upstream_that_is_not_there(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        gone = sandbox.url
    with running_gateway(gone, tmp_path / "gateway.log") as gateway:
        assert post(gateway.url, envelope()).slug == "upstream-unreachable"


def _call(version: str) -> bytes:
    return envelope(version, "2025-04-21T00:00:00", "2025-04-23T00:00:00")


@contextmanager
def _big_sandbox(bind: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "shim", "sandbox", "--records", "100000", "--bind", bind]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        wait_for(process, bind)
        yield process
        process.kill()
