import codecs
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim.errors import GatewayError
from shim.wire import elements, envelope
from shim.wire.addressing import ADDRESSING
from shim.wire.call import Call
from shim.wire.dialect import Dialect, Version
from shim.wire.encoding import BYTE_ORDER_MARKS
from tests.web import calls

XML = "text/xml"
UTF_8 = "text/xml; charset=utf-8"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
NEW, OLD = ADDRESSING

versions = pytest.mark.parametrize("version", list(Version))


def called(body: str | bytes, content_type: str = UTF_8) -> Call:
    parsed = envelope.parse(body.encode() if isinstance(body, str) else body, content_type)
    return parsed.call({"GetScores", "getEDIData"})


def refused(body: str | bytes, content_type: str = UTF_8) -> str:
    with pytest.raises(GatewayError) as caught:
        called(body, content_type)
    return caught.value.cause.slug


class TestVersion:
    @versions
    @pytest.mark.parametrize("content_type", ["text/xml", "application/soap+xml", "application/xml", ""])
    def test_the_namespace_decides_not_the_media_type(self, version: Version, content_type: str) -> None:
        call = called(calls.envelope(version=version), content_type)
        assert call.dialect == Dialect(version)
        assert (call.name, call.namespace, call.action) == ("GetScores", calls.NAMESPACE, "")

    @pytest.mark.parametrize("namespace", ["http://www.w3.org/2001/12/soap-envelope", "urn:other"])
    def test_an_unknown_version(self, namespace: str) -> None:
        body = calls.envelope().replace(Version.SOAP_11.namespace, namespace)
        assert refused(body) == "version"

    def test_an_envelope_in_no_namespace(self) -> None:
        assert refused("<Envelope><Body><GetScores/></Body></Envelope>") == "version"

    @pytest.mark.parametrize("body", ["<html/>", "<GetScores/>", f'<Body xmlns="{Version.SOAP_11.namespace}"/>'])
    def test_another_root_element(self, body: str) -> None:
        assert refused(body) == "not-soap"


