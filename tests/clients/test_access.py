"""Real clients authenticate in each way that they have, with the right password and a wrong one."""

import base64
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import zeep
from requests import Session
from requests.auth import HTTPBasicAuth
from zeep.wsse.username import UsernameToken

from shim import errors
from shim.sandbox import Options, Sandbox, select
from shim.upstream.authcode import Authcode
from tests.access.processes import arguments
from tests.clients.calls import GET_SCORES, USER, Client, Outcome, program
from tests.gateway import Gateway, running_gateway
from tests.guide import END, START
from tests.planted import PASSWORD
from tests.tools import require

_HERE: Final = Path(__file__).parent
_MONO: Final = "apt-get install -y --no-install-recommends mono-mcs mono-devel"
_PHP: Final = "apt-get install -y --no-install-recommends php-cli php-soap"
_AUTHCODE: Final = Authcode.of(USER, PASSWORD).value
_SCORES: Final = Outcome.scores(b"".join(select(Options(), START, END).chunks()))

Start = Callable[[str, str], AbstractContextManager[Client]]
"""A function that starts a client in one of its ways to authenticate, with a password."""


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Run a gateway that requires credentials."""
    settings = {"callers": [{"name": "registrar", "credentials": "authcode"}]}
    planted = (PASSWORD, base64.b64encode(PASSWORD.encode()).decode())
    with Sandbox() as sandbox:
        sandbox.authcodes = {_AUTHCODE}
        folder = tmp_path_factory.mktemp("closed")
        with running_gateway(sandbox.url, folder, settings, authcode=_AUTHCODE, planted=planted) as gateway:
            yield gateway
            assert PASSWORD not in arguments(gateway)


def _other(closed: Gateway, *command: str) -> Start:
    def start(way: str, password: str) -> AbstractContextManager[Client]:
        return program(*command, way, GATEWAY=closed.url, LOGON_USER=USER, LOGON_PASSWORD=password)

    return start


def _mono(closed: Gateway, directory: Path, name: str, *generator: str) -> Start:
    tool, *options = generator
    subprocess.run([require(tool, install=_MONO), *options, "-out:Client.cs", closed.wsdl], cwd=directory, check=True)
    libraries = ("System.ServiceModel", "System.Runtime.Serialization", "System.Web.Services", "System.Xml")
    sources = [str(_HERE / "csharp" / f"{source}.cs") for source in ("Outcome", name)]
    compiler = [require("mcs", install=_MONO), "-warnaserror", "-out:program.exe", "Client.cs", *sources]
    subprocess.run([*compiler, *(f"-r:{library}" for library in libraries)], cwd=directory, check=True)
    return _other(closed, require("mono", install=_MONO), str(directory / "program.exe"))


@pytest.fixture(scope="module")
def wcf(closed: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Start:
    return _mono(closed, tmp_path_factory.mktemp("wcf"), "AccessWcf", "svcutil")


@pytest.fixture(scope="module")
def asmx(closed: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Start:
    return _mono(closed, tmp_path_factory.mktemp("asmx"), "AccessAsmx", "wsdl", "-namespace:Legacy")


@pytest.fixture(scope="module")
def php(closed: Gateway) -> Start:
    return _other(closed, require("php", install=_PHP), "-d", "error_reporting=-1", str(_HERE / "php" / "access.php"))


@pytest.fixture(scope="module")
def zeep_client(closed: Gateway) -> Start:
    return partial(_zeep, closed.wsdl)


@contextmanager
def _zeep(wsdl: str, way: str, password: str) -> Iterator[Client]:
    with Session() as session:
        if way == "basic":
            session.auth = HTTPBasicAuth(USER.encode(), password.encode())
        token = UsernameToken(USER, password, use_digest=way == "digest") if way in ("token", "digest") else None
        service = zeep.Client(wsdl, transport=zeep.Transport(session=session), wsse=token).service

        def client(operation: str, start: str, end: str) -> Outcome:
            dates = {"StartDate": datetime.fromisoformat(start), "EndDate": datetime.fromisoformat(end)}
            try:
                scores = service[operation](dates | {"Type": "TOEFL", "ReportBy": "scorelinkbyreportdate"})
            except zeep.exceptions.Fault as fault:
                return Outcome("fault", fault.message)
            return Outcome.scores(scores)

        yield client


_WAYS: Final = [
    pytest.param(client, way, id=f"{client.removesuffix('_client')}-{way}")
    for client, ways in {
        "wcf": "basic token",
        "asmx": "challenge preauthenticate",
        "php": "basic token",
        "zeep_client": "basic token digest",
    }.items()
    for way in ways.split()
]


@pytest.mark.parametrize(("client", "way"), _WAYS)
def test_the_right_password_is_accepted_call_after_call(request: pytest.FixtureRequest, client: str, way: str) -> None:
    start: Start = request.getfixturevalue(client)
    with start(way, PASSWORD) as call:
        assert [call(*GET_SCORES) for _ in range(2)] == [_SCORES] * 2


@pytest.mark.parametrize(("client", "way"), _WAYS)
def test_a_wrong_password_is_a_fault(request: pytest.FixtureRequest, client: str, way: str) -> None:
    start: Start = request.getfixturevalue(client)
    with start(way, "wrong") as call:
        outcome = call(*GET_SCORES)
    assert outcome.kind == "fault"
    assert outcome.text.startswith(f"{errors.NOT_AUTHENTICATED.text} (not-authenticated; request ")


@pytest.mark.parametrize(
    ("client", "kind", "words"),
    [
        # .NET's clients do not read the envelope of a 401: they report the HTTP status.
        ("wcf", "failure", "WebException There was an error on processing web request: Status code 401(Unauthorized)"),
        ("asmx", "failure", "WebException "),
        ("php", "fault", errors.NO_CREDENTIALS.text),
        ("zeep_client", "fault", errors.NO_CREDENTIALS.text),
    ],
)
def test_no_password_is_an_error(request: pytest.FixtureRequest, client: str, kind: str, words: str) -> None:
    start: Start = request.getfixturevalue(client)
    with start("none", "") as call:
        outcome = call(*GET_SCORES)
    assert outcome.kind == kind
    assert outcome.text.startswith(words)
