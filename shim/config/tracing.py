"""Settings of tracing."""

from collections.abc import Iterator
from importlib.util import find_spec

from shim.config.section import SettingsSection
from shim.config.values import Url


class TracingSettings(SettingsSection):
    """Tracing: one span for each call.

    Attributes:
        url: An OpenTelemetry collector that takes OTLP over HTTP; needs the extra ``otel``. No spans if unset.
    """

    url: Url | None = None

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong between these settings and what is installed."""
        if self.url is not None and find_spec("opentelemetry") is None:
            yield 'url needs an extra: pip install "toefl-soap-shim[otel]"'
