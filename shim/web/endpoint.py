"""The WSGI endpoint of one contract: reads a request, and sends the pipeline's answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shim import errors
from shim.access import source
from shim.access.source import Network
from shim.call_record import CallRecord, Observe
from shim.pipeline import Pipeline, Request
from shim.web import correlation
from shim.web.request import RequestBody, RequestLimits, action, check_media_type
from shim.web.response import respond

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """What all endpoints of a gateway share.

    Attributes:
        limits: What a request may take.
        trusted_proxies: Networks of the proxies whose headers count.
        certificate_header: The header with the subject of the client's certificate.
    """

    limits: RequestLimits
    trusted_proxies: Sequence[Network] = ()
    certificate_header: str = ""


class Endpoint:
    """Answers the SOAP calls of one contract."""

    def __init__(self, pipeline: Pipeline, settings: EndpointSettings, observe: Observe) -> None:
        """Answer with a pipeline, and tell an observer of each call that has ended."""
        self._pipeline = pipeline
        self._settings = settings
        self._observe = observe

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        record = correlation.record_of(environ, self._observe)
        body = RequestBody(environ)
        try:
            answer = self._pipeline.answer(self._read(environ, body, record), record)
        except Exception as error:  # noqa: BLE001 - a bug of the gateway is answered with a fault as well
            answer = self._pipeline.refuse(errors.as_gateway_error(error), body.guess_dialect(), record)
        return respond(answer, record, environ, start_response)

    def _read(self, environ: "WSGIEnvironment", body: RequestBody, record: CallRecord) -> Request:
        settings = self._settings
        sender = source.read(environ, settings.trusted_proxies, settings.certificate_header)
        record.note(address=str(sender.address))
        if environ["REQUEST_METHOD"] != "POST":
            raise errors.METHOD.error()
        content_type = environ.get("CONTENT_TYPE", "")
        check_media_type(content_type)
        return Request(
            body=body.read(settings.limits),
            content_type=content_type,
            action=action(environ),
            authorization=environ.get("HTTP_AUTHORIZATION", ""),
            source=sender,
        )
