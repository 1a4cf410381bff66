"""A proxy between a client and a gateway that records what the client sends."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Tap(socketserver.ThreadingTCPServer):
    """A proxy that records.

    Attributes:
        received: All bytes that clients have sent.
    """

    daemon_threads = True

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Line)
        self.target = target
        self.received = bytearray()

    @property
    def address(self) -> str:
        """The ``HOST:PORT`` to call instead of the gateway's."""
        return f"127.0.0.1:{self.server_address[1]}"


class _Line(socketserver.BaseRequestHandler):
    request: socket.socket
    server: Tap

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as gateway:
            back = threading.Thread(target=_pass_on, args=(gateway, self.request))
            back.start()
            _pass_on(self.request, gateway, self.server.received)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket, keep: bytearray | None = None) -> None:
    # Either side may close its connection at any time.
    with suppress(OSError):
        while data := source.recv(64 * 1024):
            if keep is not None:
                keep += data
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def tapped(address: str) -> Iterator[Tap]:
    """Run a tap before ``HOST:PORT`` until the end of the block."""
    host, _, port = address.rpartition(":")
    with Tap((host, int(port))) as tap:
        thread = threading.Thread(target=tap.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield tap
        finally:
            tap.shutdown()
            thread.join()
