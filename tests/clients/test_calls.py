"""Every legacy client gets its bytes, or nothing, or a fault that it can read; never anything between."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Final

import pytest

from shim import errors
from shim.sandbox import Faults, Sandbox, select
from tests.clients import calls
from tests.clients.calls import Client, Outcome

_FAULT: Final = re.compile(r"(?P<sentence>.+) \((?P<slug>[a-z-]+); request [0-9a-f]{16}\)")


def words(outcome: Outcome) -> tuple[str, str]:
    """The sentence and the slug of a fault."""
    assert outcome.kind == "fault", outcome
    match = _FAULT.fullmatch(outcome.text)
    assert match, outcome
    return match["sentence"], match["slug"]


@pytest.mark.parametrize(
    ("call", "start", "end"),
    [
        pytest.param(calls.GET_SCORES, "2025-04-21T16:45:03", "2025-04-22T16:52:13", id="GetScores"),
        pytest.param(calls.BY_REPORT_DATE, "2025-04-21T00:00:00", "2025-04-22T23:59:59", id="by-report-date"),
    ],
)
def test_scores_are_the_bytes_of_the_upstream(
    client: Client, sandbox: Sandbox, call: tuple[str, str, str], start: str, end: str
) -> None:
    body = b"".join(select(sandbox.options, datetime.fromisoformat(start), datetime.fromisoformat(end)).chunks())
    assert body
    assert client(*call) == Outcome.scores(body)


@pytest.mark.parametrize("call", [calls.GET_NO_SCORES, calls.NONE_BY_REPORT_DATE], ids=["GetScores", "by-report-date"])
def test_empty_range_is_a_null_result(client: Client, sandbox: Sandbox, call: tuple[str, str, str]) -> None:
    assert client(*call) == Outcome("nothing")
    assert sandbox.requests[-1].status == 200


@pytest.mark.parametrize(
    "call", [calls.START_AFTER_END, calls.START_AFTER_END_BY_REPORT_DATE], ids=["GetScores", "by-report-date"]
)
def test_start_after_end_is_a_fault_in_the_same_words_everywhere(client: Client, call: tuple[str, str, str]) -> None:
    assert words(client(*call)) == (errors.START_AFTER_END.text, "start-after-end")


def test_operation_without_successor_is_a_fault(client: Client) -> None:
    sentence, slug = words(client(*calls.EDI))
    assert sentence.startswith("This operation has no successor in the REST API: ")
    assert slug == "unavailable"


@pytest.mark.parametrize(
    ("faults", "cause"),
    [
        pytest.param(Faults(status=503), errors.UPSTREAM_FAILED, id="503"),
        pytest.param(Faults(cut=20_000), errors.UPSTREAM_CUT, id="cut"),
    ],
)
def test_failing_upstream_is_a_fault_and_never_a_result(
    client: Client, sandbox: Sandbox, faults: Faults, cause: errors.Cause
) -> None:
    sandbox.faults = replace(faults)
    assert words(client(*calls.GET_SCORES)) == (cause.text, cause.slug)


# Six megabytes: a text node just below the 10,000,000 characters that clients of libxml2 take.
@pytest.mark.parametrize("client", ["wcf-soap11", "asmx-soap11", "php-soap11", "zeep-soap11"], indirect=True)
def test_large_score_file_arrives_whole(client: Client, sandbox: Sandbox) -> None:
    sandbox.options = replace(sandbox.options, records=4_000)
    start, end = datetime.fromisoformat("2025-04-21T00:00:00"), datetime.fromisoformat("2025-04-22T23:59:59")
    body = b"".join(select(sandbox.options, start, end).chunks())
    assert len(body) > 6_000_000
    assert client(*calls.BY_REPORT_DATE) == Outcome.scores(body)
