"""The gateway as a textbook would write it: Spyne's own transport and protocol around one ``requests`` session."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

import shim.contracts.spyne_compat  # noqa: F401 - before Spyne

from spyne import Application, ByteArray, ComplexModel, DateTime, ServiceBase, Unicode, rpc  # isort: skip
from spyne.protocol.soap import Soap11  # isort: skip
from spyne.server.wsgi import WsgiApplication  # isort: skip

_NAMESPACE = "https://ets.org/edm/webservices/"
_session = requests.Session()
_session.headers["authcode"] = Path(os.environ["BENCH_AUTHCODE"]).read_text(encoding="ascii").strip()


class GetScoresRequest(ComplexModel):  # type: ignore[misc]
    """The parameters."""

    __namespace__ = _NAMESPACE
    StartDate = DateTime
    EndDate = DateTime
    Type = Unicode
    ReportBy = Unicode


class TOEFLEdm(ServiceBase):  # type: ignore[misc]
    """The service."""

    @rpc(GetScoresRequest, _returns=ByteArray)  # type: ignore[untyped-decorator]
    def GetScores(_context: Any, request: Any) -> list[bytes]:  # noqa: ANN401, N802, N805 - as Spyne wants it
        """Fetch the scores."""
        query = {
            "startdate": _text(request.StartDate),
            "enddate": _text(request.EndDate),
            "type": request.Type,
            "reportby": request.ReportBy,
        }
        response = _session.get(os.environ["BENCH_UPSTREAM"], params=query, timeout=90)
        response.raise_for_status()
        return [response.content]


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


application = WsgiApplication(
    Application([TOEFLEdm], _NAMESPACE, in_protocol=Soap11(validator="lxml"), out_protocol=Soap11())
)
