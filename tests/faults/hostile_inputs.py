"""Requests that no SOAP client sends: what is in them, and what each must be answered."""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from shim.wire.dialect import Version
from shim.wire.namespaces import WSSE
from tests.web.calls import GUIDE, NAMESPACE, elements, envelope, get_scores

SCORES: Final = "scores"
"""Instead of a reason: the right scores."""
LISTENER: Final = "@listener@"
"""Stands for ``ADDRESS:PORT`` of a listener that nothing may call."""
PLANTED: Final = "@planted@"
"""Stands for the path of a file that nothing may read."""

_XI: Final = "http://www.w3.org/2001/XInclude"
_WSA: Final = "http://www.w3.org/2005/08/addressing"
_WSA_2004: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_ANONYMOUS: Final = f"{_WSA}/anonymous"
_MARK: Final = ' s:mustUnderstand="1"'
_WITHOUT_ASCII: Final = ("utf-7", "utf-32", "utf-32le", "ebcdic-cp-us", "hex")
_UTF_8_MARK: Final = b"\xef\xbb\xbf"

Make = Callable[[Version], bytes]


@dataclass(frozen=True)
class Hostile:
    """One request.

    Attributes:
        name: What is wrong with it.
        make: Its body, in a SOAP version.
        reason: Stable name of what it is answered, ``SCORES`` when it must be answered like any other, or several of
            them where parsers may differ.
        charset: Of its Content-Type; none if empty.
        content_type: All of its Content-Type, when that is not the one of its SOAP version; that is ``{0}`` in it.
        headers: More headers.
        family: What it is one of.
    """

    name: str
    make: Make
    reason: str
    charset: str = "utf-8"
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    family: str = "much of one thing"

    def type_of(self, version: Version) -> str:
        """Its Content-Type."""
        return self.content_type.format(version.media_type) or version.media_type + (
            f"; charset={self.charset}" if self.charset else ""
        )


def all_inputs() -> Iterator[Hostile]:
    """Every one that fits into the largest request that there is by default."""
    for family, inputs in {
        "DOCTYPE, entities": _doctypes,
        "encodings, bytes that are no text": _encodings,
        "broken XML": _broken,
        "comments, instructions, CDATA, XInclude": _harmless,
        "bodies and envelopes": _bodies,
        "parameters, nil, href": _parameters,
        "WS-Addressing, WS-Security": _headers,
        "media types, SOAPAction, compression": _http,
    }.items():
        for hostile in inputs():
            yield replace(hostile, family=family)
    yield from bulk(60_000)


def _text(name: str, make: Callable[[Version], str], reason: str, charset: str = "utf-8") -> Hostile:
    return Hostile(name, lambda version: make(version).encode(), reason, charset)


def _changed(change: Callable[[bytes], bytes], encoding: str = "utf-8") -> Make:
    """The bytes of an ordinary call, changed."""
    return lambda version: change(envelope(version=version).encode(encoding))


def _always(text: str) -> Callable[[Version], str]:
    return lambda _: text


def _whole(body: str | None = None, headers: str = "", declaration: str = "") -> Callable[[Version], str]:
    return lambda version: envelope(body, version=version, headers=headers, declaration=declaration)


def _given(**changes: str) -> str:
    """The guide's parameters with other contents."""
    return elements(GUIDE | changes)


_TEN: Final = "&l{0};" * 10
_SUBSETS: Final = {
    "no subset": "",
    "an entity": '[<!ENTITY e "x">]',
    "a file as an entity": f'[<!ENTITY e SYSTEM "file://{PLANTED}">]',
    "http as an entity": f'[<!ENTITY e SYSTEM "http://{LISTENER}/e">]',
    "ftp as an entity": f'[<!ENTITY e SYSTEM "ftp://{LISTENER}/e">]',
    "a public entity": f'[<!ENTITY e PUBLIC "-//X//Y//EN" "http://{LISTENER}/e">]',
    "an external subset over http": f' SYSTEM "http://{LISTENER}/e.dtd"',
    "an external subset in a file": f' SYSTEM "file://{PLANTED}"',
    "a parameter entity in a file": f'[<!ENTITY % p SYSTEM "file://{PLANTED}">%p;]',
    "a parameter entity over http": f'[<!ENTITY % p SYSTEM "http://{LISTENER}/p">%p;]',
    "a parameter entity of text": "[<!ENTITY % p '<!ENTITY e \"x\">'>%p;]",
    "entities in a circle": '[<!ENTITY a "&b;"><!ENTITY b "&a;"><!ENTITY e "&a;">]',
    "a default attribute": '[<!ATTLIST request e CDATA "x">]',
    "a notation": f'[<!NOTATION n SYSTEM "http://{LISTENER}/n"><!ENTITY e SYSTEM "file://{PLANTED}" NDATA n>]',
    "comments and PIs": '[<!-- x --><?pi x?><!ENTITY e "x">]',
    "a billion laughs": "["
    '<!ENTITY l0 "lol">'
    + "".join(f'<!ENTITY l{n} "{_TEN.format(n - 1)}">' for n in range(1, 10))
    + '<!ENTITY e "&l9;">]',
    "a quadratic blow-up": f'[<!ENTITY e "{"x" * 20_000}">]',
}
_REFERENCES: Final = {
    "not used": "",
    "used in a parameter": "<Other>&e;</Other>",
    "used in an attribute": '<Other at="&e;"/>',
    "used a thousand times": f"<Other>{'&e;' * 1000}</Other>",
}