class TestEncoding:
    @pytest.mark.parametrize(
        ("text", "codec", "mark", "content_type", "answered"),
        [
            pytest.param("{}", "utf-8", b"", XML, "utf-8", id="utf-8, nothing declared"),
            pytest.param("utf-8", "utf-8", codecs.BOM_UTF8, UTF_8, "utf-8", id="utf-8 with a mark, as WCF 1.2"),
            pytest.param("utf-16", "utf-16-le", codecs.BOM_UTF16_LE, XML, "utf-16le", id="utf-16 LE with a mark"),
            pytest.param("utf-16", "utf-16-be", codecs.BOM_UTF16_BE, XML, "utf-16be", id="utf-16 BE with a mark"),
            pytest.param("utf-16", "utf-16-le", codecs.BOM_UTF16_LE, UTF_8, "utf-16le", id="mark beats charset"),
            pytest.param("utf-8", "utf-16-be", codecs.BOM_UTF16_BE, XML, "utf-16be", id="mark beats declaration"),
            pytest.param("utf-16", "utf-16-le", b"", XML, "utf-16le", id="utf-16 without a mark"),
            pytest.param("utf-16", "utf-16-be", b"", XML, "utf-16be", id="utf-16 BE without a mark"),
            pytest.param("{}", "utf-16-le", b"", f"{XML}; charset=utf-16le", "utf-16le", id="order in the charset, LE"),
            pytest.param("{}", "utf-16-be", b"", f"{XML}; charset=UTF-16BE", "utf-16be", id="order in the charset, BE"),
            pytest.param("utf-16", "utf-16-le", b"", f"{XML}; charset=utf-16", "utf-16le", id="no order at all"),
            pytest.param("utf-16", "utf-8", b"", UTF_8, "utf-8", id="charset beats declaration"),
            pytest.param("utf-8", "iso-8859-1", b"", f"{XML}; charset=ISO-8859-1", "utf-8", id="latin-1 by charset"),
            pytest.param("iso-8859-1", "iso-8859-1", b"", XML, "utf-8", id="latin-1 by declaration"),
            pytest.param("{}", "cp1252", b"", f'{XML}; charset="windows-1252"', "utf-8", id="windows-1252, quoted"),
            pytest.param("utf-8", "utf-8", b"", f"{XML}; charset=us-ascii", "utf-8", id="ascii is read as utf-8"),
            pytest.param("utf-8", "utf-8", b"", f"{XML};charset=UTF8;x=y", "utf-8", id="other spelling"),
            pytest.param("utf-8", "utf-8", b"", f"{XML}; charset=", "utf-8", id="empty charset"),
            pytest.param("utf-16", "utf-8", b"", XML, "utf-8", id="utf-16 declared over utf-8, as a StringWriter does"),
            pytest.param("utf-16", "utf-8", codecs.BOM_UTF8, XML, "utf-8", id="mark beats utf-16 declared"),
            pytest.param("klingon", "utf-8", b"", f"{XML}; charset=klingon", "utf-8", id="unknown names"),
            pytest.param("utf-8", "iso-8859-1", b"", UTF_8, "utf-8", id="latin-1 that says utf-8"),
            pytest.param("{}", "iso-8859-15", b"", f"{XML}; charset=iso-8859-15", "utf-8", id="another code page"),
            pytest.param("windows-1257", "cp1257", b"", XML, "utf-8", id="another code page by declaration"),
            pytest.param("ansi", "cp1252", b"", XML, "utf-8", id="a name of Windows"),
        ],
    )
    def test_a_supported_encoding(self, text: str, codec: str, mark: bytes, content_type: str, answered: str) -> None:
        declaration = "" if text == "{}" else f"<?xml version='1.0' encoding='{text}'?>"
        sent = calls.envelope(calls.get_scores("<Type>caf\u00e9</Type>"), declaration=declaration)
        call = called(mark + sent.encode(codec), content_type)
        assert elements.text_of(call.element) == "caf\u00e9"
        assert call.dialect.encoding == answered

    @pytest.mark.parametrize("charset", ["klingon", "undefined", "a\x00b", "x" * 300])
    def test_a_charset_that_nobody_knows_is_ignored(self, charset: str) -> None:
        call = called(calls.envelope(calls.get_scores("<Type>caf\u00e9</Type>")), f"text/xml; charset={charset}")
        assert elements.text_of(call.element) == "caf\u00e9"

    @pytest.mark.parametrize("charset", ["utf-7", "utf-16", "utf-32", "UTF-32LE", "hz", "cp037", "IBM500", "hex"])
    def test_a_charset_without_ascii_is_refused_where_it_matters(self, charset: str) -> None:
        content_type = f"text/xml; charset={charset}"
        assert refused(calls.envelope("<a>\u00e9</a>"), content_type) == "encoding"
        assert called(calls.envelope(), content_type).name == "GetScores"

    @pytest.mark.parametrize("codec", ["utf-32", "utf-32-le", "utf-32-be"])
    @pytest.mark.parametrize("charset", ["", "; charset=utf-32"])
    def test_utf_32(self, codec: str, charset: str) -> None:
        assert refused(calls.envelope().encode(codec), f"text/xml{charset}") == "encoding"

    @pytest.mark.parametrize("codec", ["cp037", "utf-16"])
    def test_bytes_that_are_not_text(self, codec: str) -> None:
        body = calls.envelope().encode(codec)
        assert refused(body[:-1] if codec == "utf-16" else body, XML) == "not-xml"

    @pytest.mark.parametrize("value", ["", " utf-8", "utf 8", "\u00e9"])
    @pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["no mark", "mark"])
    def test_a_declared_name_that_is_none(self, value: str, mark: bytes) -> None:
        for quote in "'\"":
            body = calls.envelope(declaration=f'<?xml version="1.0" encoding={quote}{value}{quote} standalone="yes"?>')
            assert called(mark + body.encode(), XML).name == "GetScores"

    @pytest.mark.parametrize("encoding", [None, *BYTE_ORDER_MARKS], ids=str)
    @pytest.mark.parametrize("end", ["\0", "\0" * 500, "\0\r\n", "\r\n\0", " \0 "], ids=repr)
    def test_nuls_after_the_envelope_are_dropped(self, encoding: str | None, end: str) -> None:
        mark = BYTE_ORDER_MARKS[encoding] if encoding is not None else b""
        body = mark + (calls.envelope() + end).encode(encoding or "utf-8")
        assert called(body, XML).name == "GetScores"

    def test_a_nul_that_is_half_a_character_of_utf_16_is_padding_too(self) -> None:
        assert called(calls.envelope().encode("utf-16-le") + b"\0", XML).name == "GetScores"

    def test_character_references(self) -> None:
        call = called(calls.envelope(calls.get_scores("<Type>caf&#233; &amp; &#x1F600;</Type>")))
        assert elements.text_of(call.element) == "caf\u00e9 & \U0001f600"


