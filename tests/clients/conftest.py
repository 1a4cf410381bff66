"""Legacy clients, and the gateway and the sandbox that they call."""

import base64
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from shim.config import SHIPPED
from shim.sandbox import Faults, Options, Sandbox
from tests.clients.calls import USER, Client, Starter
from tests.clients.programs import CSHARP, mono, php, svcutil, wsdl_exe
from tests.clients.zeep_client import zeep_client
from tests.gateway import Gateway, running_gateway
from tests.planted import PASSWORD

AUTHCODE: Final = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

_SHIPPED_NAMESPACE: Final = "https://ets.org/edm/webservices/"
_SHIPPED_ADDRESS: Final = "http://127.0.0.1:8080/TOEFLWebService/TOEFLEdm.asmx"

CLIENTS: Final = {
    "wcf-soap11": ("wcf", "svcutil soap11"),
    "wcf-soap11-utf16": ("wcf", "svcutil soap11-utf16"),
    "wcf-soap11-utf16be": ("wcf", "svcutil soap11-utf16be"),
    "wcf-soap11-addressing": ("wcf", "svcutil soap11-addressing"),
    "wcf-soap12": ("wcf", "svcutil soap12"),
    "wcf-soap12-utf16": ("wcf", "svcutil soap12-utf16"),
    "wcf-soap12-utf16be": ("wcf", "svcutil soap12-utf16be"),
    "wcf-soap12-addressing": ("wcf", "svcutil soap12-addressing"),
    "wcf-soap12-addressing-2004": ("wcf", "svcutil soap12-addressing-2004"),
    "wcf-message-contract": ("wcf", "message-contract soap11"),
    "asmx-soap11": ("asmx", "soap11"),
    "asmx-soap12": ("asmx", "soap12"),
    "asmx-own-namespace": ("asmx_own_namespace", "soap11"),
    "php-soap11": ("php", "soap11 wsdl"),
    "php-soap12": ("php", "soap12 wsdl"),
    "php-soap11-gzip": ("php", "soap11 gzip"),
    "php-soap12-gzip": ("php", "soap12 gzip"),
    "php-soap11-deflate": ("php", "soap11 deflate"),
    "php-soap11-plain": ("php", "soap11 plain"),
    "php-soap12-plain": ("php", "soap12 plain"),
    "php-own-namespace": ("php_own_namespace", "soap12 wsdl"),
    "zeep-soap11": ("zeep_11", "TOEFLEdmSoap"),
    "zeep-soap12": ("zeep_12", "TOEFLEdmSoap12"),
    "zeep-own-namespace": ("zeep_own_namespace", "TOEFLEdmSoap"),
}
"""By name: the fixture that starts the client, and the client's form."""


# A session scope lets pytest run all tests of a client together, with one start of it.
@pytest.fixture(scope="session", params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    fixture, form = CLIENTS[request.param]
    start: Starter = request.getfixturevalue(fixture)
    with start(*form.split()) as running:
        yield running


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    # Names in Latin-1 are not valid UTF-8, so no step on the way can decode and encode them unnoticed.
    with Sandbox(Options(names="latin-1")) as sandbox:
        sandbox.authcodes.add(AUTHCODE)
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Iterator[Sandbox]:
    options = running_sandbox.options
    yield running_sandbox
    running_sandbox.faults = Faults()
    running_sandbox.options = options


@pytest.fixture(scope="session")
def gateway(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    # A failing call must neither wait before another attempt nor open the breaker.
    settings = {"upstream": {"attempts": 1, "breaker_failures": 1000}}
    with running_gateway(
        running_sandbox.url, tmp_path_factory.mktemp("gateway"), settings, authcode=AUTHCODE
    ) as running:
        yield running


@pytest.fixture(scope="session")
def wsdl_of_own_namespace(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = (SHIPPED / "TOEFLEdm.wsdl").read_text(encoding="utf-8")
    path = tmp_path_factory.mktemp("wsdl") / "Registrar.wsdl"
    for old, new in {_SHIPPED_NAMESPACE: "http://example.org/registrar/", _SHIPPED_ADDRESS: gateway.url}.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def wcf_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wcf")


@pytest.fixture(scope="session")
def wcf(gateway: Gateway, wcf_directory: Path) -> Starter:
    generated = svcutil(gateway.wsdl, wcf_directory)
    settings = (CSHARP / "App.config").read_text(encoding="utf-8")
    assert _SHIPPED_ADDRESS in settings
    settings = settings.replace(_SHIPPED_ADDRESS, gateway.url)
    (wcf_directory / "program.exe.config").write_text(settings, encoding="utf-8")
    return mono(wcf_directory, [generated], "Guide", "MessageContract", "Wcf", GATEWAY=gateway.url)


@pytest.fixture(scope="session")
def asmx(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Starter:
    directory = tmp_path_factory.mktemp("asmx")
    return mono(directory, [wsdl_exe(directory, gateway.wsdl)], "Asmx", GATEWAY=gateway.url)


@pytest.fixture(scope="session")
def asmx_own_namespace(
    gateway: Gateway, wsdl_of_own_namespace: Path, tmp_path_factory: pytest.TempPathFactory
) -> Starter:
    directory = tmp_path_factory.mktemp("asmx-own-namespace")
    return mono(directory, [wsdl_exe(directory, str(wsdl_of_own_namespace))], "Asmx", GATEWAY=gateway.url)


@pytest.fixture(scope="session", name="php")
def php_of_gateway(gateway: Gateway) -> Starter:
    return php("client.php", GATEWAY=gateway.url)


@pytest.fixture(scope="session")
def php_own_namespace(gateway: Gateway, wsdl_of_own_namespace: Path) -> Starter:
    return php("client.php", GATEWAY=gateway.url, WSDL=str(wsdl_of_own_namespace))


@pytest.fixture(scope="session")
def zeep_11(gateway: Gateway) -> Starter:
    return partial(zeep_client, gateway.wsdl)


@pytest.fixture(scope="session")
def zeep_12(gateway: Gateway) -> Starter:
    return partial(zeep_client, gateway.wsdl_of_all_ports)


@pytest.fixture(scope="session")
def zeep_own_namespace(wsdl_of_own_namespace: Path) -> Starter:
    return partial(zeep_client, str(wsdl_of_own_namespace))
