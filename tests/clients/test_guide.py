"""The legacy client of the vendor's update guide, built from the served WSDL and run unchanged."""

from datetime import datetime
from pathlib import Path
from typing import Final

from shim.sandbox import Sandbox, select
from tests.clients.calls import GET_SCORES, Outcome, Starter

_GUIDE: Final = """
// Old SOAP client code
var client = new TOEFLEdmSoapClient();
var request = new GetScoresRequest
{
StartDate = DateTime.Parse("2025-04-21T16:45:03"),
EndDate = DateTime.Parse("2025-04-22T16:52:13"),
Type = "TOEFL",
ReportBy = "scorelinkbyreportdate"
};
var response = client.GetScores(request);
"""


def test_the_sample_is_the_guides_to_the_letter() -> None:
    assert _GUIDE in (Path(__file__).parent / "csharp" / "Guide.cs").read_text(encoding="utf-8")


def test_the_sample_gets_the_bytes_of_the_upstream(wcf: Starter, sandbox: Sandbox) -> None:
    start, end = datetime.fromisoformat("2025-04-21T16:45:03"), datetime.fromisoformat("2025-04-22T16:52:13")
    body = b"".join(select(sandbox.options, start, end).chunks())
    assert body
    with wcf("guide") as client:
        assert client(*GET_SCORES) == Outcome.scores(body)


def test_the_generated_client_sends_a_wildcard_as_its_action(wcf: Starter, wcf_directory: Path) -> None:
    generated = (wcf_directory / "Client.cs").read_text(encoding="utf-8")
    assert "class TOEFLEdmSoapClient" in generated
    assert 'Action="*"' in generated