class TestXml:
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("", id="empty"),
            pytest.param("GetScores", id="text"),
            pytest.param(calls.envelope()[:-1], id="cut"),
            pytest.param(calls.envelope() + "<a/>", id="two roots"),
            pytest.param("\n" + calls.envelope(declaration='<?xml version="1.0"?>'), id="late declaration"),
            pytest.param(calls.envelope("<p:a/>"), id="prefix without a namespace"),
            pytest.param(calls.envelope("<a b='1' b='2'/>"), id="attribute twice"),
            pytest.param(calls.envelope("<a>\x00</a>"), id="NUL"),
            pytest.param(calls.envelope("<a>&nbsp;</a>"), id="entity that is not declared"),
            pytest.param(calls.envelope("<a>" * 3000 + "</a>" * 3000), id="too deep"),
        ],
    )
    def test_not_well_formed(self, body: str) -> None:
        assert refused(body) == "not-xml"

    @pytest.mark.parametrize(
        "doctype",
        [
            pytest.param("<!DOCTYPE a>", id="bare"),
            pytest.param("<!DOCTYPE a []>", id="empty subset"),
            pytest.param('<!DOCTYPE a [<!ENTITY e "x">]>', id="entity"),
            pytest.param('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>', id="file entity"),
            pytest.param('<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">', id="on the network"),
            pytest.param('<!DOCTYPE a SYSTEM "file:///nowhere/a.dtd">', id="in a file"),
            pytest.param('<!DOCTYPE a PUBLIC "-//W3C//DTD XHTML 1.0//EN" "a.dtd">', id="public"),
        ],
    )
    def test_a_doctype_is_refused(self, doctype: str) -> None:
        assert refused(doctype + calls.envelope()) == "doctype"

    def test_no_file_that_a_doctype_names_is_opened(self, tmp_path: Path) -> None:
        trap = tmp_path / "trap.dtd"
        os.mkfifo(trap)
        writer = os.open(trap, os.O_RDWR | os.O_NONBLOCK)
        done: list[str] = []
        body = f'<!DOCTYPE a SYSTEM "{trap}">{calls.envelope()}'
        reader = threading.Thread(target=lambda: done.append(refused(body)), daemon=True)
        try:
            reader.start()
            reader.join(2)
            assert done == ["doctype"], "the parser waits for the file"
        finally:
            os.write(writer, b"<!ELEMENT a ANY>")
            os.close(writer)
            reader.join(2)

    def test_comments_and_instructions_in_a_value_do_not_cut_it(self) -> None:
        value = "<!--a-->2025-<?b c?>04<!---->-2<![CDATA[1]]>"
        call = called(calls.envelope(f"<!--x--><?y z?>{calls.get_scores(f'<StartDate>{value}</StartDate>')}<!--x-->"))
        assert call.name == "GetScores"
        assert elements.text_of(call.element) == "2025-04-21"

    def test_a_declaration_in_single_quotes(self) -> None:
        assert called(calls.envelope(declaration="<?xml version='1.0' encoding='utf-8'?>")).name == "GetScores"


