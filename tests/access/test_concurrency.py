from contextlib import ExitStack

import pytest

from shim.access.concurrency import ConcurrencyLimit
from shim.errors import OperatorError


def test_no_more_calls_run_than_the_limit_allows() -> None:
    limit = ConcurrencyLimit(2)
    with ExitStack() as held:
        held.enter_context(limit.slot())
        with limit.slot():
            with pytest.raises(OperatorError, match="busy") as refused, limit.slot():
                pass
            assert refused.value.retry_after > 0
            assert limit.running == 2
        with limit.slot():
            assert limit.running == 2
    assert limit.running == 0


def test_a_call_that_fails_gives_its_slot_back() -> None:
    limit = ConcurrencyLimit(1)
    with pytest.raises(KeyError), limit.slot():
        raise KeyError
    assert limit.running == 0
