"""The verdict: may the gateway be switched off today?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from shim.config import RetirementSettings
from shim.ledger.summary import INACTIVE_AFTER, Summary
from shim.retirement.template import day_of

STALE_AFTER: Final = timedelta(minutes=10)
"""The age at which a summary no longer supports a verdict."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the gateway may be switched off.

    Attributes:
        answer: The answer in one word.
        headline: The answer in one sentence.
        reasons: One or more sentences.
    """

    answer: Literal["yes", "no", "unknown"]
    headline: str
    reasons: tuple[str, ...]


def decide(summary: Summary | None, retirement: RetirementSettings, now: datetime) -> Verdict:
    """Decide whether the gateway may be switched off.

    Args:
        summary: The summary of the ledger; ``None`` if there is none.
        retirement: The dates.
        now: The time, UTC.
    """
    if summary is None:
        return _unknown("There are no figures: no ledger is configured, or its writer has not written a summary yet.")
    if now - summary.made > STALE_AFTER:
        made = f"{summary.made:%H:%M} UTC on {day_of(summary.made)}"
        return _unknown(f"The latest figures are from {made}: the ledger's writer is not running.")
    if not summary.named_callers:
        return _unknown("No call from a named caller has been counted yet.")
    if summary.remaining_callers:
        return _no(summary, retirement, now)
    return _yes(summary)


def _unknown(reason: str) -> Verdict:
    return Verdict("unknown", "It is not known whether the gateway may be switched off today.", (reason,))


def _yes(summary: Summary) -> Verdict:
    first = day_of(min(caller.first_seen for caller in summary.named_callers))
    reasons = (
        f"Every caller has migrated, or has not called for {INACTIVE_AFTER.days} days.",
        f"Calls have been counted since {first}. A caller that calls once a year may be missing.",
    )
    return Verdict("yes", "Yes, the gateway may be switched off today.", reasons)


def _no(summary: Summary, retirement: RetirementSettings, now: datetime) -> Verdict:
    remaining, known = len(summary.remaining_callers), len(summary.named_callers)
    reasons = [f"{remaining} of {known} callers still {'needs' if remaining == 1 else 'need'} it."]
    returned = [caller.name for caller in summary.remaining_callers if caller.migrated is not None]
    if returned:
        reasons.append(f"Marked as migrated, but still calling: {', '.join(returned)}.")
    if retirement.sunset is not None and now >= retirement.sunset:
        reasons.append("The sunset has passed: callers get a fault that names the REST API instead of scores.")
    return Verdict("no", "No, do not switch the gateway off today.", tuple(reasons))
