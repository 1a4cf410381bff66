"""Four gateways behind one nginx with one ledger: a new authcode and a restart of each gateway fail no call."""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from shim.ledger.store import LedgerStore
from shim.sandbox import Sandbox
from shim.upstream.authcode import Authcode
from tests import postgresql
from tests.deploy.front import front, trusted
from tests.gateway import Gateway, Settings, running_gateway, write_secret
from tests.operating.load import Load, loaded
from tests.processes import free_port, stop, wait_until

_OLD, _NEW = (Authcode.of("synthetic-id", word).value for word in ("synthetic-old", "synthetic-new"))
_REPLICAS: Final = 4


class Replicas:
    """Gateways that share their authcode, as a mounted secret, and the database of their ledgers."""

    def __init__(self, stack: ExitStack, folder: Path, upstream: str, database: str) -> None:
        self._stack, self._folder, self._upstream = stack, folder, upstream
        self._database = database
        self.main, self.following = folder / "authcode", folder / "authcode-next"
        self.lives: list[Path] = []
        self.ports = [free_port() for _ in range(_REPLICAS)]
        self.running = [self._started(port) for port in self.ports]

    def restart(self, which: int, load: Load) -> None:
        """Restart a gateway as a pod restarts: with an empty folder."""
        stop(self.running[which].process)
        load.wait_for(20)
        self.running[which] = again = self._started(self.ports[which])
        wait_until(lambda: len(again.calls) > 5, "calls of the restarted gateway")

    def stop(self) -> None:
        """Stop all gateways at once."""
        for gateway in self.running:
            gateway.process.terminate()

    def _started(self, port: int) -> Gateway:
        folder = self._folder / f"life-{len(self.lives)}"
        self.lives.append(folder)
        settings: Settings = {
            "gateway": {"trusted_proxies": ["127.0.0.0/8"]},
            "callers": [{"name": "registrar", "networks": ["127.0.0.0/8"]}],
            "authcodes": [{"name": "main", "file": str(self.main), "next_file": str(self.following)}],
            "ledger": {"url": self._database, "journal": str(folder / "journal")},
        }
        return self._stack.enter_context(running_gateway(self._upstream, folder, settings, port=port))


@pytest.fixture
def database(cluster: postgresql.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a database whose password is in a file, as in the container."""
    made = cluster.database()
    line = f"127.0.0.1:{cluster.port}:*:*:{postgresql.PASSWORD}\n"
    monkeypatch.setenv("PGPASSFILE", str(write_secret(tmp_path / "ledger-password", line)))
    return made.replace(f":{postgresql.PASSWORD}@", "@").replace("postgresql://", "postgresql+psycopg://")


def test_rotation_and_a_rolling_restart_fail_no_call_and_the_ledger_is_exact(database: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        sandbox.authcodes = {_OLD}
        write_secret(tmp_path / "authcode", _OLD)
        replicas = Replicas(stack, tmp_path, sandbox.url, database)
        running = stack.enter_context(front(tmp_path / "nginx", replicas.ports))
        with loaded(running.url(), kept=2, fresh=1, context=trusted(running)) as load:
            load.wait_for(50)
            write_secret(replicas.following, _NEW)
            sandbox.authcodes = {_NEW}  # at no time are both accepted
            load.wait_for(50)
            write_secret(tmp_path / "new", _NEW).replace(replicas.main)
            replicas.following.unlink()
            load.wait_for(50)
            for which in range(_REPLICAS):
                replicas.restart(which, load)
        assert load.failures == []
        replicas.stop()
    assert [list((life / "journal").glob("*.journal")) for life in replicas.lives] == [[]] * 2 * _REPLICAS
    callers = LedgerStore(database).summary(datetime.now(UTC)).callers
    assert {caller.name: caller.outcomes for caller in callers} == {"registrar": {"ok": load.calls}}
