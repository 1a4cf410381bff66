"""The hardened parser; what it refuses is in test_envelope."""

import os
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from shim.wire.parser import hardened


def documents(count: int, size: int = 60_000) -> Iterator[bytes]:
    """Documents none of whose names is in another."""
    for number in range(count):
        names = "".join(f"<n{number}x{place:06}/>" for place in range(size // 16))
        yield f"<a>{names}</a>".encode()


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_names_that_never_come_again_are_forgotten() -> None:
    before = resident()
    kept = etree.fromstring(b"<kept><in a='1'/></kept>", hardened("utf-8", 24))
    for data in documents(700):  # of 2.6 million names
        assert len(etree.fromstring(data, hardened("utf-8", len(data)))) == 60_000 // 16
    assert resident() - before < 80_000_000
    assert etree.tostring(kept) == b'<kept><in a="1"/></kept>'
    kept.append(etree.fromstring(b"<new/>", hardened("utf-8", 6)))
    assert etree.tostring(kept) == b'<kept><in a="1"/><new/></kept>'


def test_one_parser_for_each_encoding() -> None:
    assert hardened("utf-8", 1) is hardened("utf-8", 1)
    assert hardened(None, 1) is not hardened("utf-8", 1)
