"""Every legacy client gets the upstream's bytes, a null result, or an error that it can read.

Errors of GetScores are faults. Errors of the three operations that public clients call are a sentence in the result, as
the old service reported failed log-ons.
"""

import re
from dataclasses import replace
from datetime import datetime
from typing import Final

import pytest

from shim import errors
from shim.sandbox import Faults, Sandbox, select
from shim.wire import inband
from tests.clients import calls
from tests.clients.calls import Client, Outcome

_WORDS: Final = r"(?P<text>.+) \((?P<slug>[a-z-]+); request [0-9a-f]{16}\)"
_FAULT: Final = re.compile(_WORDS)
_SENTENCE: Final = re.compile(re.escape(inband.sentence("{}")).replace(re.escape("{}"), _WORDS))


def fault(outcome: Outcome) -> tuple[str, str]:
    """Return the text and the slug of a fault."""
    assert outcome.kind == "fault", outcome
    match = _FAULT.fullmatch(outcome.text)
    assert match, outcome
    return match["text"], match["slug"]


def sentence(outcome: Outcome) -> tuple[str, str]:
    """Return the text and the slug of an error in the result; the result holds nothing else."""
    assert outcome.kind == "sentence", outcome
    match = _SENTENCE.fullmatch(outcome.text)
    assert match, outcome
    return match["text"], match["slug"]


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


def test_start_after_end_is_a_fault_with_the_same_text_in_every_client(client: Client) -> None:
    assert fault(client(*calls.START_AFTER_END)) == (errors.START_AFTER_END.text, "start-after-end")


def test_start_after_end_by_report_date_is_a_sentence_in_the_result(client: Client) -> None:
    assert sentence(client(*calls.START_AFTER_END_BY_REPORT_DATE)) == (errors.START_AFTER_END.text, "start-after-end")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        pytest.param(calls.BY_TEST_DATE, "TOEFL Access selects by report date, not by test date.", id="by-test-date"),
        pytest.param(calls.EDI, "TOEFL Access has no EDI form.", id="EDI"),
    ],
)
def test_an_unavailable_operation_is_a_sentence_in_the_result(
    client: Client, call: tuple[str, str, str], reason: str
) -> None:
    text = errors.UNAVAILABLE.text.format(f"{reason} Ask TOEFL Access by REST instead.")
    assert sentence(client(*call)) == (text, "unavailable")


@pytest.mark.parametrize(
    ("faults", "cause"),
    [
        pytest.param(Faults(status=401), errors.UPSTREAM_AUTHCODE, id="401"),
        pytest.param(Faults(status=503), errors.UPSTREAM_FAILED, id="503"),
        pytest.param(Faults(cut=20_000), errors.UPSTREAM_CUT, id="cut"),
    ],
)
def test_a_failing_upstream_never_gives_a_result_with_scores(
    client: Client, sandbox: Sandbox, faults: Faults, cause: errors.Cause
) -> None:
    sandbox.faults = replace(faults)
    assert fault(client(*calls.GET_SCORES)) == (cause.text, cause.slug)
    assert sentence(client(*calls.BY_REPORT_DATE)) == (cause.text, cause.slug)


# Six megabytes: the text node is just below the 10,000,000 characters that libxml2 accepts.
@pytest.mark.parametrize("client", ["wcf-soap11", "asmx-soap11", "php-soap11", "zeep-soap11"], indirect=True)
def test_large_score_file_arrives_whole(client: Client, sandbox: Sandbox) -> None:
    sandbox.options = replace(sandbox.options, records=4_000)
    start, end = datetime.fromisoformat("2025-04-21T00:00:00"), datetime.fromisoformat("2025-04-22T23:59:59")
    body = b"".join(select(sandbox.options, start, end).chunks())
    assert len(body) > 6_000_000
    assert client(*calls.BY_REPORT_DATE) == Outcome.scores(body)