class TestBody:
    @versions
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("<s:Body/>", id="empty"),
            pytest.param("<s:Body> \n text </s:Body>", id="text"),
            pytest.param("<s:Body><!--GetScores--></s:Body>", id="comment"),
            pytest.param("", id="none"),
            pytest.param("<GetScores/>", id="outside"),
            pytest.param("<Body><GetScores/></Body>", id="in no namespace"),
            pytest.param("<s:Body/><s:Body/>", id="two, both empty"),
            pytest.param("<s:Body><GetScores/><GetScores><a/></GetScores></s:Body>", id="two calls"),
            pytest.param("<s:Body><GetScores>1</GetScores><GetScores>2</GetScores></s:Body>", id="two texts"),
            pytest.param('<s:Body><GetScores/><GetScores a="1"/></s:Body>', id="two calls, one with an attribute"),
            pytest.param("<s:Body><GetScores/></s:Body><s:Body><getEDIData/></s:Body>", id="two bodies, two calls"),
            pytest.param("<s:Body><a/><GetScores/><b/><getEDIData/></s:Body>", id="two calls among others"),
            pytest.param("<s:Header><s:Body><GetScores/></s:Body></s:Header>", id="within the header"),
        ],
    )
    def test_it_holds_one_element(self, version: Version, body: str) -> None:
        sent = f'<s:Envelope xmlns:s="{version.namespace}">{body}</s:Envelope>'
        assert refused(sent) == "not-soap"
        assert envelope.parse(sent.encode(), UTF_8).dialect.version is version

    @versions
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("<s:Body><GetScores>1</GetScores><a/></s:Body>", id="before"),
            pytest.param("<s:Body><a/><b>2</b><GetScores>1</GetScores></s:Body>", id="after"),
            pytest.param("<s:Body><GetScores>1</GetScores><GetScores> 1\n</GetScores></s:Body>", id="the same twice"),
            pytest.param("<s:Body><GetScores>1</GetScores></s:Body><s:Body/>", id="an empty body after it"),
            pytest.param("<s:Body/><s:Body><GetScores>1</GetScores></s:Body>", id="an empty body before it"),
        ],
    )
    def test_other_elements_beside_the_call_are_ignored(self, version: Version, body: str) -> None:
        sent = f'<s:Envelope xmlns:s="{version.namespace}">{body}</s:Envelope>'
        call = called(sent)
        assert (call.name, elements.text_of(call.element)) == ("GetScores", "1")

    def test_without_a_call_the_first_element_is_taken(self) -> None:
        assert called(calls.envelope("<a/><b/>")).name == "a"

    @pytest.mark.parametrize(
        ("body", "namespace", "qualified"),
        [
            pytest.param('<GetScores xmlns="urn:x"><request/></GetScores>', "urn:x", True, id="qualified"),
            pytest.param('<p:GetScores xmlns:p="urn:x"><p:request/></p:GetScores>', "urn:x", True, id="by prefix"),
            pytest.param('<p:GetScores xmlns:p="urn:x"><request/></p:GetScores>', "urn:x", False, id="unqualified"),
            pytest.param('<GetScores xmlns="urn:x"><request xmlns=""/></GetScores>', "urn:x", False, id="undeclared"),
            pytest.param('<p:GetScores xmlns:p="urn:x"/>', "urn:x", True, id="nothing in it"),
            pytest.param("<GetScores><request/></GetScores>", "", False, id="no namespace at all"),
        ],
    )
    def test_namespaces(self, body: str, namespace: str, qualified: bool) -> None:
        call = called(calls.envelope(body))
        assert (call.name, call.namespace, call.qualified) == ("GetScores", namespace, qualified)


