"""The composition root: ``Config`` to a WSGI application. The only place that knows every room."""

import posixpath
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from shim import errors
from shim.access import authcodes
from shim.config import Config, ContractSource
from shim.query import ScoreFile, ScoreQuery
from shim.rest.client import Client, Limits
from shim.soap import contract, wsdl
from shim.soap.contract import Contract
from shim.soap.endpoint import Endpoint
from shim.soap.exchange import Exchange
from shim.soap.wsdl import Pages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Application:
    """Sends each request to the room for its address."""

    def __init__(self, rooms: Mapping[str, "WSGIApplication"]) -> None:
        """Take the rooms by path.

        ASMX services answer to their path in any case of letters, and so do these.
        """
        self._rooms = {path.lower(): room for path, room in rooms.items()}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        room = self._rooms.get(environ["PATH_INFO"].lower())
        if room is None:
            return Exchange(environ).fault(errors.NOT_FOUND.error(), start_response)
        return room(environ, start_response)


def build(config: Config) -> Application:
    """Build the gateway.

    Raises:
        ContractError: A WSDL or its mapping cannot be used.
        AuthcodeError: An authcode cannot be used.
    """
    client = upstream(config)
    (source,) = config.authcodes
    authcode = authcodes.load(source)

    def fetch(query: ScoreQuery) -> ScoreFile:
        return client.fetch(query, authcode.value)

    rooms: dict[str, WSGIApplication] = {}
    for item in config.contracts:
        served = load_contract(item, config.retirement.info_url)
        pages = Pages(item.wsdl, config.gateway.address + item.path)
        endpoint = Endpoint(served, fetch, max_request=config.gateway.max_request)
        rooms[item.path] = _by_method(pages, endpoint)
        rooms[item.wsdl_path] = pages.wsdl
        folder = posixpath.dirname(item.path)
        rooms |= {posixpath.join(folder, name): pages.imported(body) for name, body in wsdl.imports(item.wsdl).items()}
    return Application(rooms)


def _by_method(pages: Pages, endpoint: Endpoint) -> "WSGIApplication":
    def room(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        reads = environ["REQUEST_METHOD"] in ("GET", "HEAD")
        return (pages if reads else endpoint)(environ, start_response)

    return room


def load_contract(source: ContractSource, info_url: str | None) -> Contract:
    """Read a contract as configured.

    Raises:
        ContractError: The WSDL or its mapping cannot be used.
    """
    mapping = source.mapping or source.wsdl.with_suffix(".toml")
    return contract.load(source.wsdl, mapping, source.reportby, info_url or "")


def upstream(config: Config) -> Client:
    """The client of TOEFL Access as configured."""
    settings = config.upstream
    limits = Limits(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_bytes=settings.max_bytes,
        connections=config.gateway.threads,
    )
    ca_file = str(settings.ca_file) if settings.ca_file is not None else None
    return Client(settings.url, limits, ca_file=ca_file, proxy=settings.proxy)
