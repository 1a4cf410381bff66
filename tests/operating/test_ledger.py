"""Every call is in the ledger once, but for one that a killed worker was ending; a ledger that fails harms no call."""

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
from shim.sandbox.process import free_port
from tests import postgresql
from tests.operating.load import Lean
from tests.operating.served import PATIENCE, Served, Settings, basic, end, is_running, served, until
from tests.operating.upstream import Upstream

_CALLERS = ("admissions", "advising", "graduate", "nightly", "registrar")


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running


def _settings(folder: Path, database: str, workers: int = 2) -> Settings:
    """Five callers, each known by its address: 127.0.0.2 to 127.0.0.6."""
    return {
        "gateway": {"workers": workers},
        "callers": [{"name": name, "networks": [_address(n)]} for n, name in enumerate(_CALLERS)],
        "ledger": {"url": database, "journal": str(folder / "journal")},
    }


def _driven(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def _counted(database: str) -> Mapping[str, int]:
    """Calls that were answered, by caller."""
    callers = LedgerStore(_driven(database)).summary(datetime.now(UTC)).callers
    return {caller.name: caller.outcomes.get("ok", 0) for caller in callers}


class Calls:
    """The calls of five callers, each on a thread, counted by what they were told."""

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.cut: Counter[str] = Counter()

    def make(self, ports: Mapping[str, int], number: int) -> None:
        """Have each make so many calls that are answered; those that a sudden death cuts are made again."""
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
        """Wait for so many more that are answered."""
        enough = self.answered.total() + more
        until(lambda: self.answered.total() >= enough, "calls")

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


def _all_told(calls: Calls, database: str, *, killed: int) -> None:
    """Each answered call is counted, but for the one that a killed worker was ending; of those cut, what had ended."""
    counted = Counter(_counted(database))
    assert (calls.answered - counted).total() <= killed
    assert not counted - calls.answered - calls.cut


def _wait_for_the_writer(gateway: Served) -> None:
    until(lambda: gateway.metric("ledger_backlog_bytes") == 0, "rest of the writer")


def test_two_gateways_on_one_postgresql_count_every_call(
    upstream: Upstream, cluster: postgresql.Cluster, tmp_path: Path
) -> None:
    database = cluster.database()
    folders = [tmp_path / "one", tmp_path / "two"]
    ports = [free_port(), free_port()]
    calls = Calls()

    def started(stack: ExitStack, which: int) -> Served:
        settings = _settings(folders[which], database)
        return stack.enter_context(served(upstream.url, folders[which], settings, port=ports[which]))

    shared = dict(zip(_CALLERS, [ports[0], ports[0], ports[1], ports[1], ports[0]], strict=True))
    swapped = {name: ports[1] if port == ports[0] else ports[0] for name, port in shared.items()}
    with ExitStack() as stack:
        gateways = [started(stack, 0), started(stack, 1)]
        calls.make(shared, 700)
        gateways[0].reload()
        calls.make(swapped, 500)
        os.kill(gateways[0].writer(), signal.SIGKILL)
        end(gateways[1].process)
        gateways[1] = started(stack, 1)
        calls.make(shared, 800)
        assert calls.cut == {}
        for gateway in gateways:
            _wait_for_the_writer(gateway)
            assert gateway.metric("ledger_lost_calls_total") == 0
    assert _counted(database) == dict.fromkeys(_CALLERS, 2000)
    assert [list((folder / "journal").glob("*.journal")) for folder in folders] == [[], []]


def test_a_sudden_death_loses_one_call_at_most(upstream: Upstream, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    settings, port, calls = _settings(tmp_path / "gateway", database), free_port(), Calls()
    ports = dict.fromkeys(_CALLERS, port)
    with served(upstream.url, tmp_path / "gateway", settings, port=port) as gateway:
        calls.make(ports, 20)

        def deaths() -> None:
            for find in (_worker, Served.writer, _worker):
                calls.wait_for(50)
                os.kill(find(gateway), signal.SIGKILL)

        killer = threading.Thread(target=deaths, daemon=True)
        killer.start()
        calls.make(ports, 200)
        killer.join(PATIENCE)
        assert not killer.is_alive()
        shared, family = gateway.shared, [gateway.process.pid, gateway.writer(), *gateway.workers()]
        gateway.process.kill()
        until(lambda: not any(map(is_running, family)), "end of all")
        shutil.rmtree(shared)  # nobody is left to do that
    _all_told(calls, database, killed=2)
    with served(upstream.url, tmp_path / "gateway", settings, port=port):
        calls.make(ports, 5)
    _all_told(calls, database, killed=2)
    assert sum(calls.answered.values()) == 225 * len(_CALLERS)


def _worker(gateway: Served) -> int:
    return gateway.workers()[0]


def test_a_locked_broken_or_missing_ledger_is_no_business_of_a_call(upstream: Upstream, tmp_path: Path) -> None:
    folder, path = tmp_path / "gateway", tmp_path / "ledger.db"
    database = f"sqlite:///{path}"
    calls, port = Calls(), free_port()
    ports = dict.fromkeys(_CALLERS, port)
    path.write_bytes(b"no database at all" * 100)
    with served(upstream.url, folder, _settings(folder, database), port=port) as gateway:
        calls.make(ports, 5)
        until(lambda: gateway.metric("ledger_writer_failures_total") > 0, "failure")
        assert gateway.metric("ledger_backlog_bytes") > 0
        assert gateway.admin("/readyz").status_code == 200
        path.unlink()
        _wait_for_the_writer(gateway)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        before = gateway.metric("ledger_writer_failures_total")
        calls.make(ports, 5)
        until(lambda: gateway.metric("ledger_writer_failures_total") > before, "failure")
        holder.close()
        _wait_for_the_writer(gateway)
        shutil.rmtree(folder / "journal")
        (folder / "journal").write_text("no folder any more")
        calls.make(ports, 5)
        until(lambda: gateway.metric("ledger_lost_calls_total") > 0, "count of lost calls")
        (folder / "journal").unlink()
    assert "file is not a database" in gateway.log
    assert "database is locked" in gateway.log
    counted = _counted(database)
    assert all(10 <= counted[name] <= 15 for name in _CALLERS)


def test_a_caller_that_was_marked_is_answered_and_warned_of(upstream: Upstream, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    with served(upstream.url, tmp_path / "gateway", _settings(tmp_path / "gateway", database, workers=1)) as gateway:
        client = Lean(gateway.port, _address(4))
        assert client() == 200
        until(lambda: (tmp_path / "ledger.db").exists() and _is_counted(database, "registrar"), "count")
        assert LedgerStore(database).mark_migrated("registrar", datetime.now(UTC))
        until(lambda: client() == 200 and bool(_warnings(gateway)), "warning")
        client.close()
        warning = _warnings(gateway)[0]
        assert (warning["caller"], warning["level"]) == ("registrar", "warning")
        assert gateway.call(str(warning["request"]))["outcome"] == "ok"
        assert gateway.metrics()["migrated_calls_total", (("caller", "registrar"),)] > 0
    (registrar,) = LedgerStore(database).summary(datetime.now(UTC)).callers
    assert registrar.calls_since_migrated > 0


def _is_counted(database: str, name: str) -> bool:
    try:
        return _counted(database).get(name, 0) > 0
    except OSError:
        return False


def _warnings(gateway: Served) -> list[dict[str, object]]:
    return [line for line in gateway.lines if line["event"] == "migrated"]


def test_a_reload_may_bring_another_ledger(upstream: Upstream, tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    old, new = (f"sqlite:///{tmp_path / name}.db" for name in ("old", "new"))
    with served(upstream.url, folder, _settings(folder, old)) as gateway:
        ports = dict.fromkeys(_CALLERS, gateway.port)
        calls = Calls()
        calls.make(ports, 2)
        until(lambda: _is_made(old), "ledger")  # from then on its writer has the journal to itself
        gateway.configure(basic(gateway, upstream.url, _settings(folder, new)))
        gateway.process.send_signal(signal.SIGHUP)
        until(lambda: "Handling signal: hup" in gateway.log, "reload")
        until(lambda: _is_made(new), "other ledger")
        calls.make(ports, 3)
    assert _counted(old) == dict.fromkeys(_CALLERS, 2)
    assert _counted(new) == dict.fromkeys(_CALLERS, 3)


def _is_made(database: str) -> bool:
    try:
        LedgerStore(database).check()
    except OSError:
        return False
    return True


def test_neither_server_nor_workers_load_what_the_ledger_needs(upstream: Upstream, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    with served(upstream.url, tmp_path / "gateway", _settings(tmp_path / "gateway", database)) as gateway:
        Calls().make(dict.fromkeys(_CALLERS, gateway.port), 1)
        _wait_for_the_writer(gateway)
        writer = gateway.writer()
        known = {
            pid: Path(f"/proc/{pid}/maps").read_text() for pid in (gateway.process.pid, writer, *gateway.workers())
        }
        # Not sqlite: what measures the tests loads that into every process.
        assert [pid for pid, maps in known.items() if "sqlalchemy" in maps] == [writer]
        arguments = Path(f"/proc/{writer}/cmdline").read_bytes()
        assert b"ledger.db" not in arguments
