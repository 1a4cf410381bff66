"""The process that answers: gunicorn's worker of gevent, with limits to its patience and last words in SOAP."""

import fcntl
import signal
import socket
import termios
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import gevent
import structlog
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.util import close_graceful, write_nonblock
from gunicorn.workers.ggevent import GeventWorker

from shim import errors
from shim.web import correlation
from shim.wire import answer
from shim.wire.dialect import Dialect

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_log = structlog.get_logger()

KEEPALIVE: Final = 75
"""Seconds; longer than nginx keeps a connection (60), so that nginx is the one that closes it."""
# Seconds for the first head on a connection.
_FIRST_HEAD: Final = 10
# Seconds in which a caller must take some of an answer; longer than the others, which are ended in other ways.
_STALLED: Final = 90
# Seconds for which a stopping worker waits for a call that a client may be sending on a kept connection.
_LINGER: Final = 2
# Bytes of a request that are thrown away after its answer; closing at once would take the answer back (RFC 9112 §9.6).
_THROWN_AWAY: Final = 1024 * 1024
_ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def hold_signals() -> None:
    """Let signals that end a process wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


def release_signals() -> None:
    """Take those that have waited, and all that come."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


@contextmanager
def signals_held() -> Iterator[None]:
    """Hold the signals that end a process until the end of the block."""
    hold_signals()
    try:
        yield
    finally:
        release_signals()


class Worker(GeventWorker):  # type: ignore[misc]
    """gunicorn's worker of gevent, patient with slow callers for a while only, and with other last words.

    What it answers to a request that it cannot read is a page of HTML that repeats
    a part of it, and so does its line in the log. A SOAP client can read neither.
    """

    sockets: list[Any]
    wsgi: Any

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Start with no connections."""
        super().__init__(*args, **kwargs)
        self._connections: dict[Any, Any] = {}
        self._waiting: set[Any] = set()
        self._used: WeakSet[Any] = WeakSet()

    def init_signals(self) -> None:
        """Take signals from here on, and those that came since the fork."""
        super().init_signals()
        release_signals()

    def handle(self, listener: object, client: Any, addr: object) -> None:  # noqa: ANN401 - gunicorn has no types
        """Serve one connection."""
        client.settimeout(_STALLED)
        own = gevent.getcurrent()
        self._connections[own] = client
        try:
            super(GeventWorker, self).handle(listener, client, addr)
        finally:
            del self._connections[own]

    def handle_request(self, listener_name: object, req: Any, sock: object, addr: object) -> None:  # noqa: ANN401 - same
        """Answer one request."""
        self._used.add(gevent.getcurrent())
        try:
            super().handle_request(listener_name, req, sock, addr)
        finally:
            _cork(sock, on=False)
            if _is_unread(req.body):
                close_graceful(sock, max_drain=_THROWN_AWAY)

    def load_wsgi(self) -> None:
        """Take the application; where it answers before the end of a request, that is the last on its connection.

        gunicorn would read such a request to its end, however far that is, and keep
        all others waiting; and after a time-out within a chunk it would take the
        rest of the chunk for another request.
        """
        super().load_wsgi()
        application = self.wsgi
        self._measure = application.metrics.measure

        def closing(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            def start(*answer: Any) -> Callable[[bytes], object]:  # noqa: ANN401 - gunicorn has no types
                if not self.alive or _is_unread(environ["wsgi.input"]):
                    start_response.__self__.force_close()  # type: ignore[attr-defined]
                # gunicorn sends the head by itself; a packet of its own would take as long as a tenth of a call.
                _cork(environ["gunicorn.socket"], on=True)
                return start_response(*answer)

            return application(environ, start)  # type: ignore[no-any-return]

        self.wsgi = closing

    def notify(self) -> None:
        """Tell the server every second that this worker lives, and everybody what it is doing."""
        super().notify()
        self._measure()

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """Wait for the head of a request: not long on a new connection, longer on one that was used."""
        own = gevent.getcurrent()
        usual = KEEPALIVE if own in self._used else _FIRST_HEAD
        patience = gevent.Timeout(usual if self.alive else _LINGER)
        self._waiting.add(own)
        try:
            with patience:
                yield
        except gevent.Timeout as timeout:
            if timeout is not patience:
                raise
        finally:
            self._waiting.discard(own)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Begin to stop: running calls end, and connections that wait are closed once no call is on its way."""
        super().handle_exit(sig, frame)
        gevent.spawn_later(_LINGER, self._close_waiting)

    def _close_waiting(self) -> None:
        for own in tuple(self._waiting):
            # On a machine that is busy a call may have come of which nobody has taken notice yet.
            if not _has_come(self._connections[own]):
                own.kill(StopIteration, block=False)
        if self._waiting:
            gevent.spawn_later(_LINGER, self._close_waiting)

    def patch(self) -> None:
        """Take the listening sockets as gevent's; the standard library was patched before it was imported."""
        self.sockets = [
            socket.socket(listener.FAMILY, socket.SOCK_STREAM, fileno=listener.sock.detach())
            for listener in self.sockets
        ]

    def handle_error(self, req: object, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ANN401, ARG002 - gunicorn has no types
        """Answer a fault and close."""
        error = errors.BAD_HTTP.error() if isinstance(exc, ParseException) else errors.INTERNAL.error()
        cause, number, dialect = error.cause, correlation.request_number(), Dialect()
        body = answer.fault(dialect, cause, error.told(number))
        head = (
            f"HTTP/1.1 {cause.http_11} {HTTPStatus(cause.http_11).phrase}\r\nContent-Type: {dialect.content_type}\r\n"
            f"Content-Length: {len(body)}\r\nX-Request-ID: {number}\r\nConnection: close\r\n\r\n"
        )
        _log.warning("call", request=number, outcome=cause.slug, note=errors.location(exc))
        try:
            write_nonblock(client, head.encode() + body)
        except OSError:
            _log.debug("call", request=number, outcome="caller-left")
        close_graceful(client, max_drain=_THROWN_AWAY)


def _cork(client: Any, *, on: bool) -> None:  # noqa: ANN401 - gunicorn has no types
    """Let the kernel gather what is sent into full packets, or send what it has gathered."""
    with suppress(OSError):  # the caller went away
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, on)


def _has_come(client: socket.socket) -> bool:
    """Whether there are bytes of a client that were not read yet."""
    found = bytearray(4)
    fcntl.ioctl(client.fileno(), termios.FIONREAD, found)
    return any(found)


def _is_unread(body: Any) -> bool:  # noqa: ANN401 - gunicorn has no types
    """Whether some of a request is still to come, or nobody can tell."""
    reader = body.reader
    return bool(reader.length if isinstance(reader, LengthReader) else reader.parser)