def _doctypes() -> Iterator[Hostile]:
    for name, subset in _SUBSETS.items():
        for use, reference in _REFERENCES.items():
            if reference and "<!ENTITY e" not in subset:
                continue
            call = get_scores(elements() + reference)
            # Where it cannot even be read, the parser is the first to say no.
            reason = "doctype not-xml"
            declared = f"<!DOCTYPE x{subset}>"
            yield _text(f"DOCTYPE with {name}, {use}", _whole(call, declaration=declared), reason)
    plain = '<!DOCTYPE x [<!ENTITY e "x">]>'
    for charset, encoding in {
        "utf-8": "utf-8",
        "us-ascii": "ascii",
        "iso-8859-1": "latin-1",
        "windows-1252": "cp1252",
        "utf-16le": "utf-16-le",
        "utf-16be": "utf-16-be",
        "utf-16": "utf-16",
    }.items():
        yield Hostile(
            f"DOCTYPE in {charset}", _encoded(encoding, _whole(declaration=plain)), "doctype", charset=charset
        )
    yield Hostile(
        "DOCTYPE after a byte order mark", _encoded("utf-8-sig", _whole(declaration=plain)), "doctype", charset=""
    )
    yield Hostile("DOCTYPE in UTF-16 of no name", _encoded("utf-16", _whole(declaration=plain)), "doctype", charset="")
    yield Hostile(
        "DOCTYPE in UTF-16 of no name and no mark",
        _encoded("utf-16-le", _whole(declaration=plain)),
        "doctype not-xml",
        charset="",
    )
    yield _text("DOCTYPE in lower case", _whole(declaration="<!doctype x>"), "not-xml")
    yield _text("DOCTYPE after a comment", _whole(declaration="<!-- x --><!DOCTYPE x>"), "doctype")
    yield _text("DOCTYPE after a declaration", _whole(declaration='<?xml version="1.0"?>\n<!DOCTYPE x>'), "doctype")
    yield _text("DOCTYPE of the envelope's name", _whole(declaration="<!DOCTYPE s:Envelope>"), "doctype")
    yield _text("two DOCTYPEs", _whole(declaration="<!DOCTYPE x><!DOCTYPE y>"), "not-xml")
    yield _text("DOCTYPE in the body", _whole("<!DOCTYPE x>"), "not-xml")
    yield _text("DOCTYPE in a parameter", _whole(get_scores(_given(Type="<!DOCTYPE x>TOEFL"))), "not-xml")
    yield _text("DOCTYPE after the envelope", lambda version: envelope(version=version) + "<!DOCTYPE x>", "not-xml")
    yield _text("DOCTYPE in a comment", _whole(declaration="<!-- <!DOCTYPE x> -->"), SCORES)
    yield _text("DOCTYPE in CDATA", _whole(get_scores(elements() + "<x><![CDATA[<!DOCTYPE x>]]></x>")), SCORES)
    yield _text("an entity of no DOCTYPE", _whole(get_scores(_given(Type="&e;"))), "not-xml")
    yield _text("an entity of HTML", _whole(get_scores(_given(Type="TOEFL&nbsp;"))), "not-xml")


def _encoded(encoding: str, make: Callable[[Version], str]) -> Make:
    return lambda version: make(version).encode(encoding)


def _put(what: bytes, place: bytes = b"TOEFL", *, after: bool = False) -> Make:
    """A call with bytes before the value of a parameter, or before or after another place."""
    return _changed(lambda data: data.replace(place, place + what if after else what + place, 1))


def _declared(name: str) -> str:
    return f'<?xml version="1.0" encoding="{name}"?>'


