"""The systems under test: how each is started and called."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bench import call, nginx
from bench.call import Answer, Call, Form
from bench.process import ROOT, Group, free_port, listening, started
from bench.upstream import Upstream
from shim.sandbox import DEMO_AUTHCODE

_SPOOL: Final = 4 * 1024**3
"""Bytes: room for 16 answers of 160 MB at once."""
ALL: Final = ("direct", "nginx", "textbook", "node-soap", "streaming", "gateway", "gateway-2")
# As many threads as the gateway's own default.
_GUNICORN: Final = ("-m", "gunicorn", "-w1", "-kgthread", "--threads=16", "--keep-alive=75", "--no-control-socket")
_FORMS: Final[dict[str, Form]] = {"direct": "rest", "nginx": "rest", "streaming": "stream"}
_PEERS: Final = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Setup:
    """A folder for files, what the systems call, the gateway's command, and more lines of ``[gateway]`` for it."""

    folder: Path
    upstream: Upstream
    command: Path
    settings: tuple[str, ...] = ()

    @property
    def authcode(self) -> Path:
        """The file with the authcode."""
        path = self.folder / "authcode"
        path.touch(mode=0o600)
        path.write_text(DEMO_AUTHCODE, encoding="ascii")
        return path


@dataclass(frozen=True)
class System:
    """One of ``ALL`` that runs on a port of this machine."""

    name: str
    port: int
    group: Group

    def call(self, kind: str) -> Call:
        """How it is asked for a kind of answer."""
        return call.make(self.port, _FORMS.get(self.name, "soap"), kind)

    def verified(self, kind: str, digest: str) -> Answer:
        """Its answer of a kind, which has the right scores.

        Raises:
            RuntimeError: It has not.
        """
        try:
            return call.verified(self.call(kind), digest)
        except (OSError, ValueError) as error:
            raise RuntimeError(f"{self.name}, {kind}: {error}") from error


def missing(name: str) -> str:
    """Why a system cannot be measured here; empty if it can."""
    if name == "textbook" and find_spec("cgi") is None:
        return "Spyne's own transport needs cgi, which left Python with 3.13"
    if name == "node-soap" and shutil.which("node") is None:
        return "node is not installed"
    if name == "node-soap" and not (_PEERS / "node_modules").is_dir():
        return "npm did not install it"
    return ""


@contextmanager
def running(setup: Setup, *names: str) -> Iterator[list[System]]:
    """Run systems until the end of the block, but for those that are missing."""
    with ExitStack() as stack:
        yield [stack.enter_context(_running(setup, name)) for name in names if not missing(name)]


@contextmanager
def _running(setup: Setup, name: str) -> Iterator[System]:
    if name == "direct":
        yield System(name, setup.upstream.port, setup.upstream.group)
        return
    port = free_port()
    command, environment = commanded(setup, name, port)
    with started(command, setup.folder / f"{name}-{port}.log", listening(port), environment) as group:
        yield System(name, port, group)


def commanded(setup: Setup, name: str, port: int) -> tuple[list[str], dict[str, str]]:
    """The command that starts a system on a port, and its environment."""
    url, authcode = setup.upstream.url, str(setup.authcode)
    if name == "nginx":
        return nginx.proxy(setup.folder / f"nginx-{port}", port, setup.upstream.port), {}
    if name == "node-soap":
        wsdl = ROOT / "wsdl" / "TOEFLEdm.wsdl"
        return ["node", str(_PEERS / "server.js"), str(port), url, str(wsdl), authcode], {}
    if name in ("gateway", "gateway-2"):
        return [str(setup.command), "serve", "-c", str(_configured(setup, name, port))], {}
    environment = {"BENCH_UPSTREAM": url, "BENCH_AUTHCODE": authcode}
    return [sys.executable, *_GUNICORN, "-b", f"127.0.0.1:{port}", f"bench.{name}:application"], environment


def _configured(setup: Setup, name: str, port: int) -> Path:
    path = setup.folder / f"{name}-{port}.toml"
    lines = [
        "[gateway]",
        f'bind = "127.0.0.1:{port}"',
        f"workers = {2 if name == 'gateway-2' else 1}",
        *setup.settings,
        "[upstream]",
        f'url = "{setup.upstream.url}"',
        "[spool]",
        f"max_bytes = {_SPOOL}",
        "[[authcodes]]",
        'name = "bench"',
        f'file = "{setup.authcode}"',
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
