"""A WSDL that an operator brings is served after ``adopt`` and at most one edited line.

The clients are generated from the WSDLs as the gateway serves them, and call the addresses in them. Where Mono's
svcutil cannot generate a client, MicrosoftContracts.cs has what Microsoft's would generate.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import pytest

from shim import errors
from shim.sandbox import Sandbox, select
from tests.clients import calls
from tests.clients.calls import Client, Outcome, Starter
from tests.clients.conftest import AUTHCODE
from tests.clients.contracts import CONTRACTS, Contract, cut
from tests.clients.programs import mono, php, svcutil, wsdl_exe
from tests.clients.test_calls import fault, sentence
from tests.clients.zeep_client import zeep_client, zeep_contracts
from tests.gateway import Gateway, running_gateway

_CLIENTS: Final = {
    "wcf": ("wcf_clients", ""),
    "wsdl-exe-soap11": ("wsdl_exe_clients", "soap11"),
    "wsdl-exe-soap12": ("wsdl_exe_clients", "soap12"),
    "php-soap11": ("php_clients", "soap11"),
    "php-soap12": ("php_clients", "soap12"),
    "zeep-soap11": ("zeep_clients", "Soap"),
    "zeep-soap12": ("zeep_clients", "Soap12"),
}
"""By name: the fixture that starts the clients, and their form."""

_ONLY: Final = {"wsdl-exe-soap12": {"asmx"}, "zeep-soap12": {"asmx"}}
"""By client: the contracts whose WSDL has a port of the client's SOAP version. PHP needs no such port."""


