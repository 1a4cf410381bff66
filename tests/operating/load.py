"""Clients that call in a loop and retry nothing."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.gateway import PATH, Gateway
from tests.processes import PATIENCE, wait_until
from tests.soap_http import Answer, envelope

_PAUSE = 0.05
_XML = {"Content-Type": "text/xml; charset=utf-8"}


def typed(kind: str, body: bytes | None = None) -> bytes:
    """Return a call for a type of scores."""
    return (body or envelope()).replace(b"<Type>TOEFL<", f"<Type>{kind}<".encode())


class Kept:
    """A client that keeps its connection."""

    def __init__(self, url: str, source: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        own = (source, 0)
        self.connection = (
            http.client.HTTPSConnection(parts.netloc, timeout=PATIENCE, source_address=own, context=context)
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.netloc, timeout=PATIENCE, source_address=own)
        )

    def __call__(self, body: bytes | None = None) -> Answer:
        self.connection.request("POST", self._path, body or envelope(), _XML)
        response = self.connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())


class Lean:
    """A cheap client that keeps its connection; of an answer it checks the status and the length."""

    def __init__(self, port: int, source: str) -> None:
        self._places = ("127.0.0.1", port), (source, 0)
        self._socket = self._connected()
        head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {_XML['Content-Type']}\r\n"
        self._request = f"{head}Content-Length: {len(envelope())}\r\n\r\n".encode() + envelope()

    def __call__(self) -> int:
        """Make a call, and return its status."""
        self._socket.sendall(self._request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(headers[b"content-length"])
        while len(body) < length:
            body += self._more()
        assert len(body) == length
        if headers.get(b"connection") == b"close":
            self.close()
            self._socket = self._connected()
        return int(head.split()[1])

    def close(self) -> None:
        self._socket.close()

    def _connected(self) -> socket.socket:
        there, here = self._places
        return socket.create_connection(there, timeout=PATIENCE, source_address=here)

    def _more(self) -> bytes:
        more = self._socket.recv(65536)
        if not more:
            raise ConnectionError("the answer was cut")
        return more


class Load:
    """What became of the clients' calls.

    Attributes:
        calls: The number of calls that were answered with scores.
        failures: Why each other call failed.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.failures: list[str] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def wait_for(self, more: int) -> None:
        """Wait for so many more calls; raise at a failure."""
        enough = self.calls + more
        wait_until(lambda: self.calls >= enough or bool(self.failures), "calls")
        assert self.failures == []

    def stop(self) -> None:
        self._stopped.set()

    def run(self, call: Callable[[], str], *, counts: bool = True) -> None:
        """Repeat a call that returns its failure, or an empty text."""
        while not self._stopped.wait(_PAUSE):
            try:
                wrong = call()
            except (OSError, http.client.HTTPException) as error:
                wrong = f"{type(error).__name__}: {error}"
            with self._lock:
                if wrong:
                    self.failures.append(wrong)
                else:
                    self.calls += counts


@contextmanager
def loaded(
    url: str, *, kept: int = 4, fresh: int = 4, scraped: Gateway | None = None, context: ssl.SSLContext | None = None
) -> Iterator[Load]:
    """Let clients call until the end of the block.

    Args:
        url: The address that they call.
        kept: The number of clients that keep their connection.
        fresh: The number of clients that make a connection for each call.
        scraped: A gateway whose metrics are read all the while.
        context: The TLS settings for an https address.
    """
    load = Load()
    clients = [Kept(url, context=context) for _ in range(kept)]
    tasks: list[Callable[[], None]] = [
        *(lambda client=client: load.run(lambda: _checked(client())) for client in clients),
        *(lambda: load.run(lambda: _once(url, context)) for _ in range(fresh)),
    ]
    if scraped is not None:
        tasks.append(lambda: load.run(lambda: "" if scraped.metrics() else "no metrics", counts=False))
    threads = [threading.Thread(target=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop()
        for thread in threads:
            thread.join(PATIENCE)
        for client in clients:
            client.connection.close()


def _once(url: str, context: ssl.SSLContext | None) -> str:
    client = Kept(url, context=context)
    try:
        return _checked(client())
    finally:
        client.connection.close()


def _checked(answer: Answer) -> str:
    return "" if answer.status == 200 and answer.result else f"{answer.status} {answer.body[:200]!r}"


class Background:
    """A call on a thread of its own.

    Attributes:
        answer: The answer, once it has come.
        error: The error, once the call has failed.
    """

    def __init__(self, call: Callable[[], Answer]) -> None:
        self._call = call
        self.answer: Answer | None = None
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.answer = self._call()
        except (OSError, http.client.HTTPException) as error:
            self.error = error

    def wait(self) -> "Background":
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self

    @property
    def whole(self) -> Answer:
        """Wait for the answer, and return it."""
        self.wait()
        assert self.error is None, self.error
        assert self.answer is not None
        return self.answer
