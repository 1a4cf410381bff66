"""gunicorn around the WSGI application: its settings, its log, and how it is set up anew."""

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
from shim.app import Application
from shim.config import ConfigError, GatewaySettings, LedgerSettings
from shim.contracts.contract import ContractError
from shim.ledger.supervisor import WriterSupervisor
from shim.upstream.authcodes import AuthcodeError
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
        application: It was built, and so checked, before any worker starts.
        settings: How it is served.
        ledger: Where its callers are counted.
    """

    application: Application
    settings: GatewaySettings
    ledger: LedgerSettings


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with the settings of a gateway."""

    def __init__(self, site: Deployment, rebuild: Callable[[], Deployment]) -> None:
        """Take what to serve, and how to build it anew when a signal asks for that."""
        self._site = site
        self._rebuild = rebuild
        self._keeper = WriterSupervisor(site.ledger, signals_held)
        super().__init__()

    def run(self) -> None:
        """Serve until a signal ends it; only the process that called this returns from it."""
        own = os.getpid()
        _allow_many_connections()
        # A core file would hold authcodes and scores.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # What was built at start lives to the end: no worker needs to look through it for garbage, or copy its pages.
        gc.freeze()
        gc.enable()
        # Until a new worker has handlers of its own it has the server's, which would lose the signal that ends it.
        os.register_at_fork(before=hold_signals, after_in_parent=release_signals)
        try:
            _Arbiter(self, self._keeper).run()
        except SystemExit as end:
            # A worker is a fork of this very stack: it must not unwind what its parent still uses.
            if os.getpid() != own:
                os._exit(end.code if isinstance(end.code, int) else 1)
            self._keeper.stop()
            raise

    def reload(self) -> None:
        """Read the configuration again; a wrong one changes nothing. New workers follow in either case."""
        try:
            self._site = self._rebuild()
        except (ConfigError, AuthcodeError, ContractError) as error:
            for reason in str(error).splitlines():
                _log.error("server", note=f"the old configuration stays in use: {reason}")
        self._keeper.reconfigure(self._site.ledger)
        super().reload()

    def load_config(self) -> None:
        """Set gunicorn up from our settings alone: no file, no command line, no environment."""
        settings = self._site.settings
        for name, value in {
            "bind": [bind for bind in (settings.bind, settings.admin_bind) if bind is not None],
            "workers": settings.workers,
            "graceful_timeout": settings.stop_timeout,
            "child_exit": lambda _, worker: self._site.application.metrics.forget(worker.pid),
            "worker_connections": _CONNECTIONS,
            "worker_exit": lambda _server, _worker: self._site.application.close(),
            "worker_class": "shim.web.worker.Worker",
            # Its other parser, in C, would be taken wherever one is installed, of whatever age.
            "http_parser": "python",
            "logger_class": "shim.web.server.ServerLogger",
            "keepalive": KEEPALIVE,
            "proc_name": "toefl-shim",
            # What a proxy says counts only where gateway.trusted_proxies says so, and is read there.
            "forwarded_allow_ips": "",
            # Its socket would let whoever reaches it command the server.
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> "WSGIApplication":
        """Give each worker the application."""
        return self._site.application


class _Arbiter(Arbiter):  # type: ignore[misc]
    """gunicorn's own, which keeps the ledger's writer alive as well as the workers."""

    def __init__(self, server: Server, keeper: WriterSupervisor) -> None:
        """Take both."""
        self._keeper = keeper
        super().__init__(server)

    def manage_workers(self) -> None:
        """Look after all of them, once a second; the writer first, for it ends when the workers have."""
        self._keeper.ensure_running()
        super().manage_workers()


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's log as structured lines: its own sentences of start and stop, and no text of a request."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Send its lines to ours."""
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
