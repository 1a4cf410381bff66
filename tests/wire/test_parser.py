"""The hardened parser; test_envelope shows what it refuses."""

import os
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from shim.wire.parser import hardened_parser


def documents(count: int, size: int = 60_000) -> Iterator[bytes]:
    """Make documents that have no name in common."""
    for number in range(count):
        names = "".join(f"<n{number}x{place:06}/>" for place in range(size // 16))
        yield f"<a>{names}</a>".encode()


def resident() -> int:
    """Return how many bytes of this process are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_the_names_of_past_documents_are_forgotten() -> None:
    before = resident()
    kept = etree.fromstring(b"<kept><in a='1'/></kept>", hardened_parser("utf-8", 24))
    for data in documents(700):  # 2.6 million names in all
        assert len(etree.fromstring(data, hardened_parser("utf-8", len(data)))) == 60_000 // 16
    assert resident() - before < 80_000_000, "lxml keeps its names in another place than _forget_names expects"
    assert etree.tostring(kept) == b'<kept><in a="1"/></kept>'
    kept.append(etree.fromstring(b"<new/>", hardened_parser("utf-8", 6)))
    assert etree.tostring(kept) == b'<kept><in a="1"/><new/></kept>'


def test_each_encoding_has_one_parser() -> None:
    assert hardened_parser("utf-8", 1) is hardened_parser("utf-8", 1)
    assert hardened_parser(None, 1) is not hardened_parser("utf-8", 1)
