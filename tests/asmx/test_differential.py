"""Requests of one to three oddities to the ASMX service and to the gateway: both understand the same.

Each run in CI sends the same requests. With ``--hypothesis-profile=asmx-nightly`` each run sends others, and many more.
"""

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.asmx.case import Case
from tests.asmx.draft import BY_REPORT_DATE, GET_SCORES, Draft, ordinary
from tests.asmx.judge import Judge
from tests.asmx.oddities import ASPECTS, INCOMPATIBLE
from tests.asmx.verdict import Comparison
from tests.soap_http import SOAP_11, SOAP_12

_IN_CI: Final = 150
_EXAMPLES: Final = max(_IN_CI, settings.default.max_examples if settings.default else 0)
_TOKEN: Final = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

bounded = settings(max_examples=_EXAMPLES, derandomize=_EXAMPLES == _IN_CI)


@st.composite
def _drafts(draw: st.DrawFn) -> Draft:
    draft = ordinary(draw(st.sampled_from([GET_SCORES, BY_REPORT_DATE])), draw(st.sampled_from([SOAP_11, SOAP_12])))
    aspects = st.lists(st.sampled_from(list(ASPECTS)), min_size=1, max_size=3, unique=True)
    for aspect in draw(aspects.filter(lambda names: not any(pair <= set(names) for pair in INCOMPATIBLE))):
        draft = draw(ASPECTS[aspect])(draft)
    return draft


@bounded
@given(draft=_drafts())
def test_odd_requests_are_understood_alike(draft: Draft, judge: Judge) -> None:
    verdict = judge.compare(Case("odd", draft.request(), ()))
    assert verdict.comparison not in (Comparison.SERVICE_ALONE, Comparison.DIFFERENT), (
        f"ASMX: {verdict.service}. The gateway: {verdict.gateway}."
    )


@bounded
@given(label=st.text(_TOKEN, min_size=1, max_size=40), is_12=st.booleans())
def test_an_ascii_body_is_understood_under_any_charset_label(label: str, is_12: bool, judge: Judge) -> None:
    draft = ordinary(version=SOAP_12 if is_12 else SOAP_11)
    media_type = "application/soap+xml" if is_12 else "text/xml"
    odd = Draft(
        operation=draft.operation,
        version=draft.version,
        values=draft.values,
        media_type=f"{media_type}; charset={label}",
    )
    (usual,) = judge.compare(Case("usual", draft.request(), ())).gateway
    assert judge.compare(Case("odd", odd.request(), ())).gateway == (usual,)
