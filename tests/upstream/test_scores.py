import base64
import io
from pathlib import Path

import gevent
import pytest

from shim import errors
from shim.config import AuthcodeSettings
from shim.errors import GatewayError
from shim.query import ScoreFile, ScoreQuery
from shim.upstream.authcode import Authcode
from shim.upstream.authcode_status import AuthcodeStatuses
from shim.upstream.breaker import Breaker
from shim.upstream.retry import RetryingClient, RetryPolicy
from shim.upstream.scores import ScoreSource
from shim.upstream.stored_authcode import StoredAuthcode
from tests.upstream.test_client import QUERY

CODES = [base64.b64encode(f"id:synthetic-{number}".encode()).decode() for number in range(3)]


class Upstream:
    """Accepts some authcodes, and keeps those that it was asked with."""

    def __init__(self, *accepted: str) -> None:
        self.asked: list[str] = []
        self._accepted = accepted

    def fetch(self, _query: ScoreQuery, authcode: str, _trace: str = "") -> ScoreFile:
        self.asked.append(authcode)
        if authcode not in self._accepted:
            raise errors.UPSTREAM_AUTHCODE.error()
        return ScoreFile(io.BytesIO(), 0, 0)


def source(upstream: Upstream, folder: Path) -> tuple[ScoreSource, AuthcodeStatuses]:
    statuses = AuthcodeStatuses(folder / "statuses")
    breaker = Breaker(folder / "breaker", failures=5, seconds=60, longest_call=60)
    client = RetryingClient(upstream, breaker, RetryPolicy(deadline=10, attempts=1), deadline=gevent.Timeout)
    return ScoreSource(client, statuses), statuses


def stored(folder: Path) -> StoredAuthcode:
    for name, code in (("first", CODES[0]), ("next", CODES[1])):
        (folder / name).write_text(code, encoding="utf-8")
        (folder / name).chmod(0o600)
    return StoredAuthcode(AuthcodeSettings(name="main", file=folder / "first", next_file=folder / "next"))


@pytest.mark.parametrize(("accepted", "asked"), [(CODES[0], CODES[:1]), (CODES[1], CODES[:2])], ids=["first", "next"])
def test_a_stored_authcode_is_followed_by_its_next(accepted: str, asked: list[str], tmp_path: Path) -> None:
    upstream = Upstream(accepted)
    scores, statuses = source(upstream, tmp_path)
    scores.fetch(QUERY, stored(tmp_path)).close()
    assert upstream.asked == asked
    assert statuses.of("main").last_success is not None
    assert not statuses.of("main").is_refused


def test_a_refusal_of_all_stored_authcodes_is_noted(tmp_path: Path) -> None:
    scores, statuses = source(Upstream(), tmp_path)
    with pytest.raises(GatewayError, match="upstream-authcode"):
        scores.fetch(QUERY, stored(tmp_path))
    assert statuses.of("main").is_refused


def test_an_authcode_of_a_caller_is_used_as_it_is_and_noted_nowhere(tmp_path: Path) -> None:
    upstream = Upstream(CODES[2])
    scores, _ = source(upstream, tmp_path)
    scores.fetch(QUERY, Authcode.parse(CODES[2])).close()
    with pytest.raises(GatewayError, match="upstream-authcode"):
        scores.fetch(QUERY, Authcode.parse(CODES[0]))
    assert upstream.asked == [CODES[2], CODES[0]]
    assert list((tmp_path / "statuses").iterdir()) == []