def _encodings() -> Iterator[Hostile]:
    for charset in ("x-unknown", "gb18030", "shift_jis", "idna", *_WITHOUT_ASCII):
        yield _text(f"charset {charset}", _whole(), SCORES, charset=charset)
        yield _text(
            f"charset {charset}, bytes beyond ASCII",
            _whole(get_scores(elements() + "<a>\u65e5</a>")),
            "encoding" if charset in _WITHOUT_ASCII else SCORES,
            charset=charset,
        )
    yield Hostile("EBCDIC", _encoded("cp037", _whole()), "encoding", charset="cp037")
    yield Hostile("EBCDIC as utf-8", _encoded("cp037", _whole()), "not-xml")
    yield _text("UTF-7", lambda v: envelope(version=v).replace("<s:Body>", "+ADw-s:Body+AD4-"), "not-xml", "utf-7")
    yield Hostile(
        "UTF-7 that declares itself",
        lambda version: (_declared("UTF-7") + envelope(version=version).replace("TOEFL<", "+AFQ-OEFL<")).encode(),
        f"not-xml {SCORES}",
        charset="",
    )
    yield _text(
        "a DOCTYPE that only UTF-7 shows",
        _whole(declaration=_declared("UTF-7") + "+ADwAIQ-DOCTYPE x+AD4-"),
        "not-xml doctype",
        charset="",
    )
    for name in ("x-unknown", "UTF-9", "", "a b", "u" * 10_000):
        yield _text(f"declared as {name[:12]!r}", _whole(declaration=_declared(name)), SCORES, charset="")
    yield _text("declared as a bracket", _whole(declaration=_declared("<")), "not-xml", charset="")
    for encoding in ("utf-16-le", "utf-16-be"):
        yield Hostile(f"{encoding} without a mark", _encoded(encoding, _whole()), f"not-xml {SCORES}", charset="")
        yield Hostile(f"{encoding} as utf-16", _encoded(encoding, _whole()), f"not-xml {SCORES}", charset="utf-16")
        yield Hostile(
            f"{encoding} without a mark that declares itself",
            _encoded(encoding, _whole(declaration=_declared("utf-16"))),
            SCORES,
            charset="",
        )
        yield Hostile(f"{encoding} as utf-8", _encoded(encoding, _whole()), SCORES)
        yield Hostile(f"{encoding} of odd length", _changed(lambda data: data[:-1], encoding), "not-xml")
    yield Hostile("UTF-16 with a mark", _encoded("utf-16", _whole()), SCORES, charset="")
    yield Hostile("UTF-16 with a mark as utf-8", _encoded("utf-16", _whole()), SCORES)
    yield Hostile(
        "half a pair of UTF-16",
        lambda version: envelope(version=version).encode("utf-16-le").replace(b"T\0O\0E\0", b"\0\xd8O\0E\0"),
        "not-xml",
        charset="utf-16le",
    )
    for encoding in ("utf-32", "utf-32-le", "utf-32-be"):
        yield Hostile(f"{encoding} as utf-8", _encoded(encoding, _whole()), "encoding")
    yield Hostile("two byte order marks", lambda v: _UTF_8_MARK * 2 + envelope(version=v).encode(), f"not-xml {SCORES}")
    yield Hostile("a byte order mark in the middle", _put(_UTF_8_MARK, b"<s:Body>"), SCORES)
    for name, what in {
        "a byte that is not UTF-8": b"\xff",
        "half a character": b"\xc3",
        "a continuation alone": b"\x80",
        "an overlong slash": b"\xc0\xaf",
        "an overlong bracket": b"\xc0\xbc",
        "an overlong NUL": b"\xc0\x80",
        "an overlong of three bytes": b"\xe0\x80\xbc",
        "an overlong of four bytes": b"\xf0\x80\x80\xbc",
        "a surrogate": b"\xed\xa0\x80",
        "a character beyond the last": b"\xf4\x90\x80\x80",
        "five bytes": b"\xf8\x88\x80\x80\x80",
    }.items():
        yield Hostile(name, _put(what), SCORES)
    for name, what in {
        "a NUL": b"\0",
        "a control character": b"\x08",
        "a character that is none": b"\xef\xbf\xbf",
        "a reference to NUL": b"&#0;",
        "a reference to a surrogate": b"&#xD800;",
        "a reference beyond all": b"&#x110000;",
        "a reference beyond all numbers": b"&#" + b"9" * 10_000 + b";",
    }.items():
        yield Hostile(name, _put(what), "not-xml")
    yield Hostile("a NUL before all", lambda version: b"\0" + envelope(version=version).encode(), "not-xml")
    yield Hostile("a NUL after all", lambda version: envelope(version=version).encode() + b"\0", SCORES)
    yield Hostile("a NUL and more after all", lambda version: envelope(version=version).encode() + b"\0x", "not-xml")
    yield Hostile("NULs after all", lambda version: envelope(version=version).encode() + b"\0" * 60_000, SCORES)
    yield Hostile("NULs", lambda _: b"\0" * 60_000, "not-xml")


