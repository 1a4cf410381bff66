"""The configuration: one frozen object, read once from a TOML file and the environment, checked as a whole."""

import ipaddress
import os
import re
import tomllib
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

PREFIX: Final = "TOEFL_SHIM_"
FILE_VARIABLE: Final = "TOEFL_SHIM_CONFIG"

_REPOSITORY: Final = Path(__file__).parent.parent / "wsdl"
_INSTALLED: Final = Path(__file__).parent / "wsdl"
SHIPPED: Final = _INSTALLED if _INSTALLED.is_dir() else _REPOSITORY
"""Where the contracts are that come with the package."""


_base: Final[ContextVar[Path]] = ContextVar("base")
_AnchoredPath = Annotated[Path, AfterValidator(lambda path: _base.get(Path()) / path)]


class ConfigError(Exception):
    """The configuration is wrong; the message has one line for each thing that is."""


def _url(text: str) -> str:
    """An address to copy exactly: the vendor's guide warns of added spaces and line breaks."""
    if re.search(r"[\s\x00-\x20\x7f]", text):
        raise ValueError("has white space or a line break in it")
    if not text.isascii():
        raise ValueError("has a character in it that is not ASCII, perhaps one that cannot be seen")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises when it is none
    except ValueError:
        raise ValueError("is not an address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http or https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a user name in it: credentials do not belong in a URL")
    if parts.query or parts.fragment or "#" in text or "?" in text:
        raise ValueError("has a query or a fragment: give the address up to its path")
    return text


def _page(text: str) -> str:
    """The address of a page for people, which may well have a query and a fragment."""
    _url(re.split("[?#]", text, maxsplit=1)[0])
    return text


def _secure_url(text: str) -> str:
    parts = urlsplit(_url(text))
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("is plain http: score data and the authcode go over https, except to this machine itself")
    return text


def _bind(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the highest port
        raise ValueError("is not ADDRESS:PORT")
    if not is_loopback(host.strip("[]")):
        raise ValueError("is not a loopback address: nothing yet says who may call, so only this machine may")
    return text


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gateway(_Section):
    """How the gateway itself runs.

    Attributes:
        bind: ``ADDRESS:PORT`` to listen on.
        public_url: What the WSDL tells clients, without a path; the bind address if unset.
        workers: Processes.
        threads: Calls at a time in each process.
        max_request: Largest request in bytes.
    """

    bind: Annotated[str, AfterValidator(_bind)] = "127.0.0.1:8080"
    public_url: Annotated[str, AfterValidator(_url)] | None = None
    workers: PositiveInt = 2
    threads: PositiveInt = 16
    max_request: PositiveInt = 64 * 1024

    @property
    def address(self) -> str:
        """The address that clients are told, without a slash at its end."""
        return (self.public_url or f"http://{self.bind}").rstrip("/")


class Upstream(_Section):
    """TOEFL Access.

    Attributes:
        url: Address of ``/scores``, copied exactly.
        connect_timeout: Seconds to a connection.
        read_timeout: Seconds between two bytes of the answer.
        max_bytes: Largest score file in bytes.
        ca_file: Certificate authorities to trust instead of the public ones.
        proxy: HTTP proxy on the way; the environment's is not used.
    """

    url: Annotated[str, AfterValidator(_secure_url)]
    connect_timeout: PositiveFloat = 5
    read_timeout: PositiveFloat = 90
    max_bytes: PositiveInt = 1024 * 1024 * 1024
    ca_file: _AnchoredPath | None = None
    proxy: Annotated[str, AfterValidator(_url)] | None = None


class AuthcodeSource(_Section):
    """Where an authcode is stored: in a file or in an environment variable.

    Attributes:
        name: What callers refer to it by.
        file: Path of the file.
        env: Name of the variable.
    """

    name: str
    file: _AnchoredPath | None = None
    env: str = ""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (not self.env):
            raise ValueError("needs either file or env")
        return self

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return f"file {self.file}" if self.file is not None else f"environment variable {self.env}"


class ContractSource(_Section):
    """A legacy service to be.

    Attributes:
        path: Where clients call it.
        wsdl: Its WSDL; by default the shipped one.
        mapping: What its parts mean; by default beside the WSDL, with ``.toml`` at its end.
        wsdl_path: Where clients fetch the WSDL, beside ``path?wsdl``.
        reportby: By operation, the report-by value to ask for where the mapping leaves that open.
    """

    path: str = Field(default="/TOEFLWebService/TOEFLEdm.asmx", pattern=r"^/[^\s?#]*$")
    wsdl: _AnchoredPath = SHIPPED / "TOEFLEdm.wsdl"
    mapping: _AnchoredPath | None = None
    wsdl_path: str = Field(default="/TOEFLWebService/TOEFLEdm.wsdl", pattern=r"^/[^\s?#]*$")
    reportby: dict[str, str] = Field(default_factory=dict)


class Retirement(_Section):
    """How the gateway ends.

    Attributes:
        info_url: Where callers read about it.
    """

    info_url: Annotated[str, AfterValidator(_page)] | None = None


class Config(BaseSettings):
    """Everything that an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    gateway: Gateway = Gateway()
    upstream: Upstream
    authcodes: tuple[AuthcodeSource, ...] = Field(min_length=1, max_length=1)
    contracts: tuple[ContractSource, ...] = (ContractSource(),)
    retirement: Retirement = Retirement()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the hook's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the hook's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the hook's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _distinct_paths(self) -> Self:
        paths = [path for contract in self.contracts for path in (contract.path.lower(), contract.wsdl_path.lower())]
        for path in sorted({path for path in paths if paths.count(path) > 1}):
            raise ValueError(f"two contracts or WSDLs are at {path}")
        return self


def load(path: Path | None) -> Config:
    """Read the configuration.

    Args:
        path: The TOML file; paths in it are relative to it. Without one, the environment alone.

    Raises:
        ConfigError: It is wrong.
    """
    values = _read(path) if path is not None else {}
    _base.set(path.parent if path is not None else Path())
    unknown = [
        f"{name}: no such setting"
        for name in os.environ
        if name.upper().startswith(PREFIX)
        and name.upper() != FILE_VARIABLE
        and name[len(PREFIX) :].lower().partition("__")[0] not in Config.model_fields
    ]
    try:
        config = Config(**values)
    except SettingsError as error:
        raise ConfigError("\n".join([*unknown, str(error)])) from None
    except ValidationError as error:
        raise ConfigError("\n".join(unknown + reasons(error))) from None
    if unknown:
        raise ConfigError("\n".join(unknown))
    return config


def names_upstream(path: Path | None) -> bool:
    """Whether an operator has said where scores come from: in a file, or in the environment."""
    return path is not None or any(name.startswith((f"{PREFIX}UPSTREAM", f"{PREFIX}AUTHCODES")) for name in os.environ)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def reasons(error: ValidationError) -> list[str]:
    """What is wrong, one sentence a place, without the value that stands there."""
    return [
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].removeprefix('Value error, ')}".removeprefix(": ")
        for item in error.errors(include_input=False, include_url=False)
    ]
