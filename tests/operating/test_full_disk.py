"""A full disk: calls get a fault that says so, nothing is left behind, and calls succeed once there is room."""

import os
import resource
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shim.config import SHIPPED
from shim.ledger.store import LedgerStore
from tests.gateway import Gateway, running_gateway
from tests.operating.load import Background, typed
from tests.processes import PATIENCE, unlinked_files, wait_until
from tests.soap_http import SOAP_11, SOAP_12, envelope, post
from tests.upstream_server import FakeUpstream, gated, ok, scores

_SMALL, _LARGE = 1, 1000


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.fixture
def upstream(gate: threading.Event) -> Iterator[FakeUpstream]:
    types = {
        "large": ok(scores(_LARGE), then="keep"),
        "halting": gated(ok(scores(200), then="keep"), gate, before=300_000),
        "medium": ok(scores(100), then="keep"),
    }
    with FakeUpstream(ok(scores(_SMALL), then="keep"), types=types) as running:
        yield running


@contextmanager
def _disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a small file system on a folder until the end of the block."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a file system")
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine does not let root mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _fill(folder: Path, *, left: int = 0) -> Path:
    path = folder / "filler"
    path.write_bytes(bytes(shutil.disk_usage(folder).free - left))
    assert shutil.disk_usage(folder).free <= left
    return path


def _assert_well(gateway: Gateway) -> None:
    assert post(gateway.url, typed("large")).result == scores(_LARGE)
    assert post(gateway.url, envelope()).result == scores(_SMALL)
    worker = gateway.worker()
    spool = gateway.folder / "spool"
    held = ("spool_bytes", "calls_in_flight")
    # The gateway closes a spool a moment after the caller has the answer.
    wait_until(
        lambda: [gateway.metric(name) for name in held] == [0, 0] and not unlinked_files(worker, spool), "rest", 5
    )
    assert list(spool.iterdir()) == []


def _assert_refuses(gateway: Gateway, worker: int) -> None:
    for version in (SOAP_11, SOAP_12):
        answer = post(gateway.url, typed("large", envelope(version)), version)
        assert (answer.status, answer.slug, answer.version) == (500, "spool", version)
    # A small score file stays in memory.
    assert post(gateway.url, envelope()).result == scores(_SMALL)
    wait_until(
        lambda: gateway.metric("spool_bytes") == unlinked_files(worker, gateway.folder / "spool") == 0, "rest", 5
    )
    assert gateway.workers() == [worker]


@pytest.mark.parametrize("left", [0, 200_000], ids=["full", "nearly full"])
@pytest.mark.parametrize("records", ["as-sent", "of a width"])
def test_a_full_disk(left: int, records: str, upstream: FakeUpstream, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    text = (SHIPPED / "TOEFLEdm.toml").read_text(encoding="utf-8")
    # Records of another width are written to a second file, record by record.
    wide = (
        text.replace('errors    = "fault"', 'errors    = "fault"\nrecords   = 1600') if records != "as-sent" else text
    )
    mapping.write_text(wide, encoding="utf-8")
    settings = {"contracts": [{"wsdl": str(SHIPPED / "TOEFLEdm.wsdl"), "mapping": str(mapping)}]}
    folder = tmp_path / "gateway"
    with _disk(folder / "spool", "8m") as disk, running_gateway(upstream.url, folder, settings) as gateway:
        worker = gateway.worker()
        needed = len(scores(_LARGE)) if records != "as-sent" and left else 0
        filler = _fill(disk, left=left + needed)
        _assert_refuses(gateway, worker)
        filler.unlink()
        _assert_well(gateway)


def test_a_full_disk_below_everything(upstream: FakeUpstream, tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    (folder / "tmp").mkdir(parents=True)
    settings = {"spool": {"folder": str(folder / "tmp")}}
    with _disk(folder / "tmp", "8m") as disk, running_gateway(upstream.url, folder, settings) as gateway:
        first = gateway.worker()
        filler = _fill(disk)
        _assert_refuses(gateway, first)
        # A new worker finds no room for its own files.
        os.kill(first, signal.SIGTERM)
        wait_until(lambda: len(set(gateway.workers()) - {first}) == 1, "another worker")
        wait_until(lambda: gateway.workers() != [first] and len(gateway.workers()) == 1, "end of the old worker")
        second = gateway.worker()
        answer = post(gateway.url, typed("large"))
        assert (answer.slug, gateway.workers()) == ("spool", [second])
        assert post(gateway.url, envelope()).result == scores(_SMALL)
        filler.unlink()
        assert post(gateway.url, typed("large")).result == scores(_LARGE)
        assert gateway.workers() == [second]
        assert "SIGBUS" not in gateway.log_text


def test_a_limit_on_the_size_of_files(upstream: FakeUpstream, tmp_path: Path) -> None:
    with running_gateway(upstream.url, tmp_path / "gateway") as gateway:
        assert post(gateway.url, envelope()).result
        worker = gateway.worker()
        limits = resource.prlimit(worker, resource.RLIMIT_FSIZE)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (500_000, limits[1]))
        _assert_refuses(gateway, worker)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, limits)
        _assert_well(gateway)


def test_a_spool_quota_that_is_used_up(upstream: FakeUpstream, gate: threading.Event, tmp_path: Path) -> None:
    settings = {"upstream": {"max_bytes": 400_000}, "spool": {"max_bytes": 400_000}}
    with running_gateway(upstream.url, tmp_path / "gateway", settings) as gateway:
        worker = gateway.worker()
        call = Background(lambda: post(gateway.url, typed("halting")))
        wait_until(lambda: gateway.metric("spool_bytes") > 250_000, "call that uses the quota")
        for version in (SOAP_11, SOAP_12):
            answer = post(gateway.url, typed("medium", envelope(version)), version)
            assert (answer.status, answer.slug, answer.version) == (500, "spool", version)
        assert unlinked_files(worker, gateway.folder / "spool") == 1
        gate.set()
        assert call.whole.result == scores(200)
        assert post(gateway.url, typed("medium")).result == scores(100)
        wait_until(
            lambda: gateway.metric("spool_bytes") == unlinked_files(worker, gateway.folder / "spool") == 0, "rest", 5
        )


def test_a_full_disk_below_the_journal_of_the_ledger(upstream: FakeUpstream, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    ledger = {"url": f"sqlite:///{tmp_path / 'ledger.db'}", "journal": str(journal)}
    with _disk(journal, "1m"), running_gateway(upstream.url, tmp_path / "gateway", {"ledger": ledger}) as gateway:
        assert post(gateway.url, envelope()).result == scores(_SMALL)
        wait_until((journal / "summary.json").exists, "count", 30)
        filler = _fill(journal)
        for _ in range(30):
            assert post(gateway.url, envelope()).result == scores(_SMALL)
        wait_until(lambda: gateway.metric("ledger_lost_calls_total") > 0, "count of lost calls", 5)
        filler.unlink()
        for _ in range(5):
            assert post(gateway.url, envelope()).result == scores(_SMALL)
        lost = gateway.metric("ledger_lost_calls_total")
        gateway.process.terminate()
        gateway.process.wait(PATIENCE)
        (caller,) = LedgerStore(ledger["url"]).summary(datetime.now(UTC)).callers
        assert caller.calls_7 == 36 - lost
