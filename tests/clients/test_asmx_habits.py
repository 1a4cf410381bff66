"""Programs with habits that the old service took: headers set by hand, dates of JAX-WS, discovery, no Expect."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from shim import errors
from shim.sandbox.process import free_port
from shim.upstream.authcode import Authcode
from tests.asmx.contracts import date_scores
from tests.asmx.upstream import echoing_upstream
from tests.clients.programs import CSHARP
from tests.deploy.front import front, trusting
from tests.deploy.tools import said
from tests.gateway import Gateway, running_gateway
from tests.tools import require

_HERE: Final = Path(__file__).parent
_MONO: Final = "apt-get install -y --no-install-recommends mono-mcs mono-devel"
_JAVA: Final = "apt-get install -y --no-install-recommends default-jdk-headless"
_JAXWS: Final = "apt-get install -y --no-install-recommends jaxws default-jdk-headless"
_PHP: Final = "apt-get install -y --no-install-recommends php-cli"
_JAXWS_FOLDER: Final = Path("/usr/share/jaxws")

_BY_REPORT_DATE: Final = (
    "startdate=2025-04-21T00:00:00&enddate=2025-04-22T23:59:59&type=TOEFL&reportby=scorelinkbyreportdate"
)
_GET_SCORES: Final = (
    "startdate=2025-04-21T16:45:03&enddate=2025-04-22T16:52:13&type=TOEFL&reportby=scorelinkbyreportdate"
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose scores state the query that TOEFL Access was asked."""
    folder = tmp_path_factory.mktemp("habits")
    contracts = [{}, date_scores(folder)]
    callers = [{"name": "this-machine", "networks": ["127.0.0.0/8"]}]
    settings = {"contracts": contracts, "callers": callers}
    authcode = Authcode.of("user", "secret").value
    with (
        echoing_upstream() as upstream,
        running_gateway(upstream, folder / "gateway", settings, authcode=authcode) as running,
    ):
        yield running


def _at(gateway: Gateway, path: str) -> str:
    return gateway.url.replace("/TOEFLWebService/TOEFLEdm.asmx", path)


@pytest.mark.parametrize("content_encoding", ["UTF-8", "utf-8", "text/xml", "none", "8bit", "gzip"])
def test_java_written_by_hand_with_a_content_encoding(content_encoding: str, gateway: Gateway) -> None:
    java = require("java", install=_JAVA)
    told = said(java, _HERE / "java" / "HandWritten.java", gateway.url, content_encoding)
    assert told.strip() == f"200 {_BY_REPORT_DATE}"


def test_php_written_by_hand_with_a_content_encoding(gateway: Gateway) -> None:
    php = require("php", install=_PHP)
    told = said(php, "-d", "error_reporting=-1", _HERE / "php" / "headers.php", environment={"GATEWAY": gateway.url})
    assert told.strip() == f"200 {_GET_SCORES}"


@pytest.fixture(scope="module")
def calendar(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What JAX-WS was answered, by how its dates were made."""
    wsimport = require("wsimport.sh", install=_JAXWS, path=str(_JAXWS_FOLDER / "bin"))
    javac, java = (require(name, install=_JAVA) for name in ("javac", "java"))
    folder, libraries = tmp_path_factory.mktemp("jaxws"), f"{_JAXWS_FOLDER}/lib/*"
    wsdl = _at(gateway, "/DateScores.asmx?wsdl")
    said(wsimport, "-quiet", "-Xnocompile", "-s", folder, "-p", "scores", wsdl)
    sources = [*(folder / "scores").iterdir(), _HERE / "java" / "Calendar.java"]
    said(javac, "-nowarn", "-cp", libraries, "-d", folder, *sources)
    told = said(java, "-cp", f"{folder}:{libraries}", "Calendar", wsdl)
    return dict(line.split(": ", 1) for line in told.splitlines())


@pytest.mark.parametrize("made", ["day from a calendar", "day from text", "day in UTC"])
def test_jaxws_days(made: str, calendar: dict[str, str]) -> None:
    assert calendar[made] == _BY_REPORT_DATE


def test_jaxws_times(calendar: dict[str, str]) -> None:
    """The program runs in New York."""
    query = _BY_REPORT_DATE.replace("00:00:00", "04:00:00").replace("23:59:59", "04:00:00")
    assert calendar["time from a calendar"] == query


def _compiled(folder: Path, name: str, *libraries: str) -> Path:
    program = folder / f"{name}.exe"
    references = (f"-r:{library}" for library in libraries)
    said(require("mcs", install=_MONO), "-warnaserror", *references, f"-out:{program}", CSHARP / f"{name}.cs")
    return program


@pytest.fixture(scope="module")
def soap12_fault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    libraries = ("System.ServiceModel", "System.Runtime.Serialization", "System.Xml")
    return _compiled(tmp_path_factory.mktemp("fault"), "Soap12Fault", *libraries)


@pytest.mark.parametrize("expects", ["true", "false"], ids=["expects", "without Expect"])
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_wcf_reads_the_words_of_a_fault(version: str, expects: str, gateway: Gateway, soap12_fault: Path) -> None:
    told = said(require("mono", install=_MONO), soap12_fault, gateway.url, version, expects)
    assert re.sub(r"; request [0-9a-f]+", "", told).strip() == (
        f"fault {errors.UNKNOWN_OPERATION.text} ({errors.UNKNOWN_OPERATION.slug})"
    )


@pytest.fixture(scope="module")
def discovery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _compiled(tmp_path_factory.mktemp("discovery"), "Discovery", "System.Web.Services")


@pytest.mark.parametrize("query", ["", "?disco", "?DISCO", "?wsdl"])
@pytest.mark.parametrize("path", ["/TOEFLWebService/TOEFLEdm.asmx", "/DateScores.asmx"])
def test_dotnet_discovers_the_wsdl(path: str, query: str, gateway: Gateway, discovery: Path) -> None:
    told = said(require("mono", install=_MONO), discovery, _at(gateway, path + query))
    # A WSDL that is asked for by its own address needs no discovery document.
    found = ["ContractReference"] if query == "?wsdl" else ["ContractReference", "DiscoveryDocumentReference"]
    assert told.split() == found


def test_wsdl_exe_takes_the_bare_address(gateway: Gateway, tmp_path: Path) -> None:
    said(require("wsdl", install=_MONO), "-out:Proxy.cs", gateway.url, cwd=tmp_path)
    assert "public byte[] GetScores(" in (tmp_path / "Proxy.cs").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_fault_of_nginx_is_a_soap_exception(version: str, tmp_path: Path) -> None:
    """Not a SoapHeaderException, which a fault without a detail is to .NET (SOAP 1.1 §4.4)."""
    program = _compiled(tmp_path, "ProxyFault", "System.Web.Services")
    with front(tmp_path / "nginx", [free_port()]) as running:
        environment = trusting(running.authority, tmp_path / "home")
        told = said(require("mono", install=_MONO), program, running.url(), version, environment=environment)
    assert told.startswith("SoapException The proxy before the gateway did not pass the call on")
