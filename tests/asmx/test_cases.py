"""The same bytes to the ASMX service and to the gateway: where ASMX answers, the gateway answers the same question."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import pytest

from tests.asmx.case import CASES
from tests.asmx.reading import Reading
from tests.asmx.refusals import REFUSED_ON_PURPOSE, Refusal, refusal_of
from tests.asmx.table import REFUSED, AddRow, Row
from tests.asmx.verdict import Comparison, Verdict
from tests.asmx.verdicts import Verdicts
from tests.soap_http import MEDIA_TYPES, SOAP_11, SOAP_12, Answer

_MOST_REFUSALS: Final = 12
_HTTP_STATUSES: Final = {
    "bad-http": 400,
    "content-type": 415,
    "method": 405,
    "no-credentials": 401,
    "not-found": 404,
}
"""Reasons that have an HTTP status of their own; all others are 500, which is what ASMX sent."""

# The longest pauses last: the others are over by then.
_BY_PAUSE: Final = sorted(CASES, key=lambda name: (sum(pause.seconds for pause in CASES[name].pauses), name))
every_case = pytest.mark.parametrize("name", _BY_PAUSE)


def _told(readings: tuple[Reading, ...]) -> str:
    return "; ".join(reading.told for reading in readings) or "no answer"


def _row(name: str, verdict: Verdict, refusal: Refusal | None) -> Row:
    refused = refusal is not None and verdict.comparison is Comparison.SERVICE_ALONE
    return Row(
        CASES[name].group,
        name,
        _told(verdict.service),
        "the same" if verdict.comparison is Comparison.AGREED else _told(verdict.gateway),
        f"{REFUSED}{refusal.kind}" if refusal is not None and refused else str(verdict.comparison),
        refusal.reason if refusal is not None and refused else "",
    )


@every_case
def test_where_asmx_answers_the_gateway_answers_the_same_question(name: str, verdicts: Verdicts, row: AddRow) -> None:
    verdict, refusal = verdicts.of(CASES[name]), refusal_of(name)
    row(_row(name, verdict, refusal))
    if verdict.comparison is Comparison.SERVICE_ALONE and refusal is not None:
        return
    assert verdict.comparison not in (Comparison.SERVICE_ALONE, Comparison.DIFFERENT), (
        f"ASMX: {_told(verdict.service)}. The gateway: {_told(verdict.gateway)}."
    )


def _version(data: bytes) -> str:
    """Return the SOAP version of the envelope in a request; without one, that of the Content-Type."""
    head, _, body = data.partition(b"\r\n\r\n")
    text = body.replace(b"\0", b"")  # UTF-16 without its NULs reads as ASCII
    if SOAP_11.encode() in text:
        return SOAP_11
    return SOAP_12 if SOAP_12.encode() in text or b"application/soap+xml" in head else SOAP_11


_SINGLE: Final = [name for name in _BY_PAUSE if CASES[name].data.count(b" HTTP/1.") == 1]


@pytest.mark.parametrize("name", [name for name in _SINGLE if not CASES[name].data.startswith(b"HEAD ")])
def test_a_refusal_is_a_fault_in_the_version_of_the_envelope(name: str, verdicts: Verdicts) -> None:
    case = CASES[name]
    verdict = verdicts.of(case)
    for response in verdict.responses:
        if response.status == 200:
            continue
        answer = Answer(response.status, response.headers, response.body)
        version = _version(case.data)
        assert answer.version == version
        assert answer.headers["content-type"].partition(";")[0] == MEDIA_TYPES[version]
        assert answer.status == _HTTP_STATUSES.get(answer.slug, 500), answer.slug


def test_few_kinds_are_refused_on_purpose() -> None:
    assert len(REFUSED_ON_PURPOSE) <= _MOST_REFUSALS


@pytest.mark.parametrize("refusal", REFUSED_ON_PURPOSE, ids=lambda refusal: refusal.kind)
def test_a_refusal_on_purpose_is_one(refusal: Refusal, verdicts: Verdicts) -> None:
    for pattern in refusal.cases:
        seen = {verdicts.of(case).comparison for name, case in CASES.items() if fnmatchcase(name, pattern)}
        assert Comparison.SERVICE_ALONE in seen, f"{pattern}: no such case is refused"


@pytest.mark.parametrize("refusal", REFUSED_ON_PURPOSE, ids=lambda refusal: refusal.kind)
def test_the_security_policy_has_every_refusal(refusal: Refusal) -> None:
    policy = Path(__file__).parent.parent.parent / "SECURITY.md"
    assert refusal.kind in policy.read_text(encoding="utf-8")