def _broken() -> Iterator[Hostile]:
    for name, text in {
        "no body at all": "",
        "white space": " \r\n" * 1000,
        "words": "hello",
        "JSON": '{"GetScores": {}}',
        "HTML": "<!-- --><html><body><p>x<br></body></html>",
        "one bracket": "<",
        "brackets": "<" * 60_000,
        "an end without a start": "</s:Envelope>",
        "an element that does not end": "<a" * 20_000,
        "comments that do not end": "<!--" * 15_000,
        "CDATA that does not end": "<a><![CDATA[" + "]]" * 20_000,
        "a PI that does not end": "<?x " + "?" * 60_000,
        "an attribute that does not end": '<a b="' + "x" * 60_000,
    }.items():
        yield _text(name, _always(text), "not-xml")
    yield _text("two envelopes", lambda version: envelope(version=version) * 2, "not-xml")
    yield _text("half an envelope", lambda version: envelope(version=version)[:-20], "not-xml")
    yield _text("words after the envelope", lambda version: envelope(version=version) + "x", "not-xml")
    yield _text(
        "white space before the declaration",
        lambda version: " " + envelope(version=version, declaration=_declared("utf-8")),
        "not-xml",
    )
    yield _text("two declarations", _whole(declaration=_declared("utf-8") * 2), "not-xml")
    yield _text("an attribute twice", _whole(get_scores().replace("<request>", '<request a="" a="">')), "not-xml")
    yield _text(
        "an attribute twice by its namespace",
        _whole(get_scores().replace("<request>", '<request xmlns:p="u" xmlns:q="u" p:a="" q:a="">')),
        "not-xml",
    )
    yield _text("a prefix of nothing", _whole("<p:GetScores/>"), "not-xml")
    yield _text("a colon too many", _whole("<s:a:GetScores/>"), "not-xml")
    yield _text("an empty name", _whole("<></>"), "not-xml")
    yield _text("an end of another name", _whole("<a></b>"), "not-xml")
    yield _text("another namespace for xml", _whole('<a xmlns:xml="urn:x"/>'), "not-xml")
    yield _text("a namespace for xmlns", _whole('<a xmlns:xmlns="urn:x"/>'), "not-xml")
    yield _text("]]> in text", _whole(get_scores(_given(Type="TOEFL]]>"))), "not-xml")
    yield _text("-- in a comment", _whole(declaration="<!-- a -- b -->"), "not-xml")
    yield _text("a PI named xml", _whole(declaration="<!-- x --><?xml version='1.0'?>"), "not-xml")


def _harmless() -> Iterator[Hostile]:
    both = "<!-- a & < comment --><?a processing instruction?>"
    everywhere = lambda version: both + envelope(version=version).replace("><", f">{both}<") + both  # noqa: E731
    yield _text("comments and PIs everywhere", everywhere, SCORES)
    yield _text("a comment in a value", _whole(get_scores(_given(StartDate="2025<!-- x -->-04-21T16:45:03"))), SCORES)
    yield _text("a PI in a value", _whole(get_scores(_given(StartDate="2025-04<?x y?>-21T16:45:03"))), SCORES)
    yield _text(
        "CDATA in a value", _whole(get_scores(_given(Type="<![CDATA[TO]]>E<![CDATA[]]><![CDATA[FL]]>"))), SCORES
    )
    yield _text("references in a value", _whole(get_scores(_given(Type="&#x54;&#79;&#x0045;FL"))), SCORES)
    yield _text(
        "a style sheet", _whole(declaration=f'<?xml-stylesheet type="text/xsl" href="http://{LISTENER}/x"?>'), SCORES
    )
    yield _text(
        "a schema elsewhere",
        _whole(get_scores().replace("<request>", f'<request xsi:schemaLocation="{NAMESPACE} http://{LISTENER}/x">')),
        SCORES,
    )
    yield _text(
        "a type of its own", _whole(get_scores().replace("<Type>", '<Type xmlns:e="urn:e" xsi:type="e:e">')), SCORES
    )
    yield _text("an id twice", _whole(get_scores(elements() + '<a xml:id="i"/><a xml:id="i"/>')), f"not-xml {SCORES}")
    yield _text("a base elsewhere", _whole(get_scores(elements() + f'<a xml:base="http://{LISTENER}/"/>')), SCORES)
    for where, place in {"the root": b"<s:Envelope", "the body": b"<s:Body"}.items():
        yield Hostile(f"an unknown attribute of {where}", _put(b' xmlns:e="urn:e" e:a="b"', place, after=True), SCORES)
    include = f'<xi:include xmlns:xi="{_XI}" parse="text" href="file://{PLANTED}"/>'
    yield _text("XInclude beside the parameters", _whole(get_scores(elements() + include)), SCORES)
    yield _text("XInclude in a parameter", _whole(get_scores(_given(Type=include))), "bad-parameter")
    yield _text("XInclude as the body", _whole(include), "unknown-operation")
    yield _text(
        "XInclude over http", _whole(headers=include.replace(f"file://{PLANTED}", f"http://{LISTENER}")), SCORES
    )


