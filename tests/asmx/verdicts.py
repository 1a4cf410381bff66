"""The verdicts of all cases, so that each case is sent once."""

from collections.abc import Iterable
from concurrent.futures import Executor

from tests.asmx.case import Case
from tests.asmx.judge import Judge
from tests.asmx.verdict import Verdict


class Verdicts:
    """The verdicts.

    Cases with pauses are sent beside the others: some of their clients wait for more than a minute.
    """

    def __init__(self, judge: Judge, pool: Executor, paused: Iterable[Case]) -> None:
        """Send the cases with pauses."""
        self._judge = judge
        self._known: dict[str, Verdict] = {}
        self._sent = {
            case.name: (pool.submit(judge.ask_service, case), pool.submit(judge.ask_gateway, case)) for case in paused
        }

    def of(self, case: Case) -> Verdict:
        """Return the verdict of a case; wait for it if the case has pauses."""
        if case.name in self._sent:
            service, gateway = self._sent[case.name]
            return Verdict.of(service.result(), gateway.result())
        if case.name not in self._known:
            self._known[case.name] = self._judge.compare(case)
        return self._known[case.name]
