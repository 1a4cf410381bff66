"""Contracts for a gateway that is judged, beside the shipped one, as tables of its configuration."""

import re
import shutil
from pathlib import Path
from typing import Final

from shim.config import SHIPPED
from shim.contracts import adopt
from tests.asmx.service import FILES

Contract = dict[str, str]

_TABLE: Final = re.compile(r"^\[operations\..+\]$", re.MULTILINE)


def date_scores(folder: Path) -> Contract:
    """Return the contract with dates as ``xs:date`` and ``xs:dateTime``, as ``toefl-shim adopt`` drafts its mapping."""
    wsdl = folder / "DateScores.wsdl"
    shutil.copy(FILES / wsdl.name, wsdl)
    adopt.write(adopt.draft(wsdl), wsdl.with_suffix(".toml"), force=False)
    return _table("/DateScores.asmx", wsdl)


def shipped_elsewhere(folder: Path, path: str, *, empty: str = "absent") -> Contract:
    """Return the shipped contract as an operator's own at another path.

    Args:
        folder: Where its files are written.
        path: Where it is called; it ends with ``.asmx``.
        empty: How an answer without scores looks.
    """
    wsdl = folder / f"{path.strip('/').removesuffix('.asmx')}.wsdl"
    shutil.copy(SHIPPED / "TOEFLEdm.wsdl", wsdl)
    mapping = (SHIPPED / "TOEFLEdm.toml").read_text(encoding="utf-8")
    wsdl.with_suffix(".toml").write_text(_TABLE.sub(rf'\g<0>\nempty = "{empty}"', mapping), encoding="utf-8")
    return _table(path, wsdl)


def _table(path: str, wsdl: Path) -> Contract:
    return {"path": path, "wsdl_path": path.replace(".asmx", ".wsdl"), "wsdl": str(wsdl)}
