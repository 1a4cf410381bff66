"""Real clients in a brownout and after the sunset: they get a fault, or a sentence in the result."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import requests
import zeep

from shim import errors
from shim.sandbox import Sandbox
from shim.upstream.authcode import Authcode
from tests.clients import calls
from tests.clients.calls import USER, Client, Starter
from tests.clients.test_calls import fault, sentence
from tests.gateway import Gateway, running_gateway
from tests.planted import PASSWORD
from tests.soap_http import envelope, post

INFO: Final = "https://it.example.edu/toefl-migration"
CLIENTS: Final = {
    "wcf-soap11": ("wcf", "svcutil soap11"),
    "wcf-soap12": ("wcf", "svcutil soap12"),
    "asmx-soap11": ("asmx", "soap11"),
    "asmx-soap12": ("asmx", "soap12"),
    "php-soap11": ("php", "soap11 wsdl"),
    "php-soap12": ("php", "soap12 wsdl"),
    "zeep-soap11": ("zeep_11", "TOEFLEdmSoap"),
    "zeep-soap12": ("zeep_12", "TOEFLEdmSoap12"),
}


@contextmanager
def _retiring(sandbox: Sandbox, folder: Path, **retirement: object) -> Iterator[Gateway]:
    settings = {"retirement": {"info_url": INFO, **retirement}}
    with running_gateway(sandbox.url, folder, settings, authcode=Authcode.of(USER, PASSWORD).value) as running:
        yield running


@pytest.fixture(scope="module")
def until() -> datetime:
    """Return the end of the brownout."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


@pytest.fixture(scope="module")
def in_brownout(
    running_sandbox: Sandbox, until: datetime, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    window = {"start": (until - timedelta(days=2)).isoformat(), "end": until.isoformat()}
    with _retiring(running_sandbox, tmp_path_factory.mktemp("brownout"), brownouts=[window]) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def after_sunset(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Run a gateway, and let its sunset pass while it runs."""
    sunset = datetime.now(UTC) + timedelta(seconds=3)
    with _retiring(running_sandbox, tmp_path_factory.mktemp("sunset"), sunset=sunset.isoformat()) as gateway:
        while (answer := post(gateway.url, envelope())).status == 200:
            assert answer.result
        assert answer.slug == "sunset"
        yield gateway


@pytest.fixture(scope="module", params=CLIENTS)
def start(request: pytest.FixtureRequest, gateway: Gateway) -> Callable[[Gateway], AbstractContextManager[Client]]:
    """Return a function that starts a client, generated from the WSDL before the sunset."""
    fixture, form = CLIENTS[request.param]
    starter: Starter = request.getfixturevalue(fixture)
    wsdl = gateway.wsdl_of_all_ports if "soap12" in request.param else gateway.wsdl
    return lambda retiring: starter(*form.split(), GATEWAY=retiring.url, WSDL=wsdl)


def test_in_a_brownout(
    start: Callable[[Gateway], AbstractContextManager[Client]], in_brownout: Gateway, until: datetime, sandbox: Sandbox
) -> None:
    asked = len(sandbox.requests)
    told = f"call again after {until:%Y-%m-%d %H:%M:%S} UTC, and read {INFO} before the service ends."
    expected = (errors.BROWNOUT.text.format(told), "brownout")
    with start(in_brownout) as client:
        assert fault(client(*calls.GET_SCORES)) == expected
        assert sentence(client(*calls.BY_REPORT_DATE)) == expected
    assert len(sandbox.requests) == asked


def test_after_the_sunset(
    start: Callable[[Gateway], AbstractContextManager[Client]], after_sunset: Gateway, sandbox: Sandbox
) -> None:
    asked = len(sandbox.requests)
    told = f"call TOEFL Access by REST at {sandbox.url} instead, and read {INFO}."
    expected = (errors.SUNSET.text.format(told), "sunset")
    with start(after_sunset) as client:
        assert fault(client(*calls.GET_SCORES)) == expected
        assert sentence(client(*calls.BY_REPORT_DATE)) == expected
    assert len(sandbox.requests) == asked


def test_after_the_sunset_there_is_no_wsdl(after_sunset: Gateway) -> None:
    answer = requests.get(after_sunset.wsdl, timeout=30)
    assert (answer.status_code, INFO in answer.text) == (410, True)
    with pytest.raises(requests.HTTPError, match="410"):
        zeep.Client(after_sunset.wsdl)
