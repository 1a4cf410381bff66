"""A gateway as a process of its own, with a configuration file, as operators and legacy clients meet it."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests
from prometheus_client.parser import text_string_to_metric_families

from bench import growth
from shim.config import PREFIX
from shim.sandbox import DEMO_AUTHCODE
from shim.sandbox.process import wait_for
from tests import planted as test_data
from tests.processes import PATIENCE, free_port, stop, wait_until

PATH: Final = "/TOEFLWebService/TOEFLEdm.asmx"

Settings = Mapping[str, Any]
"""A configuration as TOML has it: tables by name, or lists of tables."""
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Gateway:
    """A gateway that runs.

    Attributes:
        folder: Holds its files: ``gateway.toml``, ``authcode``, ``log``, ``spool`` and ``tmp``.
        upstream_url: The address of ``/scores``.
        port: The port for SOAP.
        admin_port: The port for operators.
        process: The server, which starts the workers and the ledger's writer.
    """

    folder: Path
    upstream_url: str
    port: int
    admin_port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """The address of the shipped contract."""
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def wsdl(self) -> str:
        """The address of the WSDL with the SOAP 1.1 port."""
        return f"{self.url}?wsdl"

    @property
    def wsdl_of_all_ports(self) -> str:
        """The address of the WSDL with the SOAP 1.2 port as well."""
        return f"{self.url}?wsdl&ports=all"

    @property
    def log(self) -> Path:
        """The file with all that it writes."""
        return self.folder / "log"

    @property
    def log_text(self) -> str:
        """What it has written."""
        return self.log.read_text(encoding="utf-8")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The fields of each line in the log that is whole."""
        return [json.loads(line) for line in self.log_text.splitlines(keepends=True) if line.endswith("\n")]

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The lines of calls."""
        return [line for line in self.lines if line["event"] == "call"]

    def call(self, number: str) -> dict[str, Any]:
        """Wait for the line of a call with this request number, and return it: it is written after the answer."""
        wait_until(lambda: any(line["request"] == number for line in self.calls), f"line of {number}")
        (line,) = [line for line in self.calls if line["request"] == number]
        return line

    @property
    def shared(self) -> Path:
        """The folder that its workers share."""
        return growth.shared(self.process.pid)

    def workers(self) -> list[int]:
        """Return the process ids of its workers."""
        return [pid for pid in self._children() if not _is_writer(pid)]

    def worker(self) -> int:
        """Return the process id of its only worker."""
        (worker,) = self.workers()
        return worker

    def writers(self) -> list[int]:
        """Return the process id of the ledger's writer, if there is one."""
        return list(filter(_is_writer, self._children()))

    def writer(self) -> int:
        """Wait for the ledger's writer, and return its process id."""
        wait_until(lambda: bool(self.writers()), "writer")
        (writer,) = self.writers()
        return writer

    def _children(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def admin(self, path: str) -> requests.Response:
        """Get a path of the admin address."""
        return requests.get(f"http://127.0.0.1:{self.admin_port}{path}", timeout=PATIENCE)

    def metrics(self) -> dict[tuple[str, Labels], float]:
        """Return every sample by its name, without ``toefl_shim_``, and its labels."""
        answer = self.admin("/metrics")
        assert answer.status_code == 200
        return {
            (sample.name.removeprefix("toefl_shim_"), tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    def metric(self, name: str) -> float:
        """Return a sample without labels."""
        return self.metrics()[name, ()]

    def tables(self, settings: Settings | None = None) -> dict[str, Any]:
        """Return the tables that every gateway of the tests has, with others merged over them."""
        return _tables(self.folder, self.upstream_url, (self.port, self.admin_port), settings)

    def configure(self, settings: Settings | None = None) -> None:
        """Write the configuration file: the tables of all gateways, with others merged over them."""
        write_config(self.folder, self.tables(settings))

    def reload(self) -> None:
        """Send SIGHUP, and wait until all workers are new."""
        old = set(self.workers())
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: bool(self.workers()) and not old & set(self.workers()), "new workers")


@contextmanager
def running_gateway(  # noqa: PLR0913 - each is a thing that some test varies
    upstream_url: str,
    folder: Path,
    settings: Settings | None = None,
    *,
    authcode: str = DEMO_AUTHCODE,
    planted: Iterable[str] = (),
    port: int = 0,
    output: int | None = None,
) -> Iterator[Gateway]:
    """Run a gateway until the end of the block; then look for secrets and tracebacks in its log.

    Args:
        upstream_url: The address of ``/scores``.
        folder: The folder for all its files; it is made if need be.
        settings: Tables to merge over those of ``Gateway.tables``.
        authcode: The stored authcode, unless the folder has one from an earlier run.
        planted: What must not be in the log, besides the authcode and all that ``tests.planted`` knows.
        port: The port for SOAP; 0 for any free one.
        output: A file descriptor to write to, instead of the log.
    """
    for path in (folder, folder / "spool", folder / "tmp"):
        path.mkdir(parents=True, exist_ok=True)
    if not (folder / "authcode").exists():
        write_secret(folder / "authcode", authcode)
    ports = port or free_port(), free_port()
    tables = _tables(folder, upstream_url, ports, settings)
    write_config(folder, tables)
    with _started(folder, output) as process:
        wait_for(process, f"127.0.0.1:{ports[0]}")
        gateway = Gateway(folder, upstream_url, *ports, process)
        wait_until(lambda: len(gateway.workers()) == tables["gateway"]["workers"], "workers")
        yield gateway
    _, _, secret = base64.b64decode(authcode).decode().partition(":")
    values = (authcode, secret, *planted, *test_data.planted().values())
    written = gateway.log_text
    leaked = sum(value in written for value in values)
    assert not leaked, f"{leaked} planted values are in {gateway.log}"
    assert "Traceback" not in written, f"a traceback is in {gateway.log}"


@contextmanager
def _started(folder: Path, output: int | None) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "shim", "serve", "-c", str(folder / "gateway.toml")],
            cwd=folder,
            env=environment | {"TMPDIR": str(folder / "tmp")},
            stdout=log if output is None else output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        stop(process)


def write_secret(path: Path, text: str) -> Path:
    """Write a file that its owner alone may read."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def _is_writer(pid: int) -> bool:
    try:
        return b"shim.ledger.writer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _tables(folder: Path, upstream_url: str, ports: tuple[int, int], settings: Settings | None) -> dict[str, Any]:
    tables: dict[str, Any] = {
        "gateway": {"bind": f"127.0.0.1:{ports[0]}", "admin_bind": f"127.0.0.1:{ports[1]}", "workers": 1},
        "upstream": {"url": upstream_url},
        "spool": {"folder": str(folder / "spool")},
        "authcodes": [{"name": "main", "file": str(folder / "authcode")}],
    }
    for name, table in (settings or {}).items():
        tables[name] = table if isinstance(table, list) else tables.get(name, {}) | table
    return tables


def write_config(folder: Path, tables: Settings) -> None:
    """Write tables to ``gateway.toml`` in a folder."""
    lines = []
    for name, value in tables.items():
        for table in value if isinstance(value, list) else [value]:
            lines.append(f"[[{name}]]" if isinstance(value, list) else f"[{name}]")
            lines += [f"{key} = {_toml(each)}" for key, each in table.items()]
    (folder / "gateway.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
