"""The judge: the ASMX service and a gateway, which get the same bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from zlib import crc32

from shim.upstream.authcode import Authcode
from tests.asmx.case import Case
from tests.asmx.contracts import date_scores, shipped_elsewhere
from tests.asmx.service import running_service
from tests.asmx.understood import REPORT_BY
from tests.asmx.upstream import echoing_upstream
from tests.asmx.verdict import Verdict
from tests.asmx.wire import Response, exchange
from tests.gateway import running_gateway

USER: Final = "user"
PASSWORD: Final = "secret"
EMPTY_PATH: Final = "/Empty.asmx"
"""Where the gateway answers the shipped contract with empty results instead of none."""

_FIRST_ADDRESS: Final = int(ip_address("127.1.0.1"))
_ADDRESSES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Judge:
    """Both services.

    Attributes:
        service: Port of the ASMX service.
        gateway: Port of the gateway.
    """

    service: int
    gateway: int

    def ask_service(self, case: Case) -> list[Response]:
        """Send a case to the ASMX service."""
        return exchange(self.service, case.data, case.pauses)

    def ask_gateway(self, case: Case) -> list[Response]:
        """Send a case to the gateway, from an address of its own: wrong credentials slow down their address."""
        address = ip_address(_FIRST_ADDRESS + crc32(case.name.encode()) % _ADDRESSES)
        return exchange(self.gateway, case.data, case.pauses, source=str(address))

    def compare(self, case: Case) -> Verdict:
        """Send a case to both, one after the other."""
        return Verdict.of(self.ask_service(case), self.ask_gateway(case))


@contextmanager
def running_judge(folder: Path) -> Iterator[Judge]:
    """Run both services until the end of the block, with all their files in a folder."""
    contracts = [
        {"reportby": REPORT_BY},
        {"reportby": REPORT_BY, **shipped_elsewhere(folder, EMPTY_PATH, empty="empty")},
        date_scores(folder),
    ]
    callers = [{"name": "this-machine", "networks": ["127.0.0.0/8"]}]
    settings = {"contracts": contracts, "callers": callers}
    authcode = Authcode.of(USER, PASSWORD).value
    with (
        echoing_upstream() as upstream,
        running_service(folder / "service") as service,
        running_gateway(upstream, folder / "gateway", settings, authcode=authcode) as gateway,
    ):
        yield Judge(service, gateway.port)
