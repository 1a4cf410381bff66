"""How the answers of the two services to one case compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from tests.asmx import reading
from tests.asmx.reading import Reading
from tests.asmx.wire import Response


class Comparison(StrEnum):
    """How the two answers to one case compare."""

    AGREED = "agreed"
    GATEWAY_ALONE = "only the gateway answers"
    SERVICE_ALONE = "only ASMX answers"
    NEITHER = "neither answers"
    DIFFERENT = "the two understood different things"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What both made of one case.

    Attributes:
        service: The responses of the ASMX service, as read.
        gateway: The responses of the gateway, as read.
        responses: The responses of the gateway, as they came.
    """

    service: tuple[Reading, ...]
    gateway: tuple[Reading, ...]
    responses: tuple[Response, ...]

    @classmethod
    def of(cls, service: Sequence[Response], gateway: Sequence[Response]) -> Self:
        """Read the responses of both."""
        return cls(tuple(map(reading.of_service, service)), tuple(map(reading.of_gateway, gateway)), tuple(gateway))

    @property
    def comparison(self) -> Comparison:
        """How the answers compare; where several requests came on one connection, as a whole."""
        wanted = [one.meaning for one in self.service if one.meaning is not None]
        got = [one.meaning for one in self.gateway if one.meaning is not None]
        if wanted == got:
            return Comparison.AGREED if wanted else Comparison.NEITHER
        if not wanted:
            return Comparison.GATEWAY_ALONE
        return Comparison.SERVICE_ALONE if got == wanted[: len(got)] else Comparison.DIFFERENT
