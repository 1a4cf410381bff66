import codecs
import encodings
import pkgutil
import string
from encodings.aliases import aliases

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shim import errors
from shim.wire import encoding
from shim.wire.encoding import ASCII_SUPERSETS

# What XML may hold of ASCII; ISO-2022 and HZ give some of the rest another meaning.
ASCII = (string.printable[:95] + "\t\r\n").encode()
BEYOND_ASCII = "<a>\u00e9</a>".encode()

CODECS = sorted(module.name for module in pkgutil.iter_modules(encodings.__path__) if module.name != "aliases")


def reads_ascii(codec: str) -> bool:
    try:
        return ASCII.decode(codec) == ASCII.decode("ascii")
    except (LookupError, UnicodeError):  # a codec of bytes, or of another system
        return False


def test_every_codec_that_contains_ascii_is_found() -> None:
    assert [codec for codec in CODECS if ASCII_SUPERSETS.fullmatch(codec) and not reads_ascii(codec)] == []
    assert sum(ASCII_SUPERSETS.fullmatch(codec) is not None for codec in CODECS) > 60


# Names are compared in lower case; "ansi" is one of Windows, wherever the gateway runs.
@pytest.mark.parametrize("alias", sorted({name.lower() for name in aliases} & {*aliases} - {"ansi"}))
def test_every_name_that_python_knows_is_decoded_by_its_codec_or_refused(alias: str) -> None:
    codec = aliases.get(alias, alias)
    content_type = f"text/xml; charset={alias}"
    if not ASCII_SUPERSETS.fullmatch(codec):
        with pytest.raises(errors.CallerError, match="encoding"):
            encoding.read_document(BEYOND_ASCII, content_type)
        return
    try:
        expected = BEYOND_ASCII.decode(codec)
    except UnicodeError:
        expected = BEYOND_ASCII.decode()
    assert encoding.read_document(BEYOND_ASCII, content_type) == (expected.encode(), "utf-8")


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("ISO_8859-1", "latin_1"),
        ("ISO8859_15", "iso8859_15"),
        ("windows-1252", "cp1252"),
        ("Windows-1251", "cp1251"),
        ("ansi", "cp1252"),
        ("x-ansi", "cp1252"),
        ("windows-874", "cp874"),
        ("windows-932", "cp932"),
        ("x-sjis", "cp932"),
        ("Shift_JIS", "shift_jis"),
        ("windows-936", "gbk"),
        ("x-gbk", "gbk"),
        ("gb2312", "gb2312"),
        ("windows-949", "cp949"),
        ("ks_c_5601-1987", "euc_kr"),
        ("windows-950", "cp950"),
        ("big5", "big5"),
        ("x-euc-jp", "euc_jp"),
        ("x-mac-roman", "mac_roman"),
        ("iso-2022-jp", "iso2022_jp"),
        ("csISO2022KR", "iso2022_kr"),
        ("koi8-r", "koi8_r"),
        ("koi8-u", "koi8_u"),
        ("cp1125", "cp1125"),
    ],
)
@pytest.mark.parametrize("place", ["charset", "declaration"])
def test_a_code_page_is_decoded_by_its_name(name: str, codec: str, place: str) -> None:
    letters = next(text for text in ("\u65e5\u672c", "\uc77c", "\u0437", "\u0e01", "\u00e9") if encodable(text, codec))
    declaration = f'<?xml version="1.0" encoding="{name}"?>' if place == "declaration" else ""
    body = f"{declaration}<a>{letters}</a>".encode(codec)
    charset = f"; charset={name}" if place == "charset" else ""
    assert encoding.read_document(body, f"text/xml{charset}").data.decode().endswith(f"<a>{letters}</a>")


def encodable(text: str, codec: str) -> bool:
    try:
        return text.encode(codec).decode(codec) == text
    except UnicodeError:
        return False


labels = (
    st.sampled_from(sorted({*aliases, *CODECS})) | st.text(max_size=40) | st.text("utfUTF-1632isoxw \"';=", max_size=12)
)


@given(labels, labels, st.text(st.characters(codec="ascii", exclude_characters="\0\x1b"), max_size=20))
@example("utf-7", "utf-16", "+AGE-")
@example("utf-32", "", "x")
@example("hz", "EBCDIC-CP-US", "~{ab~}")
def test_ascii_is_understood_under_every_charset(charset: str, declared: str, text: str) -> None:
    quoted = declared.replace('"', "")
    head = f'<?xml version="1.0" encoding="{quoted}"?>' if quoted.isascii() and not {*"<>"} & {*quoted} else ""
    found = encoding.read_document(f"{head}<a>{text}</a>".encode(), f"text/xml; charset={charset}")
    assert found.encoding == "utf-8"
    assert found.data.endswith(f"<a>{text}</a>".encode())


@given(st.binary(max_size=60), labels)
@example(codecs.BOM_UTF16_LE + b"<\0", "utf-8")
def test_any_bytes_are_a_document_in_an_encoding_of_the_parser_or_refused(body: bytes, charset: str) -> None:
    try:
        found = encoding.read_document(body, f"text/xml; charset={charset}")
    except errors.CallerError as error:
        assert error.cause is errors.ENCODING  # noqa: PT017 - the input decides whether it raises
        return
    assert found.encoding in encoding.BYTE_ORDER_MARKS
    if found.encoding == "utf-8" and not body.startswith(codecs.BOM_UTF8):
        found.data.decode()
