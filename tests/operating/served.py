"""A gateway with a configuration file, whose processes can be seen, signalled and ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests
from prometheus_client.parser import text_string_to_metric_families

from bench import growth
from shim import config
from shim.sandbox import DEMO_AUTHCODE
from shim.sandbox.process import free_port, wait_for
from tests.planted import planted

PATH: Final = "/TOEFLWebService/TOEFLEdm.asmx"
PATIENCE: Final = 30.0

Settings = Mapping[str, Any]
"""A configuration as TOML has it: tables by name, or lists of tables."""
Labels = tuple[tuple[str, str], ...]


@dataclass
class Served:
    """A gateway that runs.

    Attributes:
        folder: Where its files are: ``gateway.toml``, ``authcode``, ``log``, ``spool``, ``tmp``.
        port: Where it answers SOAP.
        admin_port: Where it answers its operator.
        process: The server.
    """

    folder: Path
    port: int
    admin_port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines(keepends=True) if line.endswith("\n")]

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The lines of calls."""
        return [line for line in self.lines if line["event"] == "call"]

    @property
    def shared(self) -> Path:
        """The folder that the workers share: the server has files of it open."""
        return growth.shared(self.process.pid)

    def call(self, number: str) -> dict[str, Any]:
        """The line of a call by its request number; it is written after the answer."""
        until(lambda: any(line["request"] == number for line in self.calls), f"line of {number}", 10)
        (line,) = [line for line in self.calls if line["request"] == number]
        return line

    def workers(self) -> list[int]:
        return [pid for pid in self._children() if not _is_writer(pid)]

    def writer(self) -> int:
        """The process that writes the ledger."""
        until(lambda: bool(self.writers()), "writer")
        (writer,) = self.writers()
        return writer

    def writers(self) -> list[int]:
        """That process, if there is a ledger."""
        return list(filter(_is_writer, self._children()))

    def _children(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def admin(self, path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.admin_port}{path}", timeout=PATIENCE)

    def metrics(self) -> dict[tuple[str, Labels], float]:
        """Every sample by its name and labels; without the name's first part."""
        answer = self.admin("/metrics")
        assert answer.status_code == 200
        return {
            (sample.name.removeprefix("toefl_shim_"), tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    def metric(self, name: str) -> float:
        """One without labels."""
        return self.metrics()[name, ()]

    def configure(self, settings: Settings) -> None:
        (self.folder / "gateway.toml").write_text(_toml(settings), encoding="utf-8")

    def reload(self) -> None:
        """Send SIGHUP, and wait until all workers are others."""
        old = set(self.workers())
        self.process.send_signal(signal.SIGHUP)
        until(lambda: bool(self.workers()) and not old & set(self.workers()), "other workers")


@contextmanager
def served(upstream: str, folder: Path, settings: Settings | None = None, *, port: int = 0) -> Iterator[Served]:
    """Run a gateway until the end of the block; then look for secrets in what it wrote.

    Args:
        upstream: The address of ``/scores``.
        folder: For all its files.
        settings: Tables to merge over those of ``basic``.
        port: Where it answers SOAP; 0 for a free one.
    """
    folder.mkdir(exist_ok=True)
    for name in ("spool", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    if not (folder / "authcode").exists():
        secret(folder / "authcode", DEMO_AUTHCODE)
    port, admin_port = port or free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(config.PREFIX)}
    with (folder / "log").open("ab") as output:
        gateway = Served(folder, port, admin_port, None)  # type: ignore[arg-type]
        tables = basic(gateway, upstream, settings)
        gateway.configure(tables)
        gateway.process = subprocess.Popen(
            [sys.executable, "-m", "shim", "serve", "-c", str(folder / "gateway.toml")],
            cwd=folder,
            env=environment | {"TMPDIR": str(folder / "tmp")},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(gateway.process, f"127.0.0.1:{port}")
        until(lambda: len(gateway.workers()) == tables["gateway"]["workers"], "workers")
        yield gateway
    finally:
        end(gateway.process)
    written = gateway.log
    assert not [name for name, value in planted().items() if value in written]
    assert "Traceback" not in written


def basic(gateway: Served, upstream: str, settings: Settings | None = None) -> dict[str, Any]:
    """The settings of a gateway in a folder, with others merged over them."""
    tables: dict[str, Any] = {
        "gateway": {
            "bind": f"127.0.0.1:{gateway.port}",
            "admin_bind": f"127.0.0.1:{gateway.admin_port}",
            "workers": 1,
        },
        "upstream": {"url": upstream},
        "spool": {"folder": str(gateway.folder / "spool")},
        "authcodes": [{"name": "main", "file": str(gateway.folder / "authcode")}],
    }
    for name, table in (settings or {}).items():
        tables[name] = table if isinstance(table, list) else tables.get(name, {}) | table
    return tables


def secret(path: Path, text: str) -> Path:
    """Write a file that not everybody may read."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def until(done: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
    """Wait for something, and tell how long it took."""
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < seconds, f"no {what} in {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


def _is_writer(pid: int) -> bool:
    try:
        return b"shim.ledger.writer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def nameless(pid: int, folder: Path) -> int:
    """How many files without a name a process has open in a folder."""
    links = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(str(path.readlink()))
        except FileNotFoundError:  # closed since
            continue
    return sum(link.startswith(str(folder)) and link.endswith("(deleted)") for link in links)


def _toml(settings: Settings) -> str:
    lines = []
    for name, value in settings.items():
        for table in value if isinstance(value, list) else [value]:
            lines.append(f"[[{name}]]" if isinstance(value, list) else f"[{name}]")
            lines += [f"{key} = {json.dumps(each, ensure_ascii=False)}" for key, each in table.items()]
    return "\n".join(lines) + "\n"
