"""Changes of XML that keep it well-formed: a fuzzer that changes bytes alone seldom gets past the parser."""

import copy
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from shim.wire.encoding import BYTE_ORDER_MARKS

_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True)
_MOST_CHANGES: Final = 4
_Element = etree._Element  # noqa: SLF001 - the class has no public name
_ENCODINGS: Final = ("utf-8", "utf-16le", "utf-16be", "iso-8859-1", "windows-1252", "us-ascii")


@dataclass(frozen=True)
class Words:
    """What a change puts in.

    Attributes:
        names: Names of elements, those with a namespace as ``{namespace}name``.
        values: What elements and attributes may hold.
        attributes: Names of attributes, likewise.
    """

    names: Sequence[str]
    values: Sequence[str]
    attributes: Sequence[str]


def changed(data: bytes, most: int, seed: int, words: Words) -> bytes | None:
    """Change a document in a few places.

    Args:
        data: The document.
        most: The most bytes there may be.
        seed: What the changes depend on.
        words: What is put in.

    Returns:
        Another document; ``None`` if it is none, or the other would be too large.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    try:
        root = etree.fromstring(data, _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        return None
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        element = chance.choice([one for one in root.iter() if isinstance(one.tag, str)])
        try:
            chance.choice(_CHANGES)(element, chance, words)
        except ValueError:
            continue  # not every text can stand in XML
    return _written(root, chance, most)


def _written(root: _Element, chance: random.Random, most: int) -> bytes | None:
    encoding = chance.choice(_ENCODINGS) if chance.random() < 0.1 else "utf-8"
    text = etree.tostring(root, encoding="unicode")
    if chance.random() < 0.2:
        text = f'<?xml version="1.0" encoding="{chance.choice(_ENCODINGS)}"?>{text}'
    body = text.encode(encoding, "xmlcharrefreplace")
    if encoding in BYTE_ORDER_MARKS and chance.random() < 0.5:
        body = BYTE_ORDER_MARKS[encoding] + body
    return body if len(body) <= most else None


def _rename(element: _Element, chance: random.Random, words: Words) -> None:
    element.tag = chance.choice(words.names)


def _set_text(element: _Element, chance: random.Random, words: Words) -> None:
    element.text = chance.choice(words.values)


def _change_text(element: _Element, chance: random.Random, words: Words) -> None:
    text = element.text or ""
    at = chance.randrange(len(text) + 1)
    element.text = text[:at] + chance.choice(("", " ", "\t", "0", "\u00e9", "\U0001f600", "-")) + text[at + 1 :]


def _set_attribute(element: _Element, chance: random.Random, words: Words) -> None:
    element.set(chance.choice(words.attributes), chance.choice(words.values))


def _add(element: _Element, chance: random.Random, words: Words) -> None:
    child = etree.Element(chance.choice(words.names))
    child.text = chance.choice(words.values)
    element.insert(chance.randrange(len(element) + 1), child)


def _add_other(element: _Element, chance: random.Random, words: Words) -> None:
    value = chance.choice(words.values)
    made = (etree.Comment, etree.CDATA)[chance.randrange(2)](value)
    if isinstance(made, etree.CDATA):
        element.text = made
    else:
        element.append(made)


def _remove(element: _Element, chance: random.Random, words: Words) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _double(element: _Element, chance: random.Random, words: Words) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.append(copy.deepcopy(element))


def _move(element: _Element, chance: random.Random, words: Words) -> None:
    root = element.getroottree().getroot()
    inside = set(element.iter())
    targets = [one for one in root.iter() if isinstance(one.tag, str) and one not in inside]
    if targets:
        chance.choice(targets).append(element)


def _wrap(element: _Element, chance: random.Random, words: Words) -> None:
    parent = element.getparent()
    if parent is not None:
        wrapper = etree.Element(chance.choice(words.names))
        parent.replace(element, wrapper)
        wrapper.append(element)


_Change = Callable[[_Element, random.Random, Words], None]
_CHANGES: Final[Sequence[_Change]] = (
    _rename,
    _set_text,
    _change_text,
    _set_attribute,
    _add,
    _add_other,
    _remove,
    _double,
    _move,
    _wrap,
)
