"""Canaries: unique words in the place of secrets and personal data, and a search for where they appear."""

import base64
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from tests.collector import Collector
from tests.gateway import Gateway
from tests.processes import PATIENCE


class Canaries:
    """Makes unique words, one for each part of a message."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}

    def __call__(self, place: str) -> str:
        """Return the word for a part; it is the same each time."""
        return self._words.setdefault(place, f"Canary{len(self._words)}x{os.urandom(6).hex()}")

    def forms(self) -> Iterator[tuple[str, bytes]]:
        """Return the forms in which each word could appear, with the part that it stands for."""
        for place, word in self._words.items():
            plain = word.encode()
            yield place, plain
            yield f"{place}, as base64", base64.b64encode(plain)
            yield f"{place}, as UTF-16", word.encode("utf-16-le")

    def found_in(self, places: Mapping[str, bytes]) -> list[str]:
        """Return a sentence for each word that a place holds."""
        return [
            f"{place} is in {where}"
            for where, content in places.items()
            for place, form in self.forms()
            if form.lower() in content.lower()
        ]


def exchanged(port: int, request: bytes, *, ends: bool = False) -> bytes:
    """Send bytes, and return all bytes of the answer.

    Args:
        port: The port of 127.0.0.1.
        request: The bytes.
        ends: Whether to shut down the sending side afterwards.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def traces(gateway: Gateway, collector: Collector | None = None) -> dict[str, bytes]:
    """Return all that a gateway shows or stores, by place: its log, its files, its metrics, ``/proc`` and its spans."""
    found = {
        "the spans": b"".join(collector.bodies) if collector is not None else b"",
        "the log": (gateway.folder / "log").read_bytes(),
        "the metrics": gateway.admin("/metrics").content,
        "the readiness": gateway.admin("/readyz").content,
    }
    for pid in (gateway.process.pid, *gateway.workers(), *gateway.writers()):
        for name in ("cmdline", "environ", "comm"):
            found[f"{name} of {pid}"] = Path(f"/proc/{pid}/{name}").read_bytes()
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                target = str(link.readlink())
                if target.startswith((str(gateway.folder), str(gateway.shared))) and not target.endswith("/log"):
                    found[f"open file {target}"] = link.read_bytes()
    names = ("spool", "tmp", "journal", "ledger.db")
    for folder in (*map(gateway.folder.joinpath, names), gateway.shared, *gateway.folder.glob("core*")):
        for path in (folder, *folder.rglob("*")):
            found[f"name of {path}"] = path.name.encode()
            if path.is_file():
                found[f"file {path}"] = path.read_bytes()
    return found
