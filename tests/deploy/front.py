"""nginx with the files of ``deploy/nginx`` as they are, but for ports, folders and the networks that may come."""

import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shim.sandbox.process import free_port, wait_for
from tests.deploy.tools import DEPLOY, said
from tests.operating.proxy import configured
from tests.operating.served import PATH, end
from tests.tools import require

NAME: Final = "localhost"
_SERVER: Final = "    server 127.0.0.1:{} fail_timeout=1s;\n"


@dataclass(frozen=True)
class Front:
    """nginx that runs.

    Attributes:
        folder: Where its files are: ``tls`` and ``log``.
        port: Of the usual listener.
        old_port: Of the one for old clients.
        certificate_port: Of the one that asks for certificates.
    """

    folder: Path
    port: int
    old_port: int
    certificate_port: int

    def url(self, port: int | None = None) -> str:
        return f"https://{NAME}:{port or self.port}{PATH}"

    @property
    def authority(self) -> Path:
        """The certificate of who vouches for it."""
        return self.folder / "tls" / "ca.pem"

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in sorted((self.folder / "log").iterdir()))


@contextmanager
def front(folder: Path, gateways: Sequence[int], *, name: str = NAME, port: int = 0) -> Iterator[Front]:
    """Run nginx before gateways until the end of the block, with a certificate for a name."""
    nginx = require("nginx", install="apt-get install nginx-light")
    for part in ("conf.d", "log"):
        (folder / part).mkdir(parents=True)
    tls = folder / "tls"
    said(DEPLOY / "impersonation" / "ca.sh", tls, name)
    running = Front(folder, port or free_port(), free_port(), free_port())
    ours = {
        "listen 443 ": f"listen 127.0.0.1:{running.port} ",
        "listen 10.20.0.5:8443 ": f"listen 127.0.0.1:{running.old_port} ",
        "listen 9443 ": f"listen 127.0.0.1:{running.certificate_port} ",
        _SERVER.format(8081) + _SERVER.format(8082): "".join(_SERVER.format(gateway) for gateway in gateways),
        "10.20.0.0/16": "127.0.0.0/8",
        "scores.example.edu": name,
        "/etc/nginx/tls/scores.pem": f"{tls}/server.pem",
        "/etc/nginx/tls/scores.key": f"{tls}/server.key",
        "/etc/nginx/tls/callers-ca.pem": f"{tls}/callers.pem",
        "/var/log/nginx/": f"{folder}/log/",
    }
    left = set(ours)
    for source in sorted((DEPLOY / "nginx").iterdir()):
        text = source.read_text()
        for old, new in ours.items():
            if old in text:
                left.discard(old)
                text = text.replace(old, new)
        (folder / source.name if source.suffix == ".inc" else folder / "conf.d" / source.name).write_text(text)
    assert not left, "no such thing in deploy/nginx any more"
    made = ("-keyout", tls / "caller.key", "-out", tls / "callers.pem")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    said("openssl", "req", "-x509", *key, "-subj", "/O=Example/CN=registrar-import", *made)
    config = configured(folder, folder / "conf.d" / "*.conf")
    with (folder / "own").open("wb") as log:
        process = subprocess.Popen([nginx, "-e", "stderr", "-c", str(config)], stdout=log, stderr=log)
    try:
        wait_for(process, f"127.0.0.1:{running.port}")
        yield running
    finally:
        end(process)


def trusted(running: Front) -> ssl.SSLContext:
    """What a client trusts that trusts its authority alone."""
    return ssl.create_default_context(cafile=str(running.authority))


def trusting(authority: Path, home: Path) -> dict[str, str]:
    """The environment of a Mono program that trusts an authority, and no other."""
    home.mkdir(exist_ok=True)
    environment = {"HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    sync = require("cert-sync", install="apt-get install mono-devel")
    said(sync, "--quiet", "--user", authority, environment=environment)
    return environment