def _bodies() -> Iterator[Hostile]:
    call = get_scores()
    fault = "<s:Fault><faultcode>s:Client</faultcode><faultstring>x</faultstring></s:Fault>"
    yield _text("a fault as the body", _whole(fault), "unknown-operation")
    yield _text("an empty body", _whole(""), "not-soap")
    yield _text("a body of text", _whole("GetScores"), "not-soap")
    other = call.replace("TOEFL", "other")
    yield _text("a body of two equal calls", _whole(call * 2), SCORES)
    yield _text("a body of two calls", _whole(call + other), "not-soap")
    yield _text("a body of two operations", _whole(f"{call}<getEDIData/>"), "not-soap")
    yield _text("an unknown element beside the call", _whole(f"<a/>{call}<b><getEDIData/></b>"), SCORES)
    yield _text(
        "an envelope in the body",
        lambda version: envelope(envelope(version=version), version=version),
        "unknown-operation",
    )
    yield _text(
        "two bodies", lambda version: envelope(version=version).replace("<s:Body>", "<s:Body/><s:Body>"), SCORES
    )
    yield _text("two bodies with an equal call each", _whole(f"{call}</s:Body><s:Body>{call}"), SCORES)
    yield _text("two bodies with a call each", _whole(f"{call}</s:Body><s:Body>{other}"), "not-soap")
    yield _text("no body element", lambda version: f'<s:Envelope xmlns:s="{version.namespace}"/>', "not-soap")
    yield _text("a header alone", lambda v: f'<s:Envelope xmlns:s="{v.namespace}"><s:Header/></s:Envelope>', "not-soap")
    yield _text(
        "a header after the body", lambda v: envelope(version=v).replace("</s:Body>", "</s:Body><s:Header/>"), SCORES
    )
    yield _text(
        "a header after the body that must be understood",
        lambda v: envelope(version=v).replace("</s:Body>", '</s:Body><s:Header><x s:mustUnderstand="1"/></s:Header>'),
        "must-understand",
    )
    yield _text("the body as the root", lambda v: f'<s:Body xmlns:s="{v.namespace}">{call}</s:Body>', "not-soap")
    yield _text("the call as the root", lambda _: call, "not-soap")
    yield _text("an envelope of no namespace", lambda _: f"<Envelope><Body>{call}</Body></Envelope>", "version")
    yield _text(
        "an envelope of a version to come",
        lambda _: f'<s:Envelope xmlns:s="urn:soap:9"><s:Body>{call}</s:Body></s:Envelope>',
        "version",
    )
    yield _text(
        "a body of the other version",
        lambda v: envelope(version=v).replace("<s:Body>", '<o:Body xmlns:o="urn:o">').replace("</s:Body>", "</o:Body>"),
        "not-soap",
    )
    yield _text("an operation of the xml namespace", _whole("<xml:GetScores/>"), "not-soap")
    yield _text("an operation that is not there", _whole("<DropScores/>"), "unknown-operation")
    yield _text("an operation of Python", _whole("<__class__/>"), "unknown-operation")
    yield _text("an operation in another namespace", _whole(get_scores(namespace="urn:other")), SCORES)
    yield _text(
        "an operation in a namespace of markup",
        _whole(get_scores(namespace="&lt;x a=&quot;&apos;&amp;#10;>")),
        f"not-xml {SCORES}",
    )


