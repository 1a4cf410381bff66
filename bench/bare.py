"""The least application that gunicorn can serve with Spyne imported; how long that takes to start."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import shim.contracts.spyne_compat  # noqa: F401 - before Spyne

from spyne import Application, ByteArray, ComplexModel, DateTime, ServiceBase, Unicode, rpc  # noqa: F401  # isort: skip

with suppress(ModuleNotFoundError):  # it needs cgi, which left Python with 3.13
    from spyne.protocol.soap import Soap11  # noqa: F401

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer anything."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", "0")])
    return []
