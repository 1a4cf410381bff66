"""A gateway before a sandbox, and the legacy clients that call it."""

import base64
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from shim.config import SHIPPED
from shim.sandbox import Faults, Options, Sandbox
from tests.clients.calls import USER, Client, Starter, program
from tests.clients.zeep_client import zeep_client
from tests.gateway import Gateway, running_gateway
from tests.planted import PASSWORD, planted
from tests.tools import require

_HERE: Final = Path(__file__).parent
_CSHARP: Final = _HERE / "csharp"
_MONO: Final = "apt-get install -y --no-install-recommends mono-mcs mono-devel"
_PHP: Final = "apt-get install -y --no-install-recommends php-cli php-soap"

_AUTHCODE: Final = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

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
"""By a name of ours: the fixture that starts the client, and its form."""


# Of the session, so that pytest runs all tests of one client together and starts it once.
@pytest.fixture(scope="session", params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    fixture, form = CLIENTS[request.param]
    start: Starter = request.getfixturevalue(fixture)
    with start(*form.split()) as running:
        yield running


@pytest.fixture(scope="session")
def _running_sandbox() -> Iterator[Sandbox]:
    # Names in Latin-1: bytes that are no UTF-8, so nothing on the way may decode them.
    with Sandbox(Options(names="latin-1")) as sandbox:
        sandbox.authcodes.add(_AUTHCODE)
        yield sandbox


@pytest.fixture
def sandbox(_running_sandbox: Sandbox) -> Iterator[Sandbox]:
    options = _running_sandbox.options
    yield _running_sandbox
    _running_sandbox.faults = Faults()
    _running_sandbox.options = options


@pytest.fixture(scope="session")
def gateway(_running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    log = tmp_path_factory.mktemp("gateway") / "log"
    with running_gateway(_running_sandbox.url, log, authcode=_AUTHCODE, planted=planted().values()) as running:
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
def wcf_directory(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wcf")
    subprocess.run([require("svcutil", install=_MONO), "-out:Client.cs", gateway.wsdl], cwd=directory, check=True)
    _compile(directory, "Client.cs", "Guide", "MessageContract", "Wcf")
    settings = (_CSHARP / "App.config").read_text(encoding="utf-8")
    assert _SHIPPED_ADDRESS in settings
    (directory / "program.exe.config").write_text(settings.replace(_SHIPPED_ADDRESS, gateway.url), encoding="utf-8")
    return directory


@pytest.fixture(scope="session")
def wcf(gateway: Gateway, wcf_directory: Path) -> Starter:
    return partial(program, require("mono", install=_MONO), str(wcf_directory / "program.exe"), GATEWAY=gateway.url)


@pytest.fixture(scope="session")
def asmx(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Starter:
    return _asmx(gateway, gateway.wsdl, tmp_path_factory.mktemp("asmx"))


@pytest.fixture(scope="session")
def asmx_own_namespace(
    gateway: Gateway, wsdl_of_own_namespace: Path, tmp_path_factory: pytest.TempPathFactory
) -> Starter:
    return _asmx(gateway, str(wsdl_of_own_namespace), tmp_path_factory.mktemp("asmx-own-namespace"))


def _asmx(gateway: Gateway, wsdl: str, directory: Path) -> Starter:
    generator = require("wsdl", install=_MONO)
    subprocess.run([generator, "-out:Proxy.cs", "-namespace:Legacy", wsdl], cwd=directory, check=True)
    _compile(directory, "Proxy.cs", "Asmx")
    return partial(program, require("mono", install=_MONO), str(directory / "program.exe"), GATEWAY=gateway.url)


def _compile(directory: Path, generated: str, *names: str) -> None:
    libraries = ("System.ServiceModel", "System.Runtime.Serialization", "System.Web.Services")
    sources = [str(_CSHARP / f"{name}.cs") for name in ("Outcome", *names)]
    compiler = [require("mcs", install=_MONO), "-warnaserror", "-out:program.exe"]
    references = [f"-r:{library}" for library in libraries]
    subprocess.run([*compiler, *references, generated, *sources], cwd=directory, check=True)


@pytest.fixture(scope="session")
def php(gateway: Gateway) -> Starter:
    return _php(gateway)


@pytest.fixture(scope="session")
def php_own_namespace(gateway: Gateway, wsdl_of_own_namespace: Path) -> Starter:
    return _php(gateway, WSDL=str(wsdl_of_own_namespace))


def _php(gateway: Gateway, **environment: str) -> Starter:
    interpreter = require("php", install=_PHP)
    modules = subprocess.run([interpreter, "-m"], capture_output=True, text=True, check=True).stdout.split()
    if "soap" not in modules:
        require("php with ext-soap", install=_PHP)
    return partial(
        program,
        interpreter,
        "-d",
        "error_reporting=-1",
        str(_HERE / "php" / "client.php"),
        GATEWAY=gateway.url,
        **environment,
    )


@pytest.fixture(scope="session")
def zeep_11(gateway: Gateway) -> Starter:
    return partial(zeep_client, gateway.wsdl)


@pytest.fixture(scope="session")
def zeep_12(gateway: Gateway) -> Starter:
    return partial(zeep_client, gateway.wsdl_of_all_ports)


@pytest.fixture(scope="session")
def zeep_own_namespace(wsdl_of_own_namespace: Path) -> Starter:
    return partial(zeep_client, str(wsdl_of_own_namespace))