def _parameters() -> Iterator[Hostile]:
    without = {
        name: get_scores(elements({given: value for given, value in GUIDE.items() if given != name})) for name in GUIDE
    }
    missing, given = without["StartDate"], get_scores()
    start = f"<StartDate>{GUIDE['StartDate']}</StartDate>"
    yield _text("no parameters", _whole("<GetScores/>"), "missing-parameter")
    yield _text("one parameter missing", _whole(missing), "missing-parameter")
    yield _text("an optional parameter missing", _whole(without["Type"]), SCORES)
    yield _text("a parameter twice", _whole(get_scores(elements() + "<Type>TOEFL</Type>")), SCORES)
    yield _text(
        "a parameter twice, in another namespace",
        _whole(get_scores(elements() + '<Type xmlns="urn:other">TOEFL</Type>')),
        SCORES,
    )
    yield _text(
        "a parameter twice, with two values", _whole(get_scores(elements() + "<Type>GRE</Type>")), "duplicate-parameter"
    )
    yield _text(
        "a parameter twice, once where the WSDL has none",
        _whole(get_scores(elements() + "<a><b><Type>GRE</Type></b></a>")),
        SCORES,
    )
    yield _text(
        "a parameter where the WSDL has none",
        _whole(missing.replace("</request>", f"<a><b>{start}</b></a></request>")),
        "missing-parameter",
    )
    yield _text("a parameter in a parameter", _whole(get_scores(_given(Type="<Type>TOEFL</Type>"))), "bad-parameter")
    yield _text("two requests", _whole(given.replace("</request>", "</request><request/>")), SCORES)
    for nil in ("true", "1", " true "):
        yield _text(
            f"xsi:nil={nil!r}",
            _whole(given.replace("<StartDate>", f'<StartDate xsi:nil="{nil}">')),
            "missing-parameter",
        )
    for nil in ("false", "0", "", "TRUE", "yes"):
        yield _text(f"xsi:nil={nil!r}", _whole(given.replace("<StartDate>", f'<StartDate xsi:nil="{nil}">')), SCORES)
    yield _text("nil of another namespace", _whole(given.replace("<Type>", '<Type nil="true">')), SCORES)
    yield _text(
        "a request that is nil", _whole('<GetScores><request xsi:nil="true"/></GetScores>'), "missing-parameter"
    )
    cycle = '<StartDate href="#1"/><multiRef id="1" href="#2"/><multiRef id="2" href="#1"/>'
    yield _text("hrefs in a circle", _whole(missing.replace("</request>", f"{cycle}</request>")), "missing-parameter")
    yield _text(
        "an href elsewhere",
        _whole(missing.replace("</request>", f'<StartDate href="http://{LISTENER}/x"/></request>')),
        "missing-parameter",
    )
    for name, value in {
        "text": "yesterday",
        "too far": "99999-01-01T00:00:00",
        "a year of thousands": "9" * 5000,
    }.items():
        yield _text(f"a date of {name}", _whole(get_scores(_given(StartDate=value))), "bad-date")
    yield _text("an end before its start", _whole(get_scores(_given(EndDate="2020-01-01T00:00:00"))), "start-after-end")


def _headers() -> Iterator[Hostile]:
    for namespace, anonymous in ((_WSA, _ANONYMOUS), (_WSA_2004, f"{_WSA_2004}/role/anonymous")):
        year = namespace.split("/")[3 if namespace == _WSA else 4]

        def header(name: str, value: str, ns: str = namespace, mark: str = "") -> str:
            return f'<a:{name} xmlns:a="{ns}"{mark}>{value}</a:{name}>'

        def address(value: str, ns: str = namespace) -> str:
            return f'<a:Address xmlns:a="{ns}">{value}</a:Address>'

        for name in ("ReplyTo", "FaultTo"):
            for what, value in {
                "elsewhere": address(f"http://{LISTENER}/x"),
                "to nobody": address(f"{namespace}/none"),
                "nowhere": "",
                "to a file": address(f"file://{PLANTED}"),
            }.items():
                reason = SCORES if what == "to nobody" else "reply-elsewhere"
                yield _text(f"{name} {what}, {year}", _whole(headers=header(name, value)), SCORES)
                yield _text(f"{name} {what}, {year}, marked", _whole(headers=header(name, value, mark=_MARK)), reason)
            yield _text(f"{name} to the sender, {year}", _whole(headers=header(name, address(anonymous))), SCORES)
            twice = header(name, address(anonymous)) + header(name, address(f"http://{LISTENER}/x"))
            yield _text(f"{name} twice, {year}", _whole(headers=twice), SCORES)
            marked = header("To", "urn:a", mark=_MARK)
            yield _text(f"{name} twice, {year}, with a marked To", _whole(headers=twice + marked), "reply-elsewhere")
        for name in ("To", "From", "RelatesTo", "MessageID", "Action"):
            yield _text(f"{name} twice, {year}", _whole(headers=header(name, "urn:a") + header(name, "urn:b")), SCORES)
            yield _text(f"{name} elsewhere, {year}", _whole(headers=header(name, f"http://{LISTENER}/")), SCORES)
        yield _text(
            f"a MessageID of markup, {year}", _whole(headers=header("MessageID", "&lt;a&gt;&amp;&#13;]]&gt;")), SCORES
        )
        yield _text(f"a MessageID of elements, {year}", _whole(headers=header("MessageID", "<b>c</b>")), SCORES)
        for mark, reason in (("", SCORES), (_MARK, "action")):
            yield _text(
                f"an Action of another, {year}{', marked' if mark else ''}",
                _whole(headers=header("Action", f"{NAMESPACE}getEDIData", mark=mark)),
                reason,
            )
    yield _text("a header that must be understood", _whole(headers='<x s:mustUnderstand="1"/>'), "must-understand")
    token = f'<w:Security xmlns:w="{WSSE}"><w:UsernameToken>{{}}</w:UsernameToken></w:Security>'
    other = '<w:Username>u</w:Username><w:Password Type="urn:x">p</w:Password>'
    for name, inner, reason in (
        ("of nothing", "", SCORES),
        ("of a long name", f"<w:Username>{'u' * 50_000}</w:Username><w:Password>p</w:Password>", "not-authenticated"),
        (
            "of a long password",
            f"<w:Username>u</w:Username><w:Password>{'p' * 50_000}</w:Password>",
            "not-authenticated",
        ),
        ("without a password", "<w:Username>u</w:Username>", SCORES),
        ("of another kind", other, SCORES),
    ):
        yield _text(f"a UsernameToken {name}", _whole(headers=token.format(inner)), reason)
    marked = token.replace(">", f"{_MARK}>", 1).format(other)
    yield _text("a UsernameToken of another kind, marked", _whole(headers=marked), "not-authenticated")
    yield _text(
        "a thousand UsernameTokens",
        _whole(headers=token.format("</w:UsernameToken><w:UsernameToken>" * 1000)),
        "not-authenticated",
    )


