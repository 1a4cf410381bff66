"""The legacy services to be."""

from pathlib import Path
from typing import Final

from pydantic import Field

from shim.config.values import AnchoredPath, SettingsSection

_PACKAGE: Final = Path(__file__).parent.parent
_INSTALLED: Final = _PACKAGE / "wsdl"
SHIPPED: Final = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "wsdl"
"""Where the contracts are that come with the package."""


class ContractSettings(SettingsSection):
    """A legacy service to be.

    Attributes:
        path: Where clients call it.
        wsdl: Its WSDL; by default the shipped one.
        mapping: What its parts mean; by default beside the WSDL, with ``.toml`` at its end.
        wsdl_path: Where clients fetch the WSDL, beside ``path?wsdl``.
        reportby: By operation, the report-by value to ask for where the mapping leaves that open.
    """

    path: str = Field(default="/TOEFLWebService/TOEFLEdm.asmx", pattern=r"^/[^\s?#]*$")
    wsdl: AnchoredPath = SHIPPED / "TOEFLEdm.wsdl"
    mapping: AnchoredPath | None = None
    wsdl_path: str = Field(default="/TOEFLWebService/TOEFLEdm.wsdl", pattern=r"^/[^\s?#]*$")
    reportby: dict[str, str] = Field(default_factory=dict)