class TestHeaders:
    @versions
    @pytest.mark.parametrize(
        ("attributes", "expected"),
        [
            pytest.param('s:mustUnderstand="1"', "must-understand", id="1"),
            pytest.param('s:mustUnderstand="true"', "must-understand", id="true"),
            pytest.param('s:mustUnderstand=" 1 "', "must-understand", id="white space"),
            pytest.param('s:mustUnderstand="0"', "", id="0"),
            pytest.param('s:mustUnderstand="false"', "", id="false"),
            pytest.param('mustUnderstand="1"', "", id="in no namespace"),
            pytest.param("", "", id="absent"),
            pytest.param('s:mustUnderstand="1" s:ROLE=""', "must-understand", id="empty role"),
            pytest.param('s:mustUnderstand="1" s:ROLE="NEXT"', "must-understand", id="for the next"),
            pytest.param('s:mustUnderstand="1" s:ROLE="urn:proxy"', "", id="for another"),
            pytest.param('s:mustUnderstand="1" ROLE="urn:proxy"', "must-understand", id="role in no namespace"),
        ],
    )
    def test_must_understand(self, version: Version, attributes: str, expected: str) -> None:
        following = {
            Version.SOAP_11: "http://schemas.xmlsoap.org/soap/actor/next",
            Version.SOAP_12: "http://www.w3.org/2003/05/soap-envelope/role/next",
        }[version]
        attributes = attributes.replace("NEXT", following).replace("ROLE", version.actor)
        sent = calls.envelope(version=version, headers=f'<h:x xmlns:h="urn:h" {attributes}/>')
        if expected:
            assert refused(sent) == expected
        else:
            assert called(sent).name == "GetScores"

    def test_the_ultimate_receiver_is_addressed(self) -> None:
        role = "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"
        header = f'<h:x xmlns:h="urn:h" s:mustUnderstand="true" s:role="{role}"/>'
        assert refused(calls.envelope(version=Version.SOAP_12, headers=header)) == "must-understand"

    def test_every_header_is_checked(self) -> None:
        headers = '<a/><b xmlns="urn:b" s:mustUnderstand="1"/>'
        assert refused(calls.envelope(headers=headers)) == "must-understand"

    @versions
    @pytest.mark.parametrize("value", ["1", "true"])
    def test_ws_security_is_understood(self, version: Version, value: str) -> None:
        header = (
            f'<w:Security xmlns:w="{WSSE}" s:mustUnderstand="{value}"><w:UsernameToken>'
            "<w:Username>synthetic</w:Username><w:Password>synthetic</w:Password></w:UsernameToken></w:Security>"
        )
        assert called(calls.envelope(version=version, headers=header)).name == "GetScores"


