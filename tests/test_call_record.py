from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from shim.call_record import CallRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

NUMBER = "0123456789abcdef"


def test_its_line_has_the_fields_and_the_observer_the_details_too() -> None:
    observed: list[Mapping[str, object]] = []
    record = CallRecord(NUMBER, observe=observed.append)
    record.note(operation="GetScores", note="", cut=None, bytes=0)
    record.detail(soap="1.2")
    with capture_logs() as lines:
        record.end("ok")
    (line,) = lines
    assert line.pop("seconds") >= 0
    fields = {"request": NUMBER, "operation": "GetScores", "bytes": 0, "outcome": "ok"}
    assert line == {"event": "call", "log_level": "info", **fields}
    (seen,) = observed
    assert {name: value for name, value in seen.items() if name != "seconds"} == {**fields, "soap": "1.2"}


@pytest.mark.parametrize("trace", ["", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])
def test_its_trace(trace: str) -> None:
    with capture_logs() as lines:
        CallRecord(NUMBER, trace).end("ok")
    assert lines[0].get("trace", "") == trace
