"""No room for a score file: a fault that says so, nothing left behind, and all well once there is room."""

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
from tests.operating.load import Background, typed
from tests.operating.served import PATIENCE, Served, nameless, served, until
from tests.operating.upstream import Part, Upstream, scores
from tests.soap_http import SOAP_11, SOAP_12, envelope, post

_SMALL, _LARGE = 1, 1000


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.fixture
def upstream(gate: threading.Event) -> Iterator[Upstream]:
    large = scores(_LARGE)
    parts = {
        "large": Part(large),
        "halting": Part(scores(200), at_once=300_000, gate=gate),
        "medium": Part(scores(100)),
    }
    with Upstream(parts) as running:
        yield running


@contextmanager
def _disk(folder: Path, size: str) -> Iterator[Path]:
    """A small file system at a folder."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a file system")
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _fill(folder: Path, *, left: int = 0) -> Path:
    path = folder / "filler"
    path.write_bytes(bytes(shutil.disk_usage(folder).free - left))
    assert shutil.disk_usage(folder).free <= left
    return path


def _is_well(gateway: Served) -> None:
    assert post(gateway.url, typed("large")).result == scores(_LARGE)
    assert post(gateway.url, envelope()).result == scores(_SMALL)
    (worker,) = gateway.workers()
    spool = gateway.folder / "spool"
    held = ("spool_bytes", "calls_in_flight")
    # An answer is let go of a moment after its caller has it.
    until(lambda: [gateway.metric(name) for name in held] == [0, 0] and not nameless(worker, spool), "rest", 5)
    assert list(spool.iterdir()) == []


def _refuses(gateway: Served, worker: int) -> None:
    for version in (SOAP_11, SOAP_12):
        answer = post(gateway.url, typed("large", envelope(version)), version)
        assert (answer.status, answer.slug, answer.version) == (500, "spool", version)
    # What is small needs no disk.
    assert post(gateway.url, envelope()).result == scores(_SMALL)
    until(lambda: gateway.metric("spool_bytes") == nameless(worker, gateway.folder / "spool") == 0, "rest", 5)
    assert gateway.workers() == [worker]


@pytest.mark.parametrize("left", [0, 200_000], ids=["full", "nearly full"])
@pytest.mark.parametrize("records", ["as-sent", "of a width"])
def test_a_full_disk(left: int, records: str, upstream: Upstream, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    text = (SHIPPED / "TOEFLEdm.toml").read_text(encoding="utf-8")
    # A file of records of another width is written anew, record by record.
    wide = (
        text.replace('errors    = "fault"', 'errors    = "fault"\nrecords   = 1600') if records != "as-sent" else text
    )
    mapping.write_text(wide, encoding="utf-8")
    settings = {"contracts": [{"wsdl": str(SHIPPED / "TOEFLEdm.wsdl"), "mapping": str(mapping)}]}
    folder = tmp_path / "gateway"
    with _disk(folder / "spool", "8m") as disk, served(upstream.url, folder, settings) as gateway:
        (worker,) = gateway.workers()
        needed = len(scores(_LARGE)) if records != "as-sent" and left else 0
        filler = _fill(disk, left=left + needed)
        _refuses(gateway, worker)
        filler.unlink()
        _is_well(gateway)


def test_a_full_disk_below_everything(upstream: Upstream, tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    (folder / "tmp").mkdir(parents=True)
    settings = {"spool": {"folder": str(folder / "tmp")}}
    with _disk(folder / "tmp", "8m") as disk, served(upstream.url, folder, settings) as gateway:
        (first,) = gateway.workers()
        filler = _fill(disk)
        _refuses(gateway, first)
        # A new worker finds no room for anything of its own.
        os.kill(first, signal.SIGTERM)
        until(lambda: len(set(gateway.workers()) - {first}) == 1, "another worker")
        until(lambda: gateway.workers() != [first] and len(gateway.workers()) == 1, "its end")
        (second,) = gateway.workers()
        answer = post(gateway.url, typed("large"))
        assert (answer.slug, gateway.workers()) == ("spool", [second])
        assert post(gateway.url, envelope()).result == scores(_SMALL)
        filler.unlink()
        assert post(gateway.url, typed("large")).result == scores(_LARGE)
        assert gateway.workers() == [second]
        assert "SIGBUS" not in gateway.log


def test_a_limit_on_the_size_of_files(upstream: Upstream, tmp_path: Path) -> None:
    with served(upstream.url, tmp_path / "gateway") as gateway:
        assert post(gateway.url, envelope()).result
        (worker,) = gateway.workers()
        limits = resource.prlimit(worker, resource.RLIMIT_FSIZE)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (500_000, limits[1]))
        _refuses(gateway, worker)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, limits)
        _is_well(gateway)


def test_room_that_is_used_up(upstream: Upstream, gate: threading.Event, tmp_path: Path) -> None:
    settings = {"upstream": {"max_bytes": 400_000}, "spool": {"max_bytes": 400_000}}
    with served(upstream.url, tmp_path / "gateway", settings) as gateway:
        (worker,) = gateway.workers()
        call = Background(lambda: post(gateway.url, typed("halting")))
        until(lambda: gateway.metric("spool_bytes") > 250_000, "call that holds room")
        for version in (SOAP_11, SOAP_12):
            answer = post(gateway.url, typed("medium", envelope(version)), version)
            assert (answer.status, answer.slug, answer.version) == (500, "spool", version)
        assert nameless(worker, gateway.folder / "spool") == 1
        gate.set()
        assert call.whole.result == scores(200)
        assert post(gateway.url, typed("medium")).result == scores(100)
        until(lambda: gateway.metric("spool_bytes") == nameless(worker, gateway.folder / "spool") == 0, "rest", 5)


def test_no_room_for_the_journal_of_the_ledger(upstream: Upstream, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    ledger = {"url": f"sqlite:///{tmp_path / 'ledger.db'}", "journal": str(journal)}
    with _disk(journal, "1m"), served(upstream.url, tmp_path / "gateway", {"ledger": ledger}) as gateway:
        assert post(gateway.url, envelope()).result == scores(_SMALL)
        until((journal / "summary.json").exists, "count", 30)
        filler = _fill(journal)
        for _ in range(30):
            assert post(gateway.url, envelope()).result == scores(_SMALL)
        until(lambda: gateway.metric("ledger_lost_calls_total") > 0, "count of lost calls", 5)
        filler.unlink()
        for _ in range(5):
            assert post(gateway.url, envelope()).result == scores(_SMALL)
        lost = gateway.metric("ledger_lost_calls_total")
        gateway.process.terminate()
        gateway.process.wait(PATIENCE)
        (caller,) = LedgerStore(ledger["url"]).summary(datetime.now(UTC)).callers
        assert caller.calls_7 == 36 - lost
