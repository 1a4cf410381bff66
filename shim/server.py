"""gunicorn around the WSGI application: its settings, and a worker that answers in SOAP even to broken HTTP."""

import logging
import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from shim import errors, telemetry
from shim.config import Gateway
from shim.soap import answer
from shim.soap.dialect import Dialect

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = structlog.get_logger()

# Seconds; longer than nginx keeps a connection (60), so that nginx is the one that closes it.
_KEEPALIVE: Final = 75


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with the settings of a gateway."""

    def __init__(self, application: "WSGIApplication", settings: Gateway) -> None:
        """Take an application that was built, and so checked, before any worker starts."""
        self._application = application
        self._settings = settings
        super().__init__()

    def run(self) -> None:
        """Serve until a signal ends it; only the process that called this returns from it."""
        own = os.getpid()
        try:
            super().run()
        except SystemExit as end:
            # A worker is a fork of this very stack: it must not unwind what its parent still uses.
            if os.getpid() != own:
                os._exit(end.code if isinstance(end.code, int) else 1)
            raise

    def load_config(self) -> None:
        """Set gunicorn up from our settings alone: no file, no command line, no environment."""
        for name, value in {
            "bind": [bind for bind in (self._settings.bind, self._settings.admin_bind) if bind is not None],
            "workers": self._settings.workers,
            "threads": self._settings.threads,
            "worker_class": "shim.server.Worker",
            "logger_class": "shim.server.ServerLogger",
            "keepalive": _KEEPALIVE,
            "proc_name": "toefl-shim",
            # What a proxy says counts only where gateway.trusted_proxies says so, and is read there.
            "forwarded_allow_ips": "",
            # Its socket would let whoever reaches it command the server.
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> "WSGIApplication":
        """Give each worker the application."""
        return self._application


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's log as structured lines: its own sentences of start and stop, and no text of a request."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Send its lines to ours."""
        super().setup(cfg)
        self.error_log.handlers = [_Handler()]


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        trace = record.exc_info[1] if record.exc_info else None
        note = telemetry.where(trace) if trace is not None else ""
        _log.log(record.levelno, "server", note=note or record.getMessage())


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, but for what it answers to a request that it cannot read.

    Its own answer is a page of HTML that repeats a part of the request, and so
    does its line in the log. A SOAP client can read neither.
    """

    def handle_error(self, req: object, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ANN401, ARG002 - gunicorn has no types
        """Answer a fault and close."""
        error = errors.BAD_HTTP.error() if isinstance(exc, ParseException) else errors.INTERNAL.error()
        cause, number, dialect = error.cause, telemetry.request_number(), Dialect()
        body = answer.fault(dialect, cause, error.told(number))
        head = (
            f"HTTP/1.1 {cause.http_11} {HTTPStatus(cause.http_11).phrase}\r\nContent-Type: {dialect.content_type}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        _log.warning("call", request=number, outcome=cause.slug, note=telemetry.where(exc))
        try:
            write_nonblock(client, head.encode() + body)
        except OSError:
            _log.debug("call", request=number, outcome="caller-left")
