"""A PostgreSQL of the tests' own: a cluster in a temporary folder, run by a user who is not root."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from tests.processes import free_port
from tests.tools import require

PASSWORD: Final = "Synthetic-Database-Password"
_USER: Final = "postgres"


@dataclass
class Cluster:
    """A server that runs.

    Attributes:
        port: Where it listens.
        pid: Its first process.
    """

    port: int
    pid: int
    _made: int = 0

    def database(self) -> str:
        """Make another database, and tell its address."""
        self._made += 1
        name = f"ledger_{self._made}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.address(name)

    def address(self, database: str) -> str:
        return f"postgresql://{_USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"


@contextmanager
def running() -> Iterator[Cluster]:
    """Run a server until the end of the block."""
    initdb = _program("initdb")
    folder = Path(tempfile.mkdtemp(prefix="toefl-shim-postgresql-", dir="/tmp"))
    process: subprocess.Popen[bytes] | None = None
    try:
        if os.getuid() == 0:
            shutil.chown(folder, _USER)
        secret, data = folder / "password", folder / "data"
        secret.write_text(PASSWORD)
        options = ["--no-sync", "--encoding=UTF8", "--locale=C", f"--username={_USER}", "--auth=scram-sha-256"]
        command = _as_user([str(initdb), *options, f"--pwfile={secret}", str(data)])
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")
        port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": "50",
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                _as_user([str(initdb.parent / "postgres"), "-D", str(data), *arguments]),
                stdout=log,
                stderr=log,
                cwd="/",
            )
        cluster = Cluster(port, process.pid)
        _wait_for(cluster, process)
        yield cluster
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # ends it though there are connections
            process.wait(30)
        shutil.rmtree(folder)


def _program(name: str) -> Path:
    """Debian keeps it off PATH, in a folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found[-1] if found else Path(require(name, install="apt-get install postgresql"))


def _as_user(command: Sequence[str]) -> list[str]:
    if os.getuid() != 0:
        return list(command)
    user = pwd.getpwnam(_USER)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]


def _wait_for(cluster: Cluster, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert process.poll() is None, "PostgreSQL ended"
        with suppress(psycopg.OperationalError):
            psycopg.connect(cluster.address("postgres"), connect_timeout=2).close()
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    raise TimeoutError("PostgreSQL does not answer")
