"""The composition root: ``Config`` to a WSGI application. The only place that knows every room."""

import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shim import errors
from shim.access.authcodes import Authcode, StoredAuthcode
from shim.access.callers import Callers
from shim.access.proof import Credentials, Proof
from shim.access.replays import Replays
from shim.access.source import source
from shim.access.standing import Standings
from shim.admin import Admin
from shim.config import Config, ContractSource
from shim.query import ScoreFile, ScoreQuery
from shim.rest.client import Client, Limits
from shim.soap import contract, wsdl
from shim.soap.contract import Contract
from shim.soap.endpoint import Admit, Admitted, Endpoint
from shim.soap.exchange import ADDRESS, Exchange
from shim.soap.wsdl import Pages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Application:
    """Sends each request to the room for its address."""

    def __init__(self, rooms: Mapping[str, "WSGIApplication"], admin: Admin, admin_bind: str | None) -> None:
        """Take the rooms by path, and the one for all requests to the admin address.

        ASMX services answer to their path in any case of letters, and so do these.
        """
        self._rooms = {path.lower(): room for path, room in rooms.items()}
        self._admin = admin
        self._admin_port = admin_bind.rpartition(":")[2] if admin_bind is not None else None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ["SERVER_PORT"] == self._admin_port:
            return self._admin(environ, start_response)
        room = self._rooms.get(environ["PATH_INFO"].lower())
        if room is None:
            return Exchange(environ).fault(errors.NOT_FOUND.error(), start_response)
        return room(environ, start_response)


def build(config: Config, shared: Path) -> Application:
    """Build the gateway.

    Args:
        config: The configuration.
        shared: An empty folder that all workers share.

    Raises:
        ContractError: A WSDL or its mapping cannot be used.
        AuthcodeError: An authcode or a caller's secret cannot be used.
    """
    stored = {source.name: StoredAuthcode(source) for source in config.authcodes}
    standings = Standings(_folder(shared, "standings"))
    admit = _admission(config, stored, standings, Replays(_folder(shared, "nonces")))
    rooms: dict[str, WSGIApplication] = {}
    for item in config.contracts:
        served = load_contract(item, config.retirement.info_url)
        pages = Pages(item.wsdl, config.gateway.address + item.path)
        endpoint = Endpoint(served, admit, max_request=config.gateway.max_request)
        rooms[item.path] = _by_method(pages, endpoint)
        rooms[item.wsdl_path] = pages.wsdl
        folder = posixpath.dirname(item.path)
        rooms |= {posixpath.join(folder, name): pages.imported(body) for name, body in wsdl.imports(item.wsdl).items()}
    return Application(rooms, Admin(stored, standings), config.gateway.admin_bind)


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir(exist_ok=True)
    return folder


def _admission(config: Config, stored: Mapping[str, StoredAuthcode], standings: Standings, replays: Replays) -> Admit:
    client = upstream(config)
    callers = Callers(config.who_may_call, stored, replays)
    gateway = config.gateway

    def admit(environ: "WSGIEnvironment", offered: tuple[Credentials, ...]) -> Admitted:
        seen = source(environ, gateway.trusted_proxies, gateway.certificate_header)
        environ[ADDRESS] = str(seen.address)
        proof = Proof(seen.address, seen.relayed, seen.certificate, offered)
        caller = callers.identify(proof)

        def fetch(query: ScoreQuery) -> ScoreFile:
            if isinstance(caller.authcode, Authcode):
                return _passed_through(caller.authcode, query)
            try:
                file = caller.authcode.use(lambda authcode: client.fetch(query, authcode.value))
            except errors.GatewayError as error:
                if error.cause is errors.UPSTREAM_AUTHCODE:
                    standings.refused(caller.authcode.name)
                raise
            standings.succeeded(caller.authcode.name)
            return file

        def _passed_through(authcode: Authcode, query: ScoreQuery) -> ScoreFile:
            try:
                file = client.fetch(query, authcode.value)
            except errors.GatewayError as error:
                # The authcode is made of what the caller sent, so it is the caller that is not known.
                if error.cause is errors.UPSTREAM_AUTHCODE:
                    raise callers.rejected(proof) from error
                raise
            callers.accepted(proof)
            return file

        return Admitted(caller.name, fetch)

    return admit


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
