"""The ledger counts every call exactly once, even when processes die, and its failures harm no call."""

import os
import shutil
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shim.ledger.store import LedgerStore
from tests import postgresql
from tests.gateway import Gateway, Settings, running_gateway
from tests.operating.load import Lean
from tests.processes import PATIENCE, free_port, is_running, stop, wait_until
from tests.upstream_server import FakeUpstream, ok, scores

_CALLERS = ("admissions", "advising", "graduate", "nightly", "registrar")


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(ok(scores(1), then="keep")) as running:
        yield running


def _settings(folder: Path, database: str, workers: int = 2) -> Settings:
    """Return the settings for five callers, known by their addresses 127.0.0.2 to 127.0.0.6."""
    return {
        "gateway": {"workers": workers},
        "callers": [{"name": name, "networks": [_address(n)]} for n, name in enumerate(_CALLERS)],
        "ledger": {"url": database, "journal": str(folder / "journal")},
    }


def _counted(database: str) -> Mapping[str, int]:
    """Return the number of answered calls in the ledger, by caller."""
    ledger = LedgerStore(database.replace("postgresql://", "postgresql+psycopg://"))
    return {caller.name: caller.outcomes.get("ok", 0) for caller in ledger.summary(datetime.now(UTC)).callers}


class Calls:
    """The calls of five callers, each on a thread of its own.

    Attributes:
        answered: The number of answered calls, by caller.
        cut: The number of calls whose connection broke, by caller.
    """

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.cut: Counter[str] = Counter()

    def make(self, ports: Mapping[str, int], number: int) -> None:
        """Have each caller make so many calls that are answered; repeat those whose connection broke."""
        threads = [
            threading.Thread(target=self._call, args=(name, n, ports[name], number), daemon=True)
            for n, name in enumerate(_CALLERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE * 4)
            assert not thread.is_alive()

    def wait_for(self, more: int) -> None:
        """Wait for so many more answers."""
        enough = self.answered.total() + more
        wait_until(lambda: self.answered.total() >= enough, "calls")

    def _call(self, name: str, n: int, port: int, number: int) -> None:
        client, answered = Lean(port, _address(n)), 0
        while answered < number:
            try:
                status = client()
            except OSError:
                self.cut[name] += 1
                client.close()
                client = Lean(port, _address(n))
                continue
            assert status == 200
            answered += 1
            self.answered[name] += 1
        client.close()


def _address(n: int) -> str:
    return f"127.0.0.{2 + n}"


def _assert_counted(calls: Calls, database: str, *, killed: int) -> None:
    """Assert that the ledger lacks at most one answered call for each killed worker, and has none too many."""
    counted = Counter(_counted(database))
    assert (calls.answered - counted).total() <= killed
    assert not counted - calls.answered - calls.cut


def _wait_for_the_writer(gateway: Gateway) -> None:
    wait_until(lambda: gateway.metric("ledger_backlog_bytes") == 0, "end of the backlog")


def test_two_gateways_on_one_postgresql_count_every_call(
    upstream: FakeUpstream, cluster: postgresql.Cluster, tmp_path: Path
) -> None:
    database = cluster.database()
    folders = [tmp_path / "one", tmp_path / "two"]
    ports = [free_port(), free_port()]
    calls = Calls()

    def started(stack: ExitStack, which: int) -> Gateway:
        settings = _settings(folders[which], database)
        return stack.enter_context(running_gateway(upstream.url, folders[which], settings, port=ports[which]))

    shared = dict(zip(_CALLERS, [ports[0], ports[0], ports[1], ports[1], ports[0]], strict=True))
    swapped = {name: ports[1] if port == ports[0] else ports[0] for name, port in shared.items()}
    with ExitStack() as stack:
        gateways = [started(stack, 0), started(stack, 1)]
        calls.make(shared, 140)
        gateways[0].reload()
        calls.make(swapped, 100)
        os.kill(gateways[0].writer(), signal.SIGKILL)
        stop(gateways[1].process)
        gateways[1] = started(stack, 1)
        calls.make(shared, 160)
        assert calls.cut == {}
        for gateway in gateways:
            _wait_for_the_writer(gateway)
            assert gateway.metric("ledger_lost_calls_total") == 0
    assert _counted(database) == dict.fromkeys(_CALLERS, 400)
    assert [list((folder / "journal").glob("*.journal")) for folder in folders] == [[], []]


def test_a_killed_worker_loses_one_call_at_most_and_other_deaths_lose_none(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    settings, port, calls = _settings(tmp_path / "gateway", database), free_port(), Calls()
    ports = dict.fromkeys(_CALLERS, port)
    with running_gateway(upstream.url, tmp_path / "gateway", settings, port=port) as gateway:
        calls.make(ports, 20)

        def deaths() -> None:
            for find in (_first_worker, Gateway.writer, _first_worker):
                calls.wait_for(50)
                os.kill(find(gateway), signal.SIGKILL)

        killer = threading.Thread(target=deaths, daemon=True)
        killer.start()
        calls.make(ports, 100)
        killer.join(PATIENCE)
        assert not killer.is_alive()
        _wait_for_the_writer(gateway)  # one that has begun counts the rest, even when the server is killed
        calls.make(ports, 5)
        shared, family = gateway.shared, [gateway.process.pid, gateway.writer(), *gateway.workers()]
        gateway.process.kill()
        wait_until(lambda: not any(map(is_running, family)), "end of all processes")
        shutil.rmtree(shared)  # no process is left to remove it
    _assert_counted(calls, database, killed=2)
    with running_gateway(upstream.url, tmp_path / "gateway", settings, port=port):
        calls.make(ports, 5)
    _assert_counted(calls, database, killed=2)
    assert sum(calls.answered.values()) == 130 * len(_CALLERS)


def _first_worker(gateway: Gateway) -> int:
    return gateway.workers()[0]


def test_a_locked_broken_or_missing_ledger_harms_no_call(upstream: FakeUpstream, tmp_path: Path) -> None:
    folder, path = tmp_path / "gateway", tmp_path / "ledger.db"
    database = f"sqlite:///{path}"
    calls, port = Calls(), free_port()
    ports = dict.fromkeys(_CALLERS, port)
    path.write_bytes(b"no database at all" * 100)
    with running_gateway(upstream.url, folder, _settings(folder, database), port=port) as gateway:
        calls.make(ports, 5)
        wait_until(lambda: gateway.metric("ledger_writer_failures_total") > 0, "failure")
        assert gateway.metric("ledger_backlog_bytes") > 0
        assert gateway.admin("/readyz").status_code == 200
        path.unlink()
        _wait_for_the_writer(gateway)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        before = gateway.metric("ledger_writer_failures_total")
        calls.make(ports, 5)
        wait_until(lambda: gateway.metric("ledger_writer_failures_total") > before, "failure")
        holder.close()
        _wait_for_the_writer(gateway)
        shutil.rmtree(folder / "journal")
        (folder / "journal").write_text("no folder any more")
        calls.make(ports, 5)
        wait_until(lambda: gateway.metric("ledger_lost_calls_total") > 0, "count of lost calls")
        (folder / "journal").unlink()
    assert "file is not a database" in gateway.log_text
    assert "database is locked" in gateway.log_text
    counted = _counted(database)
    assert all(10 <= counted[name] <= 15 for name in _CALLERS)


def test_a_caller_marked_as_migrated_is_answered_and_logged_as_a_warning(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    database, folder = f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "gateway"
    with running_gateway(upstream.url, folder, _settings(folder, database, workers=1)) as gateway:
        client = Lean(gateway.port, _address(4))
        assert client() == 200
        wait_until(lambda: _has_counted(database, "registrar"), "count")
        assert LedgerStore(database).mark_migrated("registrar", datetime.now(UTC))
        wait_until(lambda: client() == 200 and bool(_warnings(gateway)), "warning")
        client.close()
        warning = _warnings(gateway)[0]
        assert (warning["caller"], warning["level"]) == ("registrar", "warning")
        assert gateway.call(str(warning["request"]))["outcome"] == "ok"
        assert gateway.metrics()["migrated_calls_total", (("caller", "registrar"),)] > 0
    (registrar,) = LedgerStore(database).summary(datetime.now(UTC)).callers
    assert registrar.calls_since_migrated > 0


def _has_counted(database: str, name: str) -> bool:
    try:
        return _counted(database).get(name, 0) > 0
    except OSError:  # there is no ledger yet
        return False


def _warnings(gateway: Gateway) -> list[dict[str, object]]:
    return [line for line in gateway.lines if line["event"] == "migrated"]


def test_a_reload_may_bring_another_ledger(upstream: FakeUpstream, tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    old, new = (f"sqlite:///{tmp_path / name}.db" for name in ("old", "new"))
    with running_gateway(upstream.url, folder, _settings(folder, old)) as gateway:
        ports = dict.fromkeys(_CALLERS, gateway.port)
        calls = Calls()
        calls.make(ports, 2)
        wait_until(lambda: _exists(old), "ledger")  # from then on its writer holds the lock of the journal
        gateway.configure(_settings(folder, new))
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "Handling signal: hup" in gateway.log_text, "reload")
        wait_until(lambda: _exists(new), "other ledger")
        calls.make(ports, 3)
    assert _counted(old) == dict.fromkeys(_CALLERS, 2)
    assert _counted(new) == dict.fromkeys(_CALLERS, 3)


def _exists(database: str) -> bool:
    try:
        LedgerStore(database).check()
    except OSError:
        return False
    return True


def test_only_the_writer_loads_what_the_ledger_needs(upstream: FakeUpstream, tmp_path: Path) -> None:
    database, folder = f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "gateway"
    with running_gateway(upstream.url, folder, _settings(folder, database)) as gateway:
        Calls().make(dict.fromkeys(_CALLERS, gateway.port), 1)
        _wait_for_the_writer(gateway)
        writer = gateway.writer()
        known = {
            pid: Path(f"/proc/{pid}/maps").read_text() for pid in (gateway.process.pid, writer, *gateway.workers())
        }
        # Not sqlite: coverage loads it into every process that it measures.
        assert [pid for pid, maps in known.items() if "sqlalchemy" in maps] == [writer]
        arguments = Path(f"/proc/{writer}/cmdline").read_bytes()
        assert b"ledger.db" not in arguments
