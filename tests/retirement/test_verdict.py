"""The verdict on switching the gateway off, from a summary of the ledger."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shim.config import RetirementSettings
from shim.ledger.summary import Summary
from shim.retirement.verdict import decide
from tests.ledger.summaries import MADE, caller, summary

GONE = caller("gone", [1] * 20 + [0] * 40)
MARKED = caller("marked", [1] * 20 + [0] * 3, migrated=MADE - timedelta(days=2))
RETURNED = caller("returned", [1] * 20, migrated=MADE - timedelta(days=2), calls_since_migrated=2)
UNNAMED = caller("unknown-1", is_named=False)
INFO = "https://it.example.edu/"


@pytest.mark.parametrize(
    ("known", "answer", "reason"),
    [
        (None, "unknown", "There are no figures"),
        (summary(), "unknown", "No call from a named caller"),
        (summary(UNNAMED), "unknown", "No call from a named caller"),
        (replace(summary(GONE), made=MADE - timedelta(minutes=11)), "unknown", "from 11:49 UTC on 24 November 2026"),
        (replace(summary(GONE), made=MADE - timedelta(minutes=10)), "yes", "Every caller has migrated"),
        (summary(GONE, MARKED), "yes", "Calls have been counted since 26 September 2026."),
        (summary(GONE, UNNAMED), "yes", "Every caller has migrated"),
        (summary(caller(), GONE), "no", "1 of 2 callers still needs it."),
        (summary(caller(), caller("two"), GONE), "no", "2 of 3 callers still need it."),
        (summary(caller(), RETURNED), "no", "Marked as migrated, but still calling: returned."),
    ],
)
def test_the_answer_and_its_reasons(known: Summary | None, answer: str, reason: str) -> None:
    verdict = decide(known, RetirementSettings(), MADE)
    assert verdict.answer == answer
    assert reason in " ".join(verdict.reasons)
    assert (answer == "yes") == verdict.headline.startswith("Yes")


def test_after_the_sunset_it_says_what_callers_get() -> None:
    def reasons(sunset: timedelta) -> str:
        retirement = RetirementSettings(sunset=MADE + sunset, info_url=INFO)
        return " ".join(decide(summary(caller()), retirement, MADE).reasons)

    assert "The sunset has passed: callers get a fault" in reasons(timedelta(0))
    assert "The sunset has passed" not in reasons(timedelta(seconds=1))
