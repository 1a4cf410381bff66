"""Gateways as processes: which they are, and what they show to others on the machine."""

import http.client
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.gateway import Gateway
from tests.soap_http import MEDIA_TYPES, SOAP_11, Answer

_PATIENCE: Final = 30


def processes(gateway: Gateway) -> list[int]:
    """Return the process ids of the server and its workers."""
    return [gateway.process.pid, *gateway.workers()]


def arguments(gateway: Gateway) -> str:
    """What ``ps`` shows of them."""
    return "\n".join(_read(pid, "cmdline").decode() for pid in processes(gateway))


def ask(
    gateway: Gateway, body: str, headers: dict[str, str] | None = None, *, version: str = SOAP_11, source: str = ""
) -> Answer:
    """Post a body from an address of this machine, on a connection of its own."""
    parts = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_PATIENCE, source_address=(source or "127.0.0.1", 0))
    try:
        declared = {"Content-Type": f"{MEDIA_TYPES[version]}; charset=utf-8"}
        connection.request("POST", parts.path, body.encode(), declared | (headers or {}))
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, response.read())
    finally:
        connection.close()


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it has ended, or is somebody else's
        return b""
