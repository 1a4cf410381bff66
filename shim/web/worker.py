"""The process that answers: gunicorn's gevent worker, with time limits for connections and its own last words.

What this module uses of gunicorn without a promise: the methods of ``GeventWorker`` that it overrides, the class of
requests of ``RequestParser``, the readers of a request's body, and ``close_graceful`` and ``write_nonblock``.
``tests/web/test_worker.py`` holds it to what it needs.
"""

import fcntl
import re
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
from gunicorn.http.parser import RequestParser
from gunicorn.util import close_graceful, write_nonblock
from gunicorn.workers.ggevent import GeventWorker

from shim import errors
from shim.web import correlation
from shim.web.lenient_request import LenientRequest
from shim.wire import answer, envelope
from shim.wire.dialect import Dialect, Version

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_log = structlog.get_logger()

KEEPALIVE: Final = 75
"""Seconds; longer than nginx keeps a connection (60), so that nginx is the one to close it."""
# Seconds for the first head on a connection.
_FIRST_HEAD: Final = 10
# Seconds in which a caller must take some of an answer; longer than all other limits, which end a call themselves.
_STALLED: Final = 90
# Seconds for which a stopping worker waits for a call that a client may be sending on a kept connection.
_LINGER: Final = 2
# Bytes of a request that are read and dropped after its answer: closing at once would cut the answer (RFC 9112 §9.6).
_DRAINED: Final = 1024 * 1024
# Bytes of a request to tell its SOAP version by.
_RECORDED: Final = 8192
_CONTENT_TYPE: Final = re.compile(rb"^content-type:\s*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def hold_signals() -> None:
    """Keep signals that end a process pending."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


def release_signals() -> None:
    """Deliver pending signals, and all that come."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


@contextmanager
def signals_held() -> Iterator[None]:
    """Keep signals that end a process pending in the block."""
    hold_signals()
    try:
        yield
    finally:
        release_signals()


class _StoppingError(Exception):
    """Ends a connection that waits for a request while the worker stops."""


class _RecordingSocket:
    """A client's socket that keeps the beginning of what it received: gunicorn drops a head that it cannot read.

    Attributes:
        received: What was received since the last request that was answered, up to a few kilobytes.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - gevent's or the standard library's
        self._client = client
        self.received = b""

    def recv(self, *arguments: int) -> bytes:
        data: bytes = self._client.recv(*arguments)
        if len(self.received) < _RECORDED:
            self.received += data
        return data

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of a socket
        return getattr(self._client, name)


class Worker(GeventWorker):  # type: ignore[misc]
    """gunicorn's gevent worker, with time limits for slow callers and faults instead of HTML.

    gunicorn answers a request that it cannot read with a page of HTML that repeats a
    part of the request, and logs that part. A SOAP client can read neither.
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
        """Handle signals from here on, and those that came since the fork."""
        super().init_signals()
        release_signals()

    def handle(self, listener: object, client: Any, addr: object) -> None:  # noqa: ANN401 - gunicorn has no types
        """Serve one connection."""
        client.settimeout(_STALLED)
        own = gevent.getcurrent()
        self._connections[own] = recording = _RecordingSocket(client)
        try:
            # Past GeventWorker's own, which would take the time limit away again.
            super(GeventWorker, self).handle(listener, recording, addr)
        finally:
            del self._connections[own]

    def handle_request(self, listener_name: object, req: Any, sock: Any, addr: object) -> None:  # noqa: ANN401 - same
        """Answer one request."""
        self._used.add(gevent.getcurrent())
        try:
            super().handle_request(listener_name, req, sock, addr)
        finally:
            sock.received = b""
            _cork(sock, on=False)
            if _is_unread(req.body):
                close_graceful(sock, max_drain=_DRAINED)

    def load_wsgi(self) -> None:
        """Load the application; an answer before the end of its request is the last on its connection.

        gunicorn would read such a request to its end, however far away, and keep
        all other calls waiting; and after a time-out within a chunk it would take
        the rest of the chunk for another request.
        """
        super().load_wsgi()
        RequestParser.mesg_class = LenientRequest
        application = self.wsgi
        self._sample = application.sample

        def closing(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            def start(*status_and_headers: Any) -> Callable[[bytes], object]:  # noqa: ANN401 - gunicorn has no types
                if not self.alive or _is_unread(environ["wsgi.input"]):
                    start_response.__self__.force_close()  # type: ignore[attr-defined]
                # gunicorn sends the head by itself; a packet of its own takes as long as a tenth of a call.
                _cork(environ["gunicorn.socket"], on=True)
                return start_response(*status_and_headers)

            return application(environ, start)  # type: ignore[no-any-return]

        self.wsgi = closing

    def notify(self) -> None:
        """Tell the server every second that this worker lives, and sample the gauges."""
        super().notify()
        self._sample()

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """Wait for the head of a request: briefly on a new connection, longer on one that was used.

        gunicorn closes the connection if the block ends without a request.
        """
        own = gevent.getcurrent()
        limit = gevent.Timeout(KEEPALIVE if own in self._used else _FIRST_HEAD)
        if not self.alive:
            gevent.spawn_later(_LINGER, self._close_waiting)
        self._waiting.add(own)
        try:
            with limit:
                yield
        except _StoppingError:
            pass
        except gevent.Timeout as timeout:
            if timeout is not limit:
                raise
        finally:
            self._waiting.discard(own)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Begin to stop: let running calls end, and close idle connections once no call is on its way."""
        super().handle_exit(sig, frame)
        gevent.spawn_later(_LINGER, self._close_waiting)

    def _close_waiting(self) -> None:
        for own in tuple(self._waiting):
            # On a busy machine a call may have arrived that this worker has not read yet.
            if not _has_unread_bytes(self._connections[own]):
                own.kill(_StoppingError, block=False)
        if self._waiting:
            gevent.spawn_later(_LINGER, self._close_waiting)

    def patch(self) -> None:
        """Make gevent's sockets of the listeners; ``__main__`` has patched the standard library already."""
        self.sockets = [
            socket.socket(listener.FAMILY, socket.SOCK_STREAM, fileno=listener.sock.detach())
            for listener in self.sockets
        ]

    def handle_error(self, req: object, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ANN401, ARG002 - gunicorn has no types
        """Answer with a fault, and close the connection."""
        error = errors.BAD_HTTP.error() if isinstance(exc, ParseException) else errors.INTERNAL.error()
        cause, number, dialect = error.cause, correlation.request_number(), Dialect(_version_of(client.received))
        body = answer.fault(dialect, cause, error.fault_text(number))
        head = (
            f"HTTP/1.1 {cause.http} {HTTPStatus(cause.http).phrase}\r\nContent-Type: {dialect.content_type}\r\n"
            f"Content-Length: {len(body)}\r\nX-Request-ID: {number}\r\nConnection: close\r\n\r\n"
        )
        _log.warning("call", request=number, outcome=cause.slug, note=errors.location(exc))
        try:
            write_nonblock(client, head.encode() + body)
        except OSError:
            _log.debug("call", request=number, outcome="caller-left")
        close_graceful(client, max_drain=_DRAINED)


def _version_of(received: bytes) -> Version:
    """Return the SOAP version in which to answer a request that gunicorn cannot read, by what was received of it."""
    content_type = _CONTENT_TYPE.search(received)
    return envelope.guess_dialect(received, content_type[1].decode("latin-1") if content_type else "").version


def _cork(client: Any, *, on: bool) -> None:  # noqa: ANN401 - gunicorn has no types
    """Let the kernel gather what is sent into full packets, or send what it has gathered."""
    with suppress(OSError):  # the caller has left
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, on)


def _has_unread_bytes(client: socket.socket) -> bool:
    """Return whether the kernel holds bytes of a client."""
    found = bytearray(4)
    fcntl.ioctl(client.fileno(), termios.FIONREAD, found)
    return any(found)


def _is_unread(body: Any) -> bool:  # noqa: ANN401 - gunicorn has no types
    """Return whether some of a request is still to come, or cannot be known."""
    reader = body.reader
    return bool(reader.length if isinstance(reader, LengthReader) else reader.parser)