def _http() -> Iterator[Hostile]:
    for operation in ("getEDIData", "getScorelinkData", f"{NAMESPACE}getEDIData"):
        headers = {"SOAPAction": f'"{operation}"'}
        yield Hostile(f"SOAPAction {operation}", lambda v: envelope(version=v).encode(), "action", headers=headers)
    for action in ("", "*", '""', "x" * 8000, '"unfinished', "urn:x\tGetScores"):
        headers = {"SOAPAction": action}
        yield Hostile(f"SOAPAction {action[:12]!r}", lambda v: envelope(version=v).encode(), SCORES, headers=headers)
    part = "--b\r\nContent-Type: {}\r\nContent-ID: <r>\r\n\r\n{}\r\n--b--\r\n"
    for name, kind in {
        "MTOM": 'multipart/related; type="application/xop+xml"; start="<r>"; boundary=b; start-info="{0}"',
        "SOAP with attachments": "multipart/related; type={0}; start=<r>; boundary=b",
        "a form": "multipart/form-data; boundary=b",
    }.items():
        yield Hostile(
            name,
            lambda v: part.format(f'application/xop+xml; type="{v.media_type}"', envelope(version=v)).encode(),
            "content-type",
            content_type=kind,
        )
    for kind in ("text/plain", "application/json", "text/html", "text", "x" * 8000):
        yield Hostile(
            f"sent as {kind[:20]!r}", lambda v: envelope(version=v).encode(), "content-type", content_type=kind
        )
    yield Hostile(
        "sent as XML of an application", lambda v: envelope(version=v).encode(), SCORES, content_type="application/xml"
    )
    for name, coding, body, reason in (
        ("gzip", "gzip", gzip.compress, SCORES),
        ("gzip in gzip", "gzip", lambda data: gzip.compress(gzip.compress(data)), "not-xml"),
        ("two codings", "gzip, gzip", lambda data: gzip.compress(gzip.compress(data)), "not-xml"),
        ("two codings, one of them none", "gzip, identity", gzip.compress, SCORES),
        ("a coding that is not known", "br", gzip.compress, "not-xml"),
        ("a coding that is not known and not used", "br", bytes, SCORES),
        ("half of gzip", "gzip", lambda data: gzip.compress(data)[:-9], "compression"),
        ("gzip that is none", "gzip", bytes, SCORES),
        ("a gzip bomb", "gzip", lambda data: gzip.compress(data + b" " * 40_000_000, 9), "too-large"),
        ("a gzip bomb in gzip", "gzip", lambda _: gzip.compress(gzip.compress(b" " * 40_000_000, 9), 9), "not-xml"),
    ):
        yield Hostile(name, _changed(body), reason, headers={"Content-Encoding": coding})


