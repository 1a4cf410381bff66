"""Oddities of requests, by aspect: each writes a part of a request as real clients were seen to write it."""

import codecs
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

from hypothesis import strategies as st

from tests.asmx.draft import GET_SCORES, NAMESPACE, PATH, Draft, Value

Oddity = Callable[[Draft], Draft]

_DATES: Final = frozenset({"StartDate", "EndDate", "reportstartdate", "reportenddate"})
_CREDENTIALS: Final = frozenset({"userName", "password"})
_ADDRESSING: Final = "http://www.w3.org/2005/08/addressing"
_TOKEN: Final = (
    "<w:UsernameToken><w:Username> user </w:Username>"
    '<w:Password Type="wsse:PasswordText">secret</w:Password></w:UsernameToken>'
)
_SECURITY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"


def _part(**changes: object) -> Oddity:
    return lambda draft: replace(draft, **changes)  # type: ignore[arg-type]


def _one_of(name: str, values: Sequence[object]) -> st.SearchStrategy[Oddity]:
    return st.sampled_from(values).map(lambda value: _part(**{name: value}))


def _each_value(change: Callable[[Value], Value]) -> Oddity:
    return lambda draft: replace(draft, values=tuple(map(change, draft.values)))


def _markup(change: Callable[[str], str], *, credentials: bool = True) -> Oddity:
    """Change what stands between the tags of each parameter; a user name and a password only where that is harmless."""
    return _each_value(
        lambda value: (
            value if value.name in _CREDENTIALS and not credentials else replace(value, markup=change(value.markup))
        )
    )


def _cdata(markup: str) -> str:
    return f"<![CDATA[{markup}]]>"


def _in_two(markup: str) -> str:
    return f"{markup[:4]}{_cdata(markup[4:])}"


def _reference(markup: str) -> str:
    return f"&#{ord(markup[0])};{markup[1:]}" if markup and markup[0] not in "&<" else markup


def _attributes(by_name: Callable[[str], str]) -> Oddity:
    return _each_value(lambda value: replace(value, attributes=by_name(value.name)))


def _nil(value: str) -> Oddity:
    """Mark the values that may be left out; ``true`` also takes their text away."""
    optional = ("Type", "ReportBy")
    return _each_value(
        lambda one: (
            replace(one, attributes=f' xsi:nil="{value}"', markup="" if value in ("1", "true") else one.markup)
            if one.name in optional
            else one
        )
    )


def _without(*names: str) -> Oddity:
    return lambda draft: replace(draft, values=tuple(value for value in draft.values if value.name not in names))


def _doubled(draft: Draft) -> Draft:
    return replace(draft, values=(*draft.values, *draft.values))


def _unknown(draft: Draft) -> Draft:
    own = f"{draft.prefix}:" if draft.prefix else ""
    first = draft.values[0].name
    nested = Value("Extra", f"<{own}{first}>other</{own}{first}>")
    return replace(draft, values=(nested, *draft.values, Value("More", "1")))


def _reordered(order: Sequence[int]) -> Oddity:
    return lambda draft: replace(draft, values=tuple(draft.values[at] for at in order if at < len(draft.values)))


def _moments(year: int) -> st.SearchStrategy[datetime]:
    return st.datetimes(datetime(year, 1, 2), datetime(year, 12, 30))  # noqa: DTZ001 - the zone is a part of the text


def _lexical() -> st.SearchStrategy[Callable[[datetime], str]]:
    """The lexical forms of ``xs:dateTime``, and a day alone, as .NET reads them."""
    fractions = st.sampled_from(["", ".0", ".5", ".123", ".1234567", ".123456789"])
    zones = st.sampled_from(["", "Z", "z", "+00:00", "-00:00", "-04:00", "+05:30", "+14:00", "-14:00"])
    times = st.tuples(fractions, zones).map(
        lambda parts: lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}{parts[0]}{parts[1]}"
    )
    days = zones.map(lambda zone: lambda moment: f"{moment:%Y-%m-%d}{zone}")
    return times | days


