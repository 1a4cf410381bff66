"""Calls of the legacy service, and their outcomes in a client."""

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, Self

from tests.planted import PASSWORD

USER: Final = "registrar"

# Operation, start and end. First the range of the guide's sample, then the same days as whole days.
GET_SCORES: Final = ("GetScores", "2025-04-21T16:45:03", "2025-04-22T16:52:13")
BY_REPORT_DATE: Final = ("getScorelinkDataByReportDate", "04/21/2025", "04/22/2025")
GET_NO_SCORES: Final = ("GetScores", "2024-04-21T16:45:03", "2024-04-22T16:52:13")
NONE_BY_REPORT_DATE: Final = ("getScorelinkDataByReportDate", "04/21/2024", "04/22/2024")
START_AFTER_END: Final = ("GetScores", "2025-04-22T16:52:13", "2025-04-21T16:45:03")
START_AFTER_END_BY_REPORT_DATE: Final = ("getScorelinkDataByReportDate", "04/22/2025", "04/21/2025")
BY_TEST_DATE: Final = ("getScorelinkData", "04/21/2025", "04/22/2025")
EDI: Final = ("getEDIData", "04/21/2025", "04/22/2025")


@dataclass(frozen=True)
class Outcome:
    """The outcome of a call, as the client's program prints it in one line.

    Attributes:
        kind: ``scores``; ``nothing`` (a null result); ``sentence`` (an error in the result, as the old service reported
            failed log-ons); ``fault``; ``header-fault`` and ``failure``, which no call may end in.
        text: SHA-256 and length of the scores, the sentence, or the text of the fault.
    """

    kind: str
    text: str = ""

    @classmethod
    def result(cls, body: bytes | None) -> Self:
        """Return the outcome for a result of these bytes, as a client of the old service reads it."""
        if body is None:
            return cls("nothing")
        return cls("sentence", body.decode()) if body.startswith(b"Logon failure") else cls.scores(body)

    @classmethod
    def scores(cls, body: bytes) -> Self:
        """Return the outcome for these scores."""
        return cls("scores", f"{hashlib.sha256(body).hexdigest()} {len(body)}")


Client = Callable[[str, str, str], Outcome]
"""A function that calls an operation with a start and an end."""

Starter = Callable[..., AbstractContextManager[Client]]
"""A function that starts a client of a form; its keyword arguments are the client's environment."""


@contextmanager
def program(*command: str, **environment: str) -> Iterator[Client]:
    """Start a client in another language: a process that reads a call a line, and prints an outcome a line.

    Its environment holds the credentials.
    """
    with subprocess.Popen(
        command,
        env=os.environ | environment | {"USER_NAME": USER, "PASSWORD": PASSWORD},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        calls, outcomes = process.stdin, process.stdout

        def client(operation: str, start: str, end: str) -> Outcome:
            print(operation, start, end, file=calls, flush=True)
            return Outcome(*outcomes.readline().rstrip("\n").split(" ", 1))

        yield client
        process.kill()  # every outcome has been read; Mono sometimes takes many seconds to exit