class TestAddressing:
    @versions
    @pytest.mark.parametrize("namespace", list(ADDRESSING))
    def test_the_reply_is_related_to_the_message(self, version: Version, namespace: str) -> None:
        headers = (
            f'<a:Action xmlns:a="{namespace}" s:mustUnderstand="1"> urn:GetScores </a:Action>'
            f'<a:MessageID xmlns:a="{namespace}">\n urn:uuid:1 &amp; 2 </a:MessageID>'
            f'<a:To xmlns:a="{namespace}" s:mustUnderstand="1">http://127.0.0.1/</a:To>'
            f'<a:ReplyTo xmlns:a="{namespace}"><a:Address> {ADDRESSING[namespace].anonymous} </a:Address></a:ReplyTo>'
        )
        call = called(calls.envelope(version=version, headers=headers))
        assert call.action == "urn:GetScores"
        assert call.dialect == Dialect(version, "utf-8", ADDRESSING[namespace], "urn:uuid:1 & 2")

    def test_without_a_message_id_the_answer_has_no_addressing(self) -> None:
        call = called(calls.envelope(headers=f'<a:Action xmlns:a="{NEW}" s:mustUnderstand="1">urn:x</a:Action>'))
        assert call.action == "urn:x"
        assert call.dialect.addressing is None

    @pytest.mark.parametrize("marked", ["Action", "To", "ReplyTo", "MessageID"])
    def test_an_action_counts_if_any_header_is_marked(self, marked: str) -> None:
        marks = {name: ' s:mustUnderstand="1"' if name == marked else "" for name in ("Action", "To", "MessageID")}
        headers = "".join(f'<a:{name} xmlns:a="{NEW}"{mark}>urn:x</a:{name}>' for name, mark in marks.items())
        assert called(calls.envelope(headers=headers)).action == ("urn:x" if marked in marks else "")

    def test_a_message_id_of_another_standard_is_ignored(self) -> None:
        assert called(calls.envelope(headers='<a:MessageID xmlns:a="urn:x">1</a:MessageID>')).dialect == Dialect()

    @pytest.mark.parametrize("namespace", list(ADDRESSING))
    @pytest.mark.parametrize("name", ["ReplyTo", "FaultTo"])
    @pytest.mark.parametrize(
        "address",
        [
            pytest.param("<a:Address>http://192.0.2.1/reply</a:Address>", id="elsewhere"),
            pytest.param("<a:Address>urn:none</a:Address>", id="nowhere of its own"),
            pytest.param("<a:Address/>", id="empty"),
            pytest.param("", id="none"),
        ],
    )
    def test_a_reply_to_another_address_is_refused_with_a_related_fault_if_a_header_is_marked(
        self, namespace: str, name: str, address: str
    ) -> None:
        message = f'<a:MessageID xmlns:a="{namespace}">m</a:MessageID>'
        unmarked = f'<a:{name} xmlns:a="{namespace}">{address}</a:{name}>{message}'
        assert called(calls.envelope(headers=unmarked)).dialect.message_id == "m"
        for marked in (unmarked.replace(">", ' s:mustUnderstand="1">', 1), f"{unmarked}{self.to(namespace)}"):
            sent = calls.envelope(headers=marked)
            assert refused(sent) == "reply-elsewhere"
            assert envelope.parse(sent.encode(), UTF_8).dialect.message_id == "m"

    @staticmethod
    def to(namespace: str) -> str:
        return f'<a:To xmlns:a="{namespace}" s:mustUnderstand="1">http://127.0.0.1/</a:To>'

    @pytest.mark.parametrize("namespace", list(ADDRESSING))
    def test_a_caller_that_wants_no_reply_gets_one(self, namespace: str) -> None:
        headers = f'<a:ReplyTo xmlns:a="{namespace}"><a:Address>{namespace}/none</a:Address></a:ReplyTo>'
        assert called(calls.envelope(headers=headers + self.to(namespace))).name == "GetScores"

    def test_each_version_has_its_own_anonymous_address(self) -> None:
        address = ADDRESSING[OLD].anonymous
        headers = f'<a:ReplyTo xmlns:a="{NEW}"><a:Address>{address}</a:Address></a:ReplyTo>{self.to(NEW)}'
        assert refused(calls.envelope(headers=headers)) == "reply-elsewhere"


class TestGuessDialect:
    @pytest.mark.parametrize(
        ("body", "content_type", "dialect"),
        [
            pytest.param("", XML, Dialect(), id="nothing"),
            pytest.param("", "application/soap+xml", Dialect(Version.SOAP_12), id="media type of 1.2"),
            pytest.param("", "Application/SOAP+XML; charset=utf-8", Dialect(Version.SOAP_12), id="in capitals"),
            pytest.param(calls.envelope()[:-9], XML, Dialect(), id="broken 1.1"),
            pytest.param(calls.envelope()[:-9], "application/soap+xml", Dialect(), id="broken 1.1 with 1.2's type"),
            pytest.param(
                calls.envelope(version=Version.SOAP_12)[:-9], XML, Dialect(Version.SOAP_12), id="broken 1.2, 1.1's type"
            ),
            pytest.param(
                f'<?xml version="1.0"?><e:Envelope xmlns:a="{Version.SOAP_11.namespace}" '
                f"xmlns:e = ' {Version.SOAP_12.namespace}'",
                XML,
                Dialect(Version.SOAP_12),
                id="1.2 that names 1.1 before",
            ),
            pytest.param(
                f'<Envelope xmlns:a="{Version.SOAP_12.namespace}" xmlns="{Version.SOAP_11.namespace}">',
                "application/soap+xml",
                Dialect(),
                id="1.1 that names 1.2 before",
            ),
            pytest.param(
                f'<a:Envelop xmlns:a="{Version.SOAP_12.namespace}">', XML, Dialect(Version.SOAP_12), id="misspelt 1.2"
            ),
            pytest.param(
                '<a:Envelope xmlns:a="urn:x">', "application/soap+xml", Dialect(Version.SOAP_12), id="another namespace"
            ),
        ],
    )
    @pytest.mark.parametrize("encoding", list(BYTE_ORDER_MARKS))
    def test_a_request_that_is_not_an_envelope(
        self, body: str, content_type: str, dialect: Dialect, encoding: str
    ) -> None:
        sent = BYTE_ORDER_MARKS[encoding] + body.encode(encoding)
        assert envelope.guess_dialect(sent, content_type) == Dialect(dialect.version, encoding)

    @pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
    def test_the_version_is_seen_in_utf_16_without_a_mark(self, codec: str) -> None:
        body = calls.envelope(version=Version.SOAP_12)[:-9].encode(codec)
        assert envelope.guess_dialect(body, XML).version is Version.SOAP_12


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,12}", fullmatch=True)
# Two different prefixes; none may begin with xml.
prefixes = st.tuples(names, names).map(lambda two: (f"a{two[0]}", f"b{two[1]}"))
namespaces = st.from_regex(r"(urn:|https?://)[a-z0-9]+(/[A-Za-z0-9/._~()+,;=:@-]{0,20})?", fullmatch=True)
space = st.text(" \t\r\n", max_size=4)


