"""Certificates, right and wrong, made by ``openssl``."""

import ssl
import subprocess
from pathlib import Path
from typing import Final

from tests.tools import require

_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
# Only ``openssl ca`` can make a certificate that has expired. Since Python 3.13 it must name the keys and their use.
_CONFIG: Final = """\
[ca]
default_ca = own
[own]
database = {folder}/index
rand_serial = yes
new_certs_dir = {folder}
default_md = sha256
policy = policy
copy_extensions = copy
x509_extensions = server
unique_subject = no
[server]
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
[policy]
commonName = supplied
"""


class Authority:
    """A certificate authority.

    Attributes:
        certificate: The file with its certificate.
    """

    def __init__(self, folder: Path) -> None:
        """Make the authority in an empty folder."""
        self._folder = folder
        self.certificate = folder / "ca.pem"
        (folder / "index").touch()
        (folder / "config").write_text(_CONFIG.format(folder=folder), encoding="ascii")
        name = ["-subj", "/CN=synthetic authority", "-days", "2", "-addext", "keyUsage=critical,keyCertSign"]
        _openssl("req", "-x509", *_KEY, *name, "-keyout", folder / "ca.key", "-out", self.certificate)

    def server(self, name: str = "IP:127.0.0.1", end: str = "21000101000000Z") -> ssl.SSLContext:
        """Return the TLS settings of a server.

        Args:
            name: The name in its certificate.
            end: The end of its certificate, as ``YYYYMMDDHHMMSSZ``.
        """
        key, request, certificate = (self._folder / part for part in ("key.pem", "request.pem", "certificate.pem"))
        names = ["-subj", "/CN=server", "-addext", f"subjectAltName={name}"]
        _openssl("req", "-new", *_KEY, *names, "-keyout", key, "-out", request)
        authority = ("-config", self._folder / "config", "-cert", self.certificate, "-keyfile", self._folder / "ca.key")
        times = ("-startdate", "20200101000000Z", "-enddate", end)
        _openssl("ca", "-batch", "-notext", *authority, *times, "-in", request, "-out", certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


def _openssl(*arguments: str | Path) -> None:
    program = require("openssl", install="apt-get install openssl")
    subprocess.run([program, *arguments], check=True, capture_output=True)
