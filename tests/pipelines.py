"""Pipelines whose caller and scores are made up, for the tests of what stands around them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, cast

from shim import errors
from shim.access.callers import Caller
from shim.access.concurrency import ConcurrencyLimit
from shim.access.presented import PresentedCredentials
from shim.config import RetirementSettings
from shim.contracts.contract import Contract
from shim.pipeline import Pipeline
from shim.query import ScoreFile, ScoreQuery
from shim.retirement.policy import RetirementPolicy
from shim.spool import SpoolQuota
from shim.upstream.authcode import Authcode
from shim.upstream.stored_authcode import StoredAuthcode
from tests.web import calls

if TYPE_CHECKING:
    from shim.access.callers import Callers
    from shim.errors import Cause
    from shim.upstream.scores import ScoreSource

Fetch = Callable[[ScoreQuery], ScoreFile]


class OneCaller:
    """Identifies every request as one caller.

    Attributes:
        refusal: Why nobody may call; ``None`` while everybody may.
    """

    def __init__(self, name: str = "registrar") -> None:
        self.refusal: Cause | None = None
        self._caller = Caller(name, cast("StoredAuthcode", None))

    def identify(self, _presented: PresentedCredentials) -> Caller:
        if self.refusal is not None:
            raise self.refusal.error()
        return self._caller

    def accept(self, _presented: PresentedCredentials) -> None:
        """Remember nothing."""

    def reject(self, _presented: PresentedCredentials) -> NoReturn:
        raise errors.NOT_AUTHENTICATED.error()


class Scores:
    """Fetches score files by a function."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def fetch(self, query: ScoreQuery, _authcode: StoredAuthcode | Authcode, _trace: str = "") -> ScoreFile:
        return self._fetch(query)


def pipeline(
    contract: Contract | None = None,
    fetch: Fetch | None = None,
    *,
    callers: OneCaller | None = None,
    limit: ConcurrencyLimit | None = None,
    quota: SpoolQuota | None = None,
) -> Pipeline:
    """Answer calls of a contract, by default the shipped one, with the files of a function."""
    return Pipeline(
        contract or calls.shipped(),
        callers=cast("Callers", callers or OneCaller()),
        policy=RetirementPolicy(RetirementSettings(), "https://example.edu/scores"),
        scores=cast("ScoreSource", Scores(fetch or calls.Upstream())),
        limit=limit or ConcurrencyLimit(10),
        quota=quota or SpoolQuota(64 * 1024),
    )
