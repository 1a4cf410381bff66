"""Score files for callers, with a stored authcode or with one made of a caller's credentials."""

from shim import errors
from shim.query import ScoreFile, ScoreQuery
from shim.upstream.authcode import Authcode
from shim.upstream.authcode_status import AuthcodeStatuses
from shim.upstream.retry import RetryingClient
from shim.upstream.stored_authcode import StoredAuthcode


class ScoreSource:
    """Fetches score files before the deadline, and notes which stored authcodes TOEFL Access accepts."""

    def __init__(self, client: RetryingClient, statuses: AuthcodeStatuses) -> None:
        """Fetch with a client."""
        self._client = client
        self._statuses = statuses

    def fetch(self, query: ScoreQuery, authcode: StoredAuthcode | Authcode, trace: str = "") -> ScoreFile:
        """Fetch a score file.

        Args:
            query: What to ask for.
            authcode: The authcode; a stored one is followed by its next one if TOEFL Access refuses it.
            trace: A traceparent (W3C Trace Context) to pass on; empty for none.

        Raises:
            GatewayError: There is none, or not a whole one, or it would take too long.
        """
        with self._client.within_deadline():
            if isinstance(authcode, Authcode):
                return self._client.fetch(query, authcode.value, trace)
            return self._fetch_with_stored(query, authcode, trace)

    def _fetch_with_stored(self, query: ScoreQuery, stored: StoredAuthcode, trace: str) -> ScoreFile:
        try:
            file = stored.use(lambda authcode: self._client.fetch(query, authcode.value, trace))
        except errors.GatewayError as error:
            if error.cause is errors.UPSTREAM_AUTHCODE:
                self._statuses.refused(stored.name)
            raise
        self._statuses.succeeded(stored.name)
        return file
