"""nginx with the files of ``deploy/nginx``; only ports, folders, names and allowed networks are replaced."""

import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shim.sandbox.process import wait_for
from tests.deploy.tools import DEPLOY, said
from tests.gateway import PATH
from tests.operating.proxy import configured
from tests.processes import free_port, stop
from tests.tools import require

NAME: Final = "localhost"
_SERVER: Final = "    server 127.0.0.1:{} fail_timeout=1s;\n"


@dataclass(frozen=True)
class Front:
    """A running nginx.

    Attributes:
        folder: The folder of its files: ``tls`` and ``log``.
        port: The port of the usual listener.
        old_port: The port of the listener for old clients.
        certificate_port: The port of the listener that asks for a client certificate.
    """

    folder: Path
    port: int
    old_port: int
    certificate_port: int

    def url(self, port: int | None = None) -> str:
        return f"https://{NAME}:{port or self.port}{PATH}"

    @property
    def authority(self) -> Path:
        """The file with the certificate of its authority."""
        return self.folder / "tls" / "ca.pem"

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in sorted((self.folder / "log").iterdir()))


@contextmanager
def front(folder: Path, gateways: Sequence[int], *, name: str = NAME, port: int = 0) -> Iterator[Front]:
    """Run nginx before gateways until the end of the block, with a certificate for a name.

    Args:
        folder: The folder for its files.
        gateways: The ports of the gateways.
        name: The name in its certificate.
        port: The port of the usual listener; 0 for any free one.
    """
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
    assert not left, "deploy/nginx no longer has these texts"
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
        stop(process)


def trusted(running: Front) -> ssl.SSLContext:
    """Return TLS settings that trust the authority of nginx, and no other."""
    return ssl.create_default_context(cafile=str(running.authority))


def trusting(authority: Path, home: Path) -> dict[str, str]:
    """Return the environment of a Mono program that trusts one authority, and no other.

    Args:
        authority: The file with the authority's certificate.
        home: The folder for Mono's certificate store.
    """
    home.mkdir(exist_ok=True)
    environment = {"HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    sync = require("cert-sync", install="apt-get install mono-devel")
    said(sync, "--quiet", "--user", authority, environment=environment)
    return environment