@pytest.fixture(scope="session")
def gateway_of_contracts(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Run a gateway with all the contracts; the shipped one has a setting for scores by test date."""
    folder = tmp_path_factory.mktemp("contracts")
    with ThreadPoolExecutor() as pool:
        adopted = list(pool.map(lambda contract: contract.adopt(folder), CONTRACTS.values()))
    shipped = {"reportby": {"getScorelinkData": "scorelinkbytestdate"}}
    settings = {"contracts": [shipped, *adopted]}
    with running_gateway(running_sandbox.url, folder / "gateway", settings, authcode=AUTHCODE) as running:
        yield running


@pytest.fixture(scope="session")
def address(gateway_of_contracts: Gateway) -> str:
    return urljoin(gateway_of_contracts.url, "/").rstrip("/")


@pytest.fixture(scope="session")
def svcutil_sources(address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("svcutil")
    with ThreadPoolExecutor() as pool:
        sources = pool.map(lambda name: svcutil(f"{address}/{name}?wsdl", directory, f"{name}.cs"), CONTRACTS)
        return dict(zip(CONTRACTS, sources, strict=True))


@pytest.fixture(scope="session")
def wcf_clients(address: str, svcutil_sources: dict[str, Path]) -> Starter:
    # Mono's svcutil keeps the dot in the name of a class; Microsoft's drops it. What else Mono's lacks, as the tests
    # below show, is in MicrosoftContracts.cs.
    dotted = svcutil_sources["asmx"]
    text = dotted.read_text(encoding="utf-8")
    assert "class Edm.ScoreServiceSoapClient" in text
    dotted.write_text(text.replace("Edm.ScoreServiceSoap", "EdmScoreServiceSoap"), encoding="utf-8")
    sources = [svcutil_sources[name] for name in ("asmx", "text", "nested")]
    return mono(dotted.parent, sources, "MicrosoftContracts", "WcfContracts", GATEWAY=address)


@pytest.fixture(scope="session")
def wsdl_exe_clients(address: str, tmp_path_factory: pytest.TempPathFactory) -> Starter:
    directory = tmp_path_factory.mktemp("wsdl-exe")
    proxies = wsdl_exe(directory, *(f"{address}/{name}?wsdl" for name in CONTRACTS))
    return mono(directory, [proxies], "AsmxContracts")


@pytest.fixture(scope="session")
def php_clients(address: str) -> Starter:
    return php("contracts.php", GATEWAY=address)


@pytest.fixture(scope="session")
def zeep_clients(address: str) -> Starter:
    return partial(zeep_contracts, address)


@pytest.fixture(scope="session")
def started(gateway_of_contracts: Gateway) -> Iterator[tuple[dict[str, Client], ExitStack]]:
    """The clients that run, by name, and what stops them: each is started once, though its tests are far apart."""
    with ExitStack() as stack:
        yield {}, stack


@pytest.fixture
def client_of_contracts(request: pytest.FixtureRequest, started: tuple[dict[str, Client], ExitStack]) -> Client:
    clients, stack = started
    if request.param not in clients:
        fixture, form = _CLIENTS[request.param]
        start: Starter = request.getfixturevalue(fixture)
        clients[request.param] = stack.enter_context(start(*form.split()))
    return clients[request.param]


calls_of_contracts = pytest.mark.parametrize(
    ("client_of_contracts", "contract"),
    [
        pytest.param(client, contract, id=f"{client}-{contract.name}")
        for client in _CLIENTS
        for contract in CONTRACTS.values()
        if contract.name in _ONLY.get(client, CONTRACTS)
    ],
    indirect=["client_of_contracts"],
)


@calls_of_contracts
def test_scores_are_the_bytes_of_the_upstream(
    client_of_contracts: Client, sandbox: Sandbox, contract: Contract
) -> None:
    sandbox.options = replace(sandbox.options, names="utf-8")
    body = cut(select(sandbox.options, *contract.range).chunks(), contract.width)
    assert b"\r\n" in body
    assert client_of_contracts(contract.name, *contract.dates) == Outcome.scores(body)


@calls_of_contracts
def test_empty_range_is_a_null_result(client_of_contracts: Client, sandbox: Sandbox, contract: Contract) -> None:
    assert client_of_contracts(contract.name, *contract.empty) == Outcome("nothing")
    assert sandbox.requests[-1].status == 200


@calls_of_contracts
def test_start_after_end_is_a_fault_or_a_sentence_as_the_mapping_says(
    client_of_contracts: Client, contract: Contract
) -> None:
    words = {"fault": fault, "sentence": sentence}[contract.errors]
    outcome = client_of_contracts(contract.name, contract.dates[1], contract.empty[0])
    assert words(outcome) == (errors.START_AFTER_END.text, "start-after-end")


@pytest.mark.parametrize("name", ["bare", "rpc"])
def test_monos_svcutil_generates_no_client(svcutil_sources: dict[str, Path], name: str) -> None:
    assert "ServiceContractAttribute" not in svcutil_sources[name].read_text(encoding="utf-8")


def test_monos_svcutil_omits_the_messages_of_an_unqualified_client(svcutil_sources: dict[str, Path]) -> None:
    written = svcutil_sources["nested"].read_text(encoding="utf-8")
    assert "deliverScoresResponse deliverScores(deliverScores deliverScores);" in written
    assert "class deliverScores" not in written


@pytest.mark.parametrize(
    ("fixture", "form"),
    [
        pytest.param("wcf", "svcutil soap11", id="svcutil"),
        pytest.param("asmx", "soap11", id="wsdl-exe"),
        pytest.param("php", "soap12 wsdl", id="php"),
    ],
)
def test_scores_by_test_date_are_answered_with_a_reportby_setting(
    request: pytest.FixtureRequest, sandbox: Sandbox, gateway_of_contracts: Gateway, fixture: str, form: str
) -> None:
    start: Starter = request.getfixturevalue(fixture)
    with start(*form.split(), GATEWAY=gateway_of_contracts.url) as client:
        _check_test_dates(client, sandbox)


def test_scores_by_test_date_reach_zeep_too(sandbox: Sandbox, gateway_of_contracts: Gateway) -> None:
    with zeep_client(gateway_of_contracts.wsdl, "TOEFLEdmSoap") as client:
        _check_test_dates(client, sandbox)


def _check_test_dates(client: Client, sandbox: Sandbox) -> None:
    _, *dates = calls.BY_REPORT_DATE
    whole_days = datetime.fromisoformat("2025-04-21T00:00:00"), datetime.fromisoformat("2025-04-22T23:59:59")
    body = b"".join(select(sandbox.options, *whole_days).chunks())
    assert client("getScorelinkData", *dates) == Outcome.scores(body)
    assert "&reportby=scorelinkbytestdate HTTP" in sandbox.requests[-1].line
