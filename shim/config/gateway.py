"""How the gateway runs, and where its scores come from."""

from importlib.util import find_spec
from typing import Self

from pydantic import Field, IPvAnyNetwork, PositiveFloat, PositiveInt, model_validator

from shim.config.values import AnchoredPath, Bind, SecureUrl, SettingsSection, Url, is_loopback


class GatewaySettings(SettingsSection):
    """How the gateway itself runs.

    Attributes:
        bind: ``ADDRESS:PORT`` to listen on.
        admin_bind: ``ADDRESS:PORT`` of ``/livez``, ``/readyz`` and ``/metrics``; nowhere if unset.
        public_url: What the WSDL tells clients, without a path; the bind address if unset.
        trusted_proxies: Networks of the proxies whose X-Forwarded-For and certificate header count.
        certificate_header: The header in which they hand on the subject of a client's certificate.
        allow_anybody: Serve scores also where a caller entry lets in anybody from anywhere.
        workers: Processes.
        max_calls: Calls at a time in each process; more are told to come again.
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

    @model_validator(mode="after")
    def _two_ports(self) -> Self:
        # Which of the two a request came to is told by the port.
        if self.admin_bind is not None and self.admin_bind.rpartition(":")[2] == self.bind.rpartition(":")[2]:
            raise ValueError("admin_bind: needs another port than bind")
        return self

    @property
    def is_exposed(self) -> bool:
        """Whether others than this machine's own programs can reach it, through a proxy as well."""
        return bool(self.trusted_proxies) or not is_loopback(self.bind.rpartition(":")[0].strip("[]"))

    @property
    def address(self) -> str:
        """The address that clients are told, without a slash at its end."""
        return (self.public_url or f"http://{self.bind}").rstrip("/")


class UpstreamSettings(SettingsSection):
    """TOEFL Access.

    Attributes:
        url: Address of ``/scores``, copied exactly.
        connect_timeout: Seconds to a connection.
        read_timeout: Seconds to the head of the answer, and for each 96 KiB of it.
        deadline: Seconds for all attempts of one call together; .NET clients wait 60 or 100.
        attempts: How often a call is made at most, where another attempt may help.
        breaker_failures: Calls in a row without an answer after which it is not asked any more.
        breaker_seconds: Seconds after which one call at a time tries again.
        max_bytes: Largest score file in bytes.
        ca_file: Certificate authorities to trust instead of the public ones.
        proxy: HTTP proxy on the way; the environment's is not used.
    """

    url: SecureUrl
    connect_timeout: PositiveFloat = 5
    read_timeout: PositiveFloat = 30
    deadline: PositiveFloat = 50
    attempts: PositiveInt = 3
    breaker_failures: PositiveInt = 5
    breaker_seconds: PositiveFloat = 30
    max_bytes: PositiveInt = 1024 * 1024 * 1024
    ca_file: AnchoredPath | None = None
    proxy: Url | None = None


class SpoolSettings(SettingsSection):
    """Where score files are held until they are sent; they are deleted before the call ends.

    Attributes:
        folder: The folder for those that are not small; the system's own for temporary files if unset.
        max_bytes: What those of one worker may take at any moment, in memory and on disk.
    """

    folder: AnchoredPath | None = None
    max_bytes: PositiveInt = 2 * 1024 * 1024 * 1024


class TracingSettings(SettingsSection):
    """Where spans of calls go.

    Attributes:
        url: An OpenTelemetry collector that takes OTLP over HTTP; needs the extra ``otel``.
    """

    url: Url | None = None

    @model_validator(mode="after")
    def _installed(self) -> Self:
        if self.url is not None and find_spec("opentelemetry") is None:
            raise ValueError('needs more to be installed: pip install "toefl-soap-shim[otel]"')
        return self
