"""Settings of the gateway itself: where it listens, what it tells clients, and its limits."""

from collections.abc import Iterator

from pydantic import Field, IPvAnyNetwork, PositiveFloat, PositiveInt

from shim.config.section import SettingsSection
from shim.config.values import Bind, Url, is_loopback


class GatewaySettings(SettingsSection):
    """The gateway itself.

    Attributes:
        bind: ``ADDRESS:PORT`` to listen on.
        admin_bind: ``ADDRESS:PORT`` of ``/livez``, ``/readyz``, ``/metrics`` and the status page; not served if unset.
        public_url: The address in the WSDL, without a path; ``http://`` and ``bind`` if unset.
        trusted_proxies: Networks of the proxies whose X-Forwarded-For and certificate header are believed.
        certificate_header: The header in which a trusted proxy passes the subject of a client's certificate.
        allow_anybody: Accept callers that have no authentication, although other machines can reach the gateway.
        workers: Number of processes.
        max_calls: Calls at a time in each process; the gateway refuses more with a fault that asks to call again.
        request_timeout: Seconds for the body of a request.
        stop_timeout: Seconds for running calls to end when the gateway stops.
        max_request: Largest request in bytes.
    """

    bind: Bind = "127.0.0.1:8080"
    admin_bind: Bind | None = None
    public_url: Url | None = None
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    certificate_header: str = Field(default="X-Client-Certificate-Subject", pattern=r"^[A-Za-z0-9-]+$")
    allow_anybody: bool = False
    workers: PositiveInt = 2
    max_calls: PositiveInt = 1000
    request_timeout: PositiveFloat = 30
    stop_timeout: PositiveInt = 90
    max_request: PositiveInt = 64 * 1024

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong between these settings."""
        # The application tells the two addresses apart by their ports alone.
        if self.admin_bind is not None and self.admin_bind.rpartition(":")[2] == self.bind.rpartition(":")[2]:
            yield "admin_bind needs another port than bind"

    @property
    def is_exposed(self) -> bool:
        """Whether other machines can reach the gateway, directly or through a proxy."""
        return bool(self.trusted_proxies) or not is_loopback(self.bind.rpartition(":")[0].strip("[]"))

    @property
    def address(self) -> str:
        """The address that clients are told, without a slash at its end."""
        return (self.public_url or f"http://{self.bind}").rstrip("/")