# What DateTime.Parse reads under en-US.
_TEXT_DATES: Final = (
    "%m/%d/%Y",
    "{0.month}/{0.day}/%Y",
    "%m/%d/%y",
    "%m-%d-%Y",
    "%m.%d.%Y",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%A, %B %d, %Y",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%Y-%m-%dT00:00:00",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%SZ",
    "%Y-%m-%dT00:00:00-05:00",
    "%m/%d/%Y 00:00:00",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y 12:00:00 AM",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%B %d, %Y %I:%M %p",
)


def _text_date(form: str) -> Callable[[datetime], str]:
    return lambda moment: moment.strftime(form.format(moment))


_Dated = tuple[datetime, datetime, Callable[[datetime], str], Callable[[datetime], str]]


def _dated(
    start: datetime, end: datetime, lexical: Callable[[datetime], str], text: Callable[[datetime], str]
) -> Oddity:
    def change(draft: Draft) -> Draft:
        write = lexical if draft.operation == GET_SCORES else text
        moments = dict(zip([value.name for value in draft.values if value.name in _DATES], (start, end), strict=False))
        return replace(
            draft,
            values=tuple(
                replace(value, markup=write(moments[value.name])) if value.name in moments else value
                for value in draft.values
            ),
        )

    return change


def _typed(text: str) -> Oddity:
    return _each_value(lambda value: replace(value, markup=escape(text)) if value.name == "Type" else value)


_GAPS: Final = ("\n", "\r\n  ", "\t", "<!-- a comment -->", "\n<!-- a\ncomment -->\n")
_LABELS: Final = (
    "utf-8",
    "UTF8",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "windows-1252",
    "windows-1251",
    "us-ascii",
    "gb2312",
    "gbk",
    "big5",
    "euc-kr",
    "shift_jis",
    "koi8-r",
    "ansi",
    "binary",
    "null",
    "unknown",
    "utf-9",
    '"utf-8"',
    "'utf-8'",
)
_DECLARATIONS: Final = (
    "",
    "<?xml version='1.0' encoding='utf-8'?>",
    '<?xml version="1.0"?>',
    '<?xml version="1.0" encoding="utf-8" standalone="yes"?>',
    '<?xml version="1.0" encoding="utf-16"?>',
    '<?xml version="1.0" encoding="iso-8859-1"?>',
    '<?xml version="1.0" encoding="ISO8859_1"?>',
    '<?xml version="1.0" encoding="windows-1252"?>',
    '<?xml version="1.0" encoding="gb2312"?>',
    '<?xml version="1.0" encoding="ansi"?>',
    '<?xml version="1.0" encoding="unknown"?>',
)
_HEADERS: Final = (
    "",
    '<x xmlns="urn:x">1</x>',
    '<x xmlns="urn:x" mustUnderstand="1">1</x>',
    f'<Credentials xmlns="{NAMESPACE}"><user>user</user></Credentials>',
    f'<a:ReplyTo xmlns:a="{_ADDRESSING}"><a:Address>{_ADDRESSING}/anonymous</a:Address></a:ReplyTo>',
    f'<a:ReplyTo xmlns:a="{_ADDRESSING}"><a:Address>{_ADDRESSING}/none</a:Address></a:ReplyTo>',
    f'<a:ReplyTo xmlns:a="{_ADDRESSING}"><a:Address>http://client.example.edu/</a:Address></a:ReplyTo>',
    f'<a:MessageID xmlns:a="{_ADDRESSING}">urn:uuid:1</a:MessageID>',
    f'<w:Security xmlns:w="{_SECURITY}"/>',
    f'<w:Security xmlns:w="{_SECURITY}">{_TOKEN}</w:Security>',
)
_HTTP: Final = (
    *((f"Content-Encoding: {label}",) for label in ("utf-8", "UTF-8", "none", "binary", "8bit", "text/xml", "gzip")),
    ("Content-Encoding:",),
    ("Expect: 100-continue",),
    ("Expect:",),
    ("Content-Type: text/xml",),
    ("Authorization: Basic dXNlcjpzZWNyZXQ=",),
    ("Authorization: Basic dXNlcjo=",),
    ("Authorization: NTLM TlRMTVNTUAAB",),
    ("Accept-Encoding: gzip, deflate",),
    ("VsDebuggerCausalityData: uIDPo",),
)
_PATHS: Final = (
    f"/{PATH}",
    f"/.{PATH}",
    f"/x/..{PATH}",
    PATH.replace("/T", "//T", 2),
    f"{PATH}?op=GetScores",
    f"{PATH}?",
)
_ABSOLUTE: Final = (f"http://scores.example.edu{PATH}", f"https://scores.example.edu:443{PATH}")
_ACTIONS: Final[tuple[Oddity, ...]] = (
    lambda draft: replace(draft, action=f"{NAMESPACE}{draft.operation}"),
    lambda draft: replace(draft, action=f'  "{NAMESPACE}{draft.operation}" '),
    lambda draft: replace(draft, action=f"{NAMESPACE}{draft.operation}".replace(":", "%3A").replace("/", "%2F")),
    lambda draft: replace(draft, action=""),
)