def bulk(size: int) -> Iterator[Hostile]:
    """Requests of much of one thing, of about so many bytes."""

    def many(what: str) -> str:
        """So many that they take the size; a number in each makes them differ."""
        return "".join(what.format(number) for number in range(size // (len(what) + 2)))

    call = get_scores()

    def asked(attributes: str) -> str:
        return call.replace("<request>", f"<request {attributes}>")

    def beside(what: str) -> str:
        return get_scores(elements() + what)

    deep, header = size // 7, f'<a:{{0}} xmlns:a="{_WSA}">{{1}}</a:{{0}}>'
    name = "a" * size

    yield _text("elements as deep as can be", _whole("<a>" * deep + "</a>" * deep), "not-xml")
    yield _text("elements as deep as can be, not ended", _whole("<a>" * (size // 3)), "not-xml")
    yield _text(
        "parameters as deep as can be", _whole(get_scores("<Type>" * (deep // 2) + "</Type>" * (deep // 2))), "not-xml"
    )
    yield _text("attributes", _whole(asked(many('a{0}="" '))), SCORES)
    yield _text("equal attributes", _whole(asked('a="" ' * (size // 5))), "not-xml")
    yield _text("elements beside the parameters", _whole(get_scores(elements() + "<a/>" * (size // 4))), SCORES)
    yield _text("elements of many names", _whole(get_scores(elements() + many("<a{0}/>"))), SCORES)
    yield _text("elements in the body", _whole("<a/>" * (size // 4)), "unknown-operation")
    yield _text("elements beside the call", _whole("<a/>" * (size // 4) + call), SCORES)
    yield _text("equal calls", _whole("<GetScores/>" * (size // 12)), "missing-parameter")
    yield _text("different calls", _whole(many('<GetScores a="{0}"/>')), "not-soap")
    yield _text("elements as headers", _whole(headers="<a/>" * (size // 4)), SCORES)
    yield _text(
        "envelope's children",
        lambda v: envelope(version=v).replace("<s:Body>", "<a/>" * (size // 4) + "<s:Body>"),
        SCORES,
    )
    yield _text("parameters", _whole(get_scores(elements({**GUIDE, "Type": ""}) + "<Type/>" * (size // 7))), SCORES)
    yield _text(
        "parameters with two values", _whole(get_scores(elements() + "<Type/>" * (size // 7))), "duplicate-parameter"
    )
    yield _text("a name of an operation", _whole(f"<{name}/>"), "unknown-operation not-xml")
    yield _text("a name of a parameter", _whole(get_scores(elements() + f"<{name}/>")), f"not-xml {SCORES}")
    yield _text("a name of an attribute", _whole(asked(f'{name}=""')), f"not-xml {SCORES}")
    yield _text("a prefix", _whole(f'<{name[::2]}:x xmlns:{name[::2]}="urn:x"/>'), "unknown-operation not-xml")
    yield _text("a value of an attribute", _whole(asked(f'a="{name}"')), SCORES)
    yield _text("a namespace", _whole(get_scores(namespace="u" * size)), SCORES)
    yield _text("namespaces", _whole(asked(many('xmlns:n{0}="urn:{0}" '))), SCORES)
    yield _text(
        "namespaces that are used",
        _whole(get_scores(elements() + many('<n{0}:a xmlns:n{0}="urn:{0}" n{0}:b=""/>'))),
        SCORES,
    )
    yield _text(
        "namespaces inside each other",
        _whole(get_scores(elements() + many('<n{0}:a xmlns:n{0}="u">')[: size // 8])),
        "not-xml",
    )
    yield _text("a date", _whole(get_scores(_given(StartDate="2" * size))), "bad-date")
    yield _text(
        "a date of digits and dashes",
        _whole(get_scores(_given(StartDate="2025-04-21T" + "0:" * (size // 2)))),
        "bad-date",
    )
    yield _text(
        "white space around a date", _whole(get_scores(_given(StartDate=f"{' ' * size}2025-04-21T16:45:03"))), SCORES
    )
    yield _text("comments", _whole(get_scores(elements() + "<!---->" * (size // 7))), SCORES)
    yield _text("PIs", _whole(declaration="<?a?>" * (size // 5)), SCORES)
    yield _text("comments in a value", _whole(get_scores(_given(Type="TOEFL" + "<!---->" * (size // 7)))), SCORES)
    yield _text(
        "CDATA after CDATA in a value", _whole(get_scores(_given(Type="TOEFL" + "<![CDATA[]]>" * (size // 12)))), SCORES
    )
    yield _text(
        "references after references in a value",
        _whole(get_scores(_given(StartDate="&#49;" * (size // 5)))),
        "bad-date",
    )
    yield _text("nils", _whole(get_scores(elements() + '<a xsi:nil="true"/>' * (size // 19))), SCORES)
    yield _text(
        "hrefs in a circle of many",
        _whole(get_scores(elements() + many('<m id="{0}" href="#{0}0"/>'))),
        SCORES,
    )
    yield _text("a MessageID", _whole(headers=header.format("MessageID", "m" * size)), SCORES)
    yield _text("an Action", _whole(headers=header.format("Action", "/#:" * (size // 3))), SCORES)
    yield _text("MessageIDs", _whole(headers=header.format("MessageID", "m") * (size // 90)), SCORES)
    yield _text("a fault in the body", _whole(f"<s:Fault>{'x' * size}</s:Fault>"), "unknown-operation")
    yield _text(
        "a UsernameToken",
        _whole(
            headers=f'<w:Security xmlns:w="{WSSE}"><w:UsernameToken><w:Username>{"u" * (size // 2)}</w:Username>'
            f"<w:Password>{'p' * (size // 2)}</w:Password></w:UsernameToken></w:Security>"
        ),
        "not-authenticated",
    )
    yield _text("a type", _whole(get_scores(_given(Type="T" * size))), "bad-parameter")
