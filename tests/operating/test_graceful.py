"""Stops, reloads and sudden deaths under load: which calls may fail, and that no other call does."""

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.gateway import PATH, running_gateway
from tests.operating.load import Background, Kept, loaded, typed
from tests.operating.proxy import proxied
from tests.processes import PATIENCE, free_port, is_running, stop, unlinked_files, wait_until
from tests.soap_http import SOAP_11, SOAP_12, envelope, post
from tests.tools import require
from tests.upstream_server import FakeUpstream, gated, ok, scores


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.fixture
def upstream(gate: threading.Event) -> Iterator[FakeUpstream]:
    types = {
        "slow": gated(ok(scores(100), then="keep"), gate),
        "halting": gated(ok(scores(1000), then="keep"), gate, before=800_000),
    }
    with FakeUpstream(ok(scores(1), then="keep"), types=types) as running:
        yield running


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionError:
        return True
    return False


def test_a_stop_lets_running_calls_end_and_accepts_no_new_ones(
    upstream: FakeUpstream, gate: threading.Event, tmp_path: Path
) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway", {"gateway": {"workers": 2}}) as gateway:
        calls = [
            Background(lambda version=version: post(gateway.url, typed("slow", envelope(version)), version))  # type: ignore[misc]
            for version in (SOAP_11, SOAP_12) * 4
        ]
        wait_until(lambda: len(upstream.requests) == len(calls), "calls at the upstream")
        kept = Kept(gateway.url)
        calls.append(Background(lambda: kept(typed("slow"))))
        wait_until(lambda: len(upstream.requests) == len(calls), "calls at the upstream")
        gateway.process.terminate()
        wait_until(lambda: _is_refused(gateway.port), "beginning of the stop")
        time.sleep(3)  # longer than idle connections are kept during a stop
        assert gateway.process.poll() is None
        assert not any(call.answer or call.error for call in calls)
        gate.set()
        for call in calls:
            assert call.whole.result == scores(100)
            assert call.whole.headers["connection"] == "close"
        assert gateway.process.wait(10) == 0
        kept.connection.close()


def test_a_stop_closes_kept_connections_after_their_last_call(upstream: FakeUpstream, tmp_path: Path) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway") as gateway:
        shared = gateway.shared
        idle, busy, silent = Kept(gateway.url), Kept(gateway.url), socket.create_connection(("127.0.0.1", gateway.port))
        assert idle().result == busy().result == scores(1)
        began = time.monotonic()
        gateway.process.terminate()
        wait_until(lambda: _is_refused(gateway.port), "beginning of the stop")
        last = busy()
        assert (last.result, last.headers["connection"]) == (scores(1), "close")
        for connection in (idle.connection.sock, silent):
            connection.settimeout(PATIENCE)
            assert connection.recv(1) == b""
            assert time.monotonic() - began > 1.5  # not before a call could have arrived
            connection.close()
        busy.connection.close()
        assert gateway.process.wait(10) == 0
        assert list((tmp_path / "gateway" / "tmp").iterdir()) == []
        assert not shared.exists()


