"""Settings of the upstream, TOEFL Access."""

from pydantic import PositiveFloat, PositiveInt

from shim.config.section import SettingsSection
from shim.config.values import AnchoredPath, SecureUrl, Url


class UpstreamSettings(SettingsSection):
    """TOEFL Access.

    Attributes:
        url: Address of ``/scores``, exactly as in the vendor's guide.
        connect_timeout: Seconds to establish a connection.
        read_timeout: Seconds to the head of the answer, and for each 96 KiB of its body.
        deadline: Seconds for all attempts of one call together; .NET clients wait 60 or 100.
        attempts: Most attempts of one call, if another attempt may help.
        breaker_failures: Number of calls in a row without an answer that opens the breaker.
        breaker_seconds: Seconds until the open breaker lets through one call at a time.
        max_bytes: Largest score file in bytes.
        ca_file: Certificate authorities to trust instead of the public ones.
        proxy: HTTP proxy to use; proxies named by environment variables are ignored.
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
