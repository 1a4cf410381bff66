"""One SOAP call, from top to bottom: bytes, envelope, operation, values, caller, policy, query, scores, answer.

No step calls back into an earlier one. What sleeps, locks or connects is handed in, so any process can run a call.
"""

import io
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shim import errors
from shim.access.presented import PresentedCredentials
from shim.contracts import records
from shim.contracts.service import LegacyService
from shim.query import ScoreFile, ScoreQuery
from shim.upstream.authcode import Authcode
from shim.wire import answer, credentials, envelope, inband
from shim.wire.dialect import Dialect, Version
from shim.wire.result import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shim.access.callers import Caller, Callers
    from shim.access.concurrency import ConcurrencyLimit
    from shim.access.source import Source
    from shim.call_record import CallRecord
    from shim.contracts.contract import Contract
    from shim.contracts.operation import Operation
    from shim.retirement.policy import RetirementPolicy
    from shim.spool import SpoolQuota
    from shim.upstream.scores import ScoreSource
    from shim.wire.answer_format import AnswerFormat
    from shim.wire.call import Call


@dataclass(frozen=True, slots=True)
class Request:
    """A SOAP request.

    Attributes:
        body: Its body, whole and decompressed.
        content_type: Its Content-Type.
        action: The action that its HTTP headers name; empty for none.
        authorization: Its Authorization header; empty for none.
        source: Where it comes from.
    """

    body: bytes
    content_type: str
    action: str
    authorization: str
    source: "Source"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: scores, a fault, or an error as a sentence in the result.

    Attributes:
        dialect: SOAP version and encoding.
        outcome: ``ok``, or the reason of the error.
        length: Bytes of the body.
        body: The body in chunks, once.
        error: The error of a fault; ``None`` for anything else.
        held: What must be released after the body was sent.
    """

    dialect: Dialect
    outcome: str
    length: int
    body: Iterable[bytes]
    error: errors.GatewayError | None
    held: ExitStack

    def close(self) -> None:
        """Release what the answer holds."""
        self.held.close()


class Pipeline:
    """Answers the calls of one contract."""

    def __init__(  # noqa: PLR0913 - the parts of a call
        self,
        contract: "Contract",
        *,
        callers: "Callers",
        policy: "RetirementPolicy",
        scores: "ScoreSource",
        limit: "ConcurrencyLimit",
        quota: "SpoolQuota",
    ) -> None:
        """Compile the contract.

        Args:
            contract: The operations.
            callers: Who may call.
            policy: Whether calls are still answered.
            scores: Where score files come from.
            limit: How many calls are answered at a time.
            quota: Where score files are held.
        """
        self._service = LegacyService(contract)
        self._operations = contract.elements
        self._callers = callers
        self._policy = policy
        self._scores = scores
        self._limit = limit
        self._quota = quota

    def answer(self, request: Request, record: "CallRecord") -> Answer:
        """Answer one call; an error becomes a fault in the caller's own SOAP version."""
        dialect, answer_format = None, None
        with ExitStack() as held:
            try:
                opened = envelope.parse(request.body, request.content_type)
                dialect = opened.dialect
                call = opened.call(self._operations)
                operation = self._service.operation(call, request.action)
                answer_format = operation.answer_format(call)
                record.note(operation=operation.name)
                # Not sooner: an operation with errors in its result must have this error there too.
                held.enter_context(self._limit.slot())
                values = self._service.parameters(call, operation)
                presented = self._presented(request, call, operation, values)
                caller = self._callers.identify(presented)
                record.note(caller=caller.name)
                self._check_retirement(caller, record)
                query = operation.query(values)
                file = held.enter_context(self._fetch(query, caller, presented, record))
                fitted, cut = records.fit(file, operation.mapping.records, self._quota)
                held.enter_context(fitted)
                result = Result(fitted, answer_format)
                record.note(cut=cut or None, records=fitted.records, bytes=fitted.size)
                return Answer(dialect, "ok", result.length, result, None, held.pop_all())
            except Exception as error:  # noqa: BLE001 - a bug of the gateway is answered with a fault as well
                failure = errors.as_gateway_error(error)
        dialect = dialect or envelope.guess_dialect(request.body, request.content_type)
        return self.refuse(failure, dialect, record, answer_format)

    def refuse(
        self,
        error: errors.GatewayError,
        dialect: Dialect,
        record: "CallRecord",
        answer_format: "AnswerFormat | None" = None,
    ) -> Answer:
        """Answer a call with an error: as a fault, or in the result where the operation has errors there.

        After the sunset every caller is told of the sunset, whatever else is wrong with the call.
        """
        return refuse(self._policy.ended() or error, dialect, record, answer_format)

    def _presented(
        self, request: Request, call: "Call", operation: "Operation", values: "Mapping[str, str | None]"
    ) -> PresentedCredentials:
        names = operation.mapping.credentials
        pair = (values.get(names[0]), values.get(names[1])) if names is not None else None
        return PresentedCredentials(request.source, credentials.read(request.authorization, call.security, pair))

    def _check_retirement(self, caller: "Caller", record: "CallRecord") -> None:
        ended = self._policy.ended()
        if ended is not None:
            raise ended
        brownout = self._policy.brownout(caller.name)
        if brownout is not None:
            if not brownout.dry_run:
                raise brownout.error()
            record.note(dry_run=errors.BROWNOUT.slug)

    def _fetch(
        self, query: ScoreQuery, caller: "Caller", presented: PresentedCredentials, record: "CallRecord"
    ) -> ScoreFile:
        record.note(start=query.start.isoformat(), end=query.end.isoformat())
        record.detail(type=query.type, reportby=query.reportby, format=query.format)
        began = time.monotonic()
        try:
            file = self._scores.fetch(query, caller.authcode, record.trace)
        except errors.GatewayError as error:
            # A passed-through authcode is made of what the caller sent: its refusal means a failed log-on.
            if isinstance(caller.authcode, Authcode) and error.cause is errors.UPSTREAM_AUTHCODE:
                self._callers.reject(presented)
            raise
        finally:
            record.note(upstream=round(time.monotonic() - began, 6))
        if isinstance(caller.authcode, Authcode):
            self._callers.accept(presented)
        return file


def refuse(
    error: errors.GatewayError, dialect: Dialect, record: "CallRecord", answer_format: "AnswerFormat | None" = None
) -> Answer:
    """Answer with an error: as a fault, or as a sentence in the result where the operation has errors there.

    The words are the same in every SOAP version, and end with the reason's stable name and the request number, by
    which the operator finds the call in the log.
    """
    cause, text = error.cause, error.fault_text(record.number)
    if cause is errors.VERSION:
        dialect = Dialect(Version.SOAP_11, dialect.encoding)  # as ASMX, and as SOAP 1.2 part 1 §5.4.7 says
    record.note(party=cause.party.__name__, note=error.note, advice=cause.advice)
    if answer_format is not None and answer_format.in_band:
        sentence = inband.sentence(text).encode()
        result = Result(ScoreFile(io.BytesIO(sentence), len(sentence), None), answer_format)
        record.note(bytes=len(sentence))
        return Answer(answer_format.dialect, cause.slug, result.length, result, None, ExitStack())
    body = answer.fault(dialect, cause, text)
    return Answer(dialect, cause.slug, len(body), [body], error, ExitStack())
