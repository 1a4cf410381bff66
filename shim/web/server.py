"""gunicorn around the WSGI application: its settings, its log, and its reload.

What this module uses of gunicorn without a promise: ``Arbiter.manage_workers``, and that ``BaseApplication.reload``
calls ``load_config``. ``tests/operating`` holds it to what it needs.
"""

import gc
import logging
import os
import resource
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from shim import errors
from shim.config import ConfigError, GatewaySettings, LedgerSettings
from shim.contracts.contract import ContractError
from shim.ledger.supervisor import WriterSupervisor
from shim.upstream.authcode import AuthcodeError
from shim.web.application import Application
from shim.web.worker import KEEPALIVE, hold_signals, release_signals, signals_held

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = structlog.get_logger()

# In each worker, idle ones included.
_CONNECTIONS: Final = 12_000
_FILES: Final = 2 * _CONNECTIONS + 1000


class Deployment(NamedTuple):
    """What is served.

    Attributes:
        application: The application; it was built, and so checked, before any worker starts.
        settings: How it is served.
        ledger: Where its calls are counted.
    """

    application: Application
    settings: GatewaySettings
    ledger: LedgerSettings


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with the settings of a gateway."""

    def __init__(self, deployment: Deployment, rebuild: Callable[[], Deployment]) -> None:
        """Set up the server.

        Args:
            deployment: What to serve.
            rebuild: Builds what to serve from the configuration of now; called at a SIGHUP.
        """
        self._deployment = deployment
        self._rebuild = rebuild
        self._writer = WriterSupervisor(deployment.ledger, signals_held)
        super().__init__()

    def run(self) -> None:
        """Serve until a signal ends the server; return only in the process that called this."""
        own = os.getpid()
        _allow_many_connections()
        # A core file would hold authcodes and scores.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # What was built at start lives to the end: no worker needs to search it for garbage, or copy its pages.
        gc.freeze()
        gc.enable()
        # Until a new worker has installed its own handlers it has the server's, which would lose a signal that ends it.
        os.register_at_fork(before=hold_signals, after_in_parent=release_signals)
        try:
            _Arbiter(self, self._writer).run()
        except SystemExit as end:
            # A worker is a fork of this very stack: it must not unwind what its parent still uses.
            if os.getpid() != own:
                os._exit(end.code if isinstance(end.code, int) else 1)
            self._writer.stop()
            raise

    def reload(self) -> None:
        """Read the configuration again; a wrong one changes nothing. New workers follow in either case."""
        try:
            self._deployment = self._rebuild()
        except (ConfigError, AuthcodeError, ContractError) as error:
            for reason in str(error).splitlines():
                _log.error("server", note=f"the old configuration stays in use: {reason}")
        self._writer.reconfigure(self._deployment.ledger)
        super().reload()

    def load_config(self) -> None:
        """Set gunicorn up from our settings alone: no file, no command line, no environment."""
        settings = self._deployment.settings
        for name, value in {
            "bind": [bind for bind in (settings.bind, settings.admin_bind) if bind is not None],
            "workers": settings.workers,
            "graceful_timeout": settings.stop_timeout,
            "child_exit": lambda _, worker: self._deployment.application.metrics.forget(worker.pid),
            "worker_connections": _CONNECTIONS,
            "worker_exit": lambda _server, _worker: self._deployment.application.close(),
            "worker_class": "shim.web.worker.Worker",
            # gunicorn would use its parser in C wherever one is installed, of whatever age.
            "http_parser": "python",
            "logger_class": "shim.web.server.ServerLogger",
            "keepalive": KEEPALIVE,
            "proc_name": "toefl-shim",
            # Proxies' headers count only where gateway.trusted_proxies says so, and are read there.
            "forwarded_allow_ips": "",
            # Whoever reaches its socket could command the server.
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> "WSGIApplication":
        """Return the application for each worker."""
        return self._deployment.application


class _Arbiter(Arbiter):  # type: ignore[misc]
    """gunicorn's arbiter, which keeps the ledger's writer alive beside the workers."""

    def __init__(self, server: Server, writer: WriterSupervisor) -> None:
        """Supervise both."""
        self._writer = writer
        super().__init__(server)

    def manage_workers(self) -> None:
        """Look after writer and workers, once a second; the writer first, since it ends after the workers."""
        self._writer.ensure_running()
        super().manage_workers()


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's log as structured lines: its own sentences of start and stop, and no text of a request."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Send gunicorn's lines to the structured log."""
        super().setup(cfg)
        self.error_log.handlers = [_Handler()]


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        trace = record.exc_info[1] if record.exc_info else None
        note = errors.location(trace) if trace is not None else ""
        _log.log(record.levelno, "server", note=note or record.getMessage())


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, hard), hard))