@given(
    st.sampled_from(Version),
    namespaces,
    prefixes,
    names,
    space,
    st.booleans(),
    st.sampled_from(tuple(BYTE_ORDER_MARKS)),
)
def test_any_namespace_prefix_and_layout_is_understood(  # noqa: PLR0913, PLR0917 - one argument for each freedom
    version: Version,
    namespace: str,
    two: tuple[str, str],
    root: str,
    gap: str,
    default: bool,
    encoding: str,
) -> None:
    soap, prefix = two
    if default:
        body = f'{gap}<{root} xmlns="{namespace}">{gap}<a>1</a>{gap}</{root}>{gap}'
    else:
        body = f'{gap}<{prefix}:{root} xmlns:{prefix} = "{namespace}">{gap}<{prefix}:a>1</{prefix}:a></{prefix}:{root}>'
    sent = (
        f"<{soap}:Envelope xmlns:{soap}='{version.namespace}'>{gap}<{soap}:Header/>{gap}"
        f"<{soap}:Body {gap}>{body}</{soap}:Body>{gap}</{soap}:Envelope>{gap}"
    )
    call = called(BYTE_ORDER_MARKS[encoding] + sent.encode(encoding), XML)
    assert (call.name, call.namespace, call.qualified) == (root, namespace, True)
    assert call.dialect == Dialect(version, encoding)


def parsed_or_refused(body: bytes, content_type: str) -> None:
    assert isinstance(envelope.guess_dialect(body, content_type), Dialect)
    try:
        called(body, content_type)
    except GatewayError as error:
        assert error.detail == ""  # noqa: PT017 - the input decides whether it raises


@given(
    st.binary(max_size=400), st.text(max_size=40).map("text/xml; charset={}".format) | st.sampled_from([XML, UTF_8, ""])
)
def test_any_bytes_are_parsed_or_refused(body: bytes, content_type: str) -> None:
    parsed_or_refused(body, content_type)


GOOD = calls.envelope(
    headers=f'<a:MessageID xmlns:a="{NEW}" s:mustUnderstand="1">urn:1</a:MessageID>',
    declaration='<?xml version="1.0" encoding="utf-8"?>',
)
positions = st.floats(0, 1, exclude_max=True)
scraps = st.binary(max_size=4) | st.sampled_from(
    [b"<", b">", b"&", b'"', b"<!--", b"<![CDATA[", b"<!DOCTYPE a [", b"\xff"]
)


@given(
    st.lists(st.tuples(positions, st.integers(0, 12), scraps), min_size=1, max_size=3),
    st.sampled_from(tuple(BYTE_ORDER_MARKS)),
)
def test_any_mutation_of_an_envelope_is_parsed_or_refused(
    changes: list[tuple[float, int, bytes]], encoding: str
) -> None:
    body = BYTE_ORDER_MARKS[encoding] + GOOD.encode(encoding)
    for position, cut, scrap in changes:
        at = int(position * len(body))
        body = body[:at] + scrap + body[at + cut :]
    parsed_or_refused(body, XML)