def _media_type(parameters: str) -> Oddity:
    return lambda draft: replace(
        draft, media_type=("application/soap+xml" if "2003" in draft.version else "text/xml") + parameters
    )


ASPECTS: Final[Mapping[str, st.SearchStrategy[Oddity]]] = {
    "declaration": _one_of("declaration", _DECLARATIONS),
    "charset": st.sampled_from(_LABELS).map(lambda label: _media_type(f"; charset={label}")),
    "content type": st.sampled_from(["", ";", "; charset=", "; type=x", ";charset=utf-8;"]).map(_media_type),
    "soap prefix": _one_of("soap_prefix", ("s", "SOAP-ENV", "soapenv", "env_1.a")),
    "prefix": _one_of("prefix", ("t", "ns1", "q-1")),
    "white space": _one_of("gap", _GAPS),
    "space in values": st.sampled_from([" {} ", "\n  {}\r\n", "\t{}"]).map(
        lambda form: _markup(form.format, credentials=False)
    ),
    "CDATA": st.sampled_from([_cdata, _in_two]).map(_markup),
    "references": st.just(_markup(_reference)),
    "nil": st.sampled_from(["true", "1", "false", "0"]).map(_nil),
    "left out": st.sampled_from([("Type",), ("ReportBy",), ("Type", "ReportBy"), ("userName", "password")]).map(
        lambda names: _without(*names)
    ),
    "types": st.sampled_from(
        [
            _attributes(lambda name: f' xsi:type="xsd:{"dateTime" if name in ("StartDate", "EndDate") else "string"}"'),
            _attributes(lambda name: ' id="a" xml:lang="en"'),
        ]
    ),
    "order": st.permutations(range(4)).map(_reordered),
    "doubles": st.just(_doubled),
    "unknown elements": st.just(_unknown),
    "second child": _one_of("after_operation", ("<extra/>", '<x:extra xmlns:x="urn:x">1</x:extra>')),
    "headers": _one_of("headers", _HEADERS),
    "action": st.sampled_from(_ACTIONS),
    "HTTP headers": _one_of("http", _HTTP),
    "path": _one_of("path", (*_PATHS, *_ABSOLUTE)),
    "protocol": _one_of("protocol", ("HTTP/1.0",)),
    "chunks": st.just(_part(in_chunks=True)),
    "lead": st.just(_part(lead=codecs.BOM_UTF8)),
    "trail": _one_of("trail", (b"\0", b"\0\0\0", b"\r\n", b"\r\n\r\n", b"  ", b"<!-- end -->")),
    "dates": st.tuples(_moments(2023), _moments(2025), _lexical(), st.sampled_from(_TEXT_DATES).map(_text_date)).map(
        lambda parts: _dated(*parts)
    ),
    "texts": st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1, max_size=40
    ).map(_typed),
}
"""All oddities, by what they change."""

INCOMPATIBLE: Final = (
    frozenset({"protocol", "chunks"}),
    frozenset({"charset", "content type"}),
    frozenset({"lead", "declaration"}),
)
"""Aspects that no client combines, or that mean something else together."""
