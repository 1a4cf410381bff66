import pytest

from shim.access.concurrency import ConcurrencyLimit
from shim.errors import OperatorError


def test_no_more_calls_than_there_are_places() -> None:
    places = ConcurrencyLimit(2)
    places.take()
    places.take()
    with pytest.raises(OperatorError, match="busy") as refused:
        places.take()
    assert refused.value.retry_after > 0
    places.leave()
    places.take()
    assert places.taken == 2
