"""Settings of the contracts: which legacy services the gateway stands in for."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pydantic import Field

from shim.config.section import SettingsSection
from shim.config.values import AnchoredPath, repeated

_PACKAGE: Final = Path(__file__).parent.parent
_INSTALLED: Final = _PACKAGE / "wsdl"
SHIPPED: Final = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "wsdl"
"""The folder of the WSDLs that come with the package: within it where it is installed, beside it in a checkout."""


class ContractSettings(SettingsSection):
    """A legacy service to stand in for.

    Attributes:
        path: Where clients call it.
        wsdl: Its WSDL file; the shipped one if unset.
        mapping: The mapping of that WSDL; the file beside it that ends in ``.toml`` if unset.
        wsdl_path: Where clients fetch the WSDL, besides ``path?wsdl``.
        reportby: By operation, the report-by value to use where the mapping names none.
    """

    path: str = Field(default="/TOEFLWebService/TOEFLEdm.asmx", pattern=r"^/[^\s?#]*$")
    wsdl: AnchoredPath = SHIPPED / "TOEFLEdm.wsdl"
    mapping: AnchoredPath | None = None
    wsdl_path: str = Field(default="/TOEFLWebService/TOEFLEdm.wsdl", pattern=r"^/[^\s?#]*$")
    reportby: dict[str, str] = Field(default_factory=dict)


def paths_differ(contracts: Sequence[ContractSettings]) -> Iterator[str]:
    """Yield a mistake for each path that is used twice; paths are matched in any case of letters."""
    paths = [path.lower() for contract in contracts for path in (contract.path, contract.wsdl_path)]
    for path in repeated(paths):
        yield f"contracts: {path} is used twice: each path and wsdl_path needs an address of its own"