def test_a_stop_answers_calls_that_arrived_while_the_worker_was_suspended(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway") as gateway:
        worker = gateway.worker()
        clients = [Kept(gateway.url) for _ in range(4)]
        assert [client().result for client in clients] == [scores(1)] * 4
        gateway.process.terminate()
        wait_until(lambda: _is_refused(gateway.port), "beginning of the stop")
        os.kill(worker, signal.SIGSTOP)  # as a busy machine does
        calls = [Background(client) for client in clients]
        time.sleep(2.5)  # longer than a stopping worker waits for calls
        os.kill(worker, signal.SIGCONT)
        assert [call.whole.result for call in calls] == [scores(1)] * 4
        assert gateway.process.wait(10) == 0
        for client in clients:
            client.connection.close()


def test_a_stop_ends_calls_that_take_too_long(upstream: FakeUpstream, tmp_path: Path) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway", {"gateway": {"stop_timeout": 1}}) as gateway:
        call = Background(lambda: post(gateway.url, typed("slow")))
        wait_until(lambda: bool(upstream.requests), "call at the upstream")
        gateway.process.terminate()
        assert gateway.process.wait(10) == 0
        assert call.wait().error is not None


def test_a_reload_fails_no_call_and_a_wrong_configuration_changes_nothing(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    old = {"gateway": {"workers": 2}}
    new = {
        "gateway": {"workers": 2, "max_request": 2048},
        "contracts": [{}, {"path": "/second.asmx", "wsdl_path": "/second.wsdl"}],
    }
    with running_gateway(upstream.url, tmp_path / "gateway", old) as gateway:
        second = f"http://127.0.0.1:{gateway.port}/second.asmx"
        large = envelope(more=" " * 4096)
        assert (post(gateway.url, large).status, post(second, envelope()).slug) == (200, "not-found")
        with loaded(gateway.url, scraped=gateway) as load:
            load.wait_for(50)
            gateway.configure(new)
            gateway.reload()
            for _ in range(4):  # so that both workers answer
                assert post(gateway.url, large).slug == "too-large"
                assert post(second, envelope()).result == scores(1)
            load.wait_for(50)
            wrong = gateway.tables({"gateway": {"wokers": 2}, "upstream": {"url": "http://example.org/"}})
            gateway.configure(wrong)
            gateway.reload()
            assert post(gateway.url, large).slug == "too-large"
            assert post(second, envelope()).result == scores(1)
            load.wait_for(50)
        assert load.failures == []
        reasons = [line["note"] for line in gateway.lines if line["event"] == "server" and line["level"] == "error"]
        assert len(reasons) == 2
        assert all("the old configuration stays in use" in reason for reason in reasons)
        assert "gateway.wokers" in reasons[0]
        assert "upstream.url" in reasons[1]
        calls = gateway.metrics()[
            "calls_total", (("caller", "this-machine"), ("operation", "GetScores"), ("outcome", "ok"))
        ]
        assert calls >= load.calls


def test_reloads_leave_no_descriptor_open(upstream: FakeUpstream, tmp_path: Path) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway") as gateway:

        def descriptors() -> list[int]:
            return [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in (gateway.process.pid, *gateway.workers())]

        gateway.reload()
        assert post(gateway.url, envelope()).result == scores(1)
        before = descriptors()
        for _ in range(2):
            gateway.reload()
            assert post(gateway.url, envelope()).result == scores(1)
        # A worker may have a connection to the upstream, or one more than before.
        assert all(now <= then + 2 for now, then in zip(descriptors(), before, strict=True))


def test_a_killed_worker_breaks_its_own_calls_only(
    upstream: FakeUpstream, gate: threading.Event, tmp_path: Path
) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway", {"gateway": {"workers": 2}}) as gateway:
        spool = tmp_path / "gateway" / "spool"
        for _ in range(10):
            assert post(gateway.url, envelope()).result
        calls: list[Background] = []
        # Until both workers have calls.
        while len(calls) < 4 or not all(unlinked_files(pid, spool) for pid in gateway.workers()):
            calls.append(Background(lambda: post(gateway.url, typed("halting"))))
            wait_until(lambda: sum(unlinked_files(pid, spool) for pid in gateway.workers()) == len(calls), "spools")
            assert len(calls) < 60
        wait_until(lambda: gateway.metric("calls_in_flight") == len(calls), "gauge")
        before = gateway.metrics()
        assert before["spool_bytes", ()] >= len(calls) * 65536
        victim, _ = gateway.workers()
        lost = unlinked_files(victim, spool)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(gateway.workers()) == 2 and victim not in gateway.workers(), "another worker")
        wait_until(lambda: sum(call.error is not None for call in calls) == lost, "failures")
        wait_until(lambda: gateway.metric("calls_in_flight") == len(calls) - lost, "gauge")
        after = gateway.metrics()
        assert after["spool_bytes", ()] < before["spool_bytes", ()]
        assert [name for name in before if "total" in name[0] and after.get(name, -1) < before[name]] == []
        with loaded(gateway.url) as load:
            load.wait_for(40)
        assert load.failures == []
        gate.set()
        answered = [call.wait().answer for call in calls if call.wait().error is None]
        assert [answer is not None and answer.result == scores(1000) for answer in answered] == [True] * (
            len(calls) - lost
        )
        wait_until(lambda: gateway.metric("spool_bytes") == gateway.metric("calls_in_flight") == 0, "end of all calls")
        assert list(spool.iterdir()) == []
        ok = gateway.metrics()[
            "calls_total", (("caller", "this-machine"), ("operation", "GetScores"), ("outcome", "ok"))
        ]
        assert ok == 10 + load.calls + len(answered)


def test_a_worker_obeys_sigterm_as_soon_as_it_exists(upstream: FakeUpstream, tmp_path: Path) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway") as gateway:
        for _ in range(4):
            (old,) = gateway.workers()
            os.kill(old, signal.SIGKILL)
            while not (begun := set(gateway.workers()) - {old}):  # before it has its own signal handlers
                pass
            (new,) = begun
            os.kill(new, signal.SIGTERM)
            wait_until(lambda new=new: not is_running(new), "end of the worker", 10)  # type: ignore[misc]
            wait_until(lambda new=new: bool(set(gateway.workers()) - {new}), "another worker")  # type: ignore[misc]
        assert post(gateway.url, envelope()).result == scores(1)


def test_a_killed_server_leaves_no_worker(upstream: FakeUpstream, tmp_path: Path) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway", {"gateway": {"workers": 2}}) as gateway:
        workers = gateway.workers()
        shared = gateway.shared
        gateway.process.kill()
        wait_until(lambda: not any(map(is_running, workers)), "end of the workers", 10)
        assert _is_refused(gateway.port)
        shutil.rmtree(shared)  # no process is left to remove it


def test_a_restart_behind_nginx_loses_no_call(upstream: FakeUpstream, tmp_path: Path) -> None:
    nginx = require("nginx", install="apt-get install nginx-light")
    ports, front = [free_port(), free_port()], free_port()
    with ExitStack() as stack:
        gateways = [
            stack.enter_context(running_gateway(upstream.url, tmp_path / f"gateway-{port}", port=port))
            for port in ports
        ]
        stack.enter_context(proxied(nginx, tmp_path / "nginx", front, ports))
        load = stack.enter_context(loaded(f"http://127.0.0.1:{front}{PATH}"))
        load.wait_for(50)
        stop(gateways[0].process)
        assert gateways[0].process.returncode == 0
        load.wait_for(50)
        again = stack.enter_context(running_gateway(upstream.url, tmp_path / "again", port=ports[0]))
        wait_until(lambda: len(again.calls) > 20, "calls of the restarted gateway")
        load.stop()
    assert load.failures == []
