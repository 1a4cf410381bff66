import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shim.web import user_agent

_FORM = re.compile(r"(?:[A-Za-z0-9.: -]+?)(?: [0-9]{1,5}(?:\.[0-9]{1,5}){0,3})?")


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (None, "none (such as WCF)"),
        ("", "none (such as WCF)"),
        (
            "Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services Client Protocol 4.0.30319.42000)",
            "wsdl.exe 4.0.30319.42000",
        ),
        ("Mono Web Services Client Protocol 4.0.0.0", "Mono wsdl 4.0.0.0"),
        ("PHP-SOAP/8.2.29", "PHP-SOAP 8.2.29"),
        ("PHP-SOAP/7.4.33-1+ubuntu", "PHP-SOAP 7.4.33"),
        ("NuSOAP/0.9.5 (1.123)", "NuSOAP 0.9.5"),
        ("Zeep/4.3.2 (www.python-zeep.org)", "Zeep 4.3.2"),
        ("python-requests/2.32.5", "requests 2.32.5"),
        ("Python-urllib/3.11", "urllib 3.11"),
        ("Java/17.0.13", "Java 17.0.13"),
        ("Java/1.8.0_202", "Java 1.8.0"),
        ("Metro/2.3 (tags/2.3-7528; 2013-04-29T19:34:10+0000) JAXWS-RI/2.2.8 JAXWS/2.2", "JAX-WS RI 2.2.8"),
        ("JAX-WS RI 2.2.9-b130926.1035", "JAX-WS RI 2.2.9"),
        ("Apache-CXF/3.5.9", "CXF 3.5.9"),
        ("Apache CXF 2.7.18", "CXF 2.7.18"),
        ("Axis/1.4", "Axis 1.4"),
        ("Axis2", "Axis2"),
        ("Apache-HttpClient/4.5.5 (Java/17.0.12)", "Apache HttpClient 4.5.5"),
        ("gSOAP/2.8", "gSOAP 2.8"),
        ("SOAP::Lite/Perl/1.27", "SOAP::Lite 1.27"),
        ("Savon", "Savon"),
        ("curl/7.88.1", "curl 7.88.1"),
        ("Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.1", "PowerShell 5.1.19041.1"),
        ("Embarcadero SOAP 1.3", "Delphi 1.3"),
        ("SAP NetWeaver Application Server (1.0;754)", "SAP NetWeaver"),
        ("jane.doe@example.edu nightly import", "other"),
        ("Javanese/1.0", "other"),
        ("Zeep/secret-token", "Zeep"),
        ("Zeep/123456789012", "Zeep"),
    ],
)
def test_known_software(agent: str | None, name: str) -> None:
    assert user_agent.known(agent) == name


@given(agent=st.text(min_size=1))
@example(agent="Zeep/1.2.3.4.5.6.7")
@example(agent=" " * 10_000 + "curl")
def test_no_other_word_of_the_caller_is_kept(agent: str) -> None:
    name = user_agent.known(agent)
    assert _FORM.fullmatch(name)
    assert name == "other" or any(char.isalpha() for char in name)
    assert len(name) < 50


@given(before=st.text(alphabet=" ;(/", max_size=3), after=st.from_regex(r"[^\d./A-Za-z_-].*", fullmatch=True))
def test_what_stands_around_it_is_dropped(before: str, after: str) -> None:
    assert user_agent.known(f"{before}PHP-SOAP/8.2{after}") == "PHP-SOAP 8.2"
