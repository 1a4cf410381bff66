"""The configuration: one frozen object, read once from a TOML file and the environment, checked as a whole."""

import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

PREFIX: Final = "TOEFL_SHIM_"
FILE_VARIABLE: Final = "TOEFL_SHIM_CONFIG"

_REPOSITORY: Final = Path(__file__).parent.parent / "wsdl"
_INSTALLED: Final = Path(__file__).parent / "wsdl"
_SQLITE: Final = "sqlite:///"
SHIPPED: Final = _INSTALLED if _INSTALLED.is_dir() else _REPOSITORY
"""Where the contracts are that come with the package."""


# A sentence that stands in the result with it must stay shorter than any record.
_LONGEST_PAGE: Final = 200

# Addresses stand in headers, between angle brackets (RFC 8288 §3).
_ADDRESS: Final = re.compile(r"[!#-;=?-~]*")

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
    if not _ADDRESS.fullmatch(text):
        raise ValueError("has a character in it that no address has")
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
    if not _ADDRESS.fullmatch(text):
        raise ValueError("has a character in it that no address has")
    if len(text) > _LONGEST_PAGE:
        raise ValueError(f"is longer than {_LONGEST_PAGE} characters")
    return text


def _moment(value: object) -> datetime:
    """A day's first second in UTC, or a date and time with its offset."""
    try:
        if isinstance(value, str):  # from the environment
            value = date.fromisoformat(value) if len(value) <= len("2027-06-30") else datetime.fromisoformat(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time.min, UTC)
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise ValueError("is not a date of the calendar") from None
    raise ValueError("is not a date, or a date and time with an offset, as 2027-06-30 or 2027-06-30T12:00:00Z")


_Moment = Annotated[datetime, BeforeValidator(_moment)]


def _secure_url(text: str) -> str:
    parts = urlsplit(_url(text))
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("is plain http: score data and the authcode go over https, except to this machine itself")
    return text


def _bind(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the highest port
        raise ValueError("is not ADDRESS:PORT")
    return text


def _state_folder() -> Path | None:
    """Where systemd wants the state of a service to be."""
    named = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(named) if named else None


def _state_database() -> SecretStr | None:
    folder = _state_folder()
    return SecretStr(f"{_SQLITE}{folder / 'ledger.db'}") if folder else None


def _database(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    scheme, _, rest = text.partition("://")
    if text.startswith(_SQLITE) and text != _SQLITE and not {"?", "#"} & set(text):
        return SecretStr(f"{_SQLITE}{_base.get(Path()) / text.removeprefix(_SQLITE)}")
    if scheme not in ("postgresql", "postgresql+psycopg"):
        raise ValueError("is neither sqlite:///PATH nor postgresql://USER:PASSWORD@HOST/DATABASE")
    if find_spec("psycopg") is None:
        raise ValueError('needs more to be installed: pip install "toefl-soap-shim[postgresql]"')
    return SecretStr(f"postgresql+psycopg://{rest}")


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
        admin_bind: ``ADDRESS:PORT`` of ``/livez``, ``/readyz`` and ``/metrics``; nowhere if unset.
        public_url: What the WSDL tells clients, without a path; the bind address if unset.
        trusted_proxies: Networks of the proxies whose X-Forwarded-For and certificate header count.
        certificate_header: The header in which they hand on the subject of a client's certificate.
        allow_anybody: Serve scores also where a caller entry lets in anybody from anywhere.
        workers: Processes.
        max_calls: Calls at a time in each process; more are told to come again.
        request_timeout: Seconds for the body of a request.
        stop_timeout: Seconds for running calls to end when the gateway stops.
        max_request: Largest request in bytes.
    """

    bind: Annotated[str, AfterValidator(_bind)] = "127.0.0.1:8080"
    admin_bind: Annotated[str, AfterValidator(_bind)] | None = None
    public_url: Annotated[str, AfterValidator(_url)] | None = None
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    certificate_header: str = Field(default="X-Client-Certificate-Subject", pattern=r"^[A-Za-z0-9-]+$")
    allow_anybody: bool = False
    workers: PositiveInt = 2
    max_calls: PositiveInt = 1000
    request_timeout: PositiveFloat = 30
    stop_timeout: PositiveInt = 90
    max_request: PositiveInt = 64 * 1024

    @model_validator(mode="after")
    def _two_ports(self) -> Self:
        # Which of the two a request came to is told by the port.
        if self.admin_bind is not None and self.admin_bind.rpartition(":")[2] == self.bind.rpartition(":")[2]:
            raise ValueError("admin_bind: needs another port than bind")
        return self

    @property
    def is_exposed(self) -> bool:
        """Whether others than this machine's own programs can reach it, through a proxy as well."""
        return bool(self.trusted_proxies) or not is_loopback(self.bind.rpartition(":")[0].strip("[]"))

    @property
    def address(self) -> str:
        """The address that clients are told, without a slash at its end."""
        return (self.public_url or f"http://{self.bind}").rstrip("/")


class Upstream(_Section):
    """TOEFL Access.

    Attributes:
        url: Address of ``/scores``, copied exactly.
        connect_timeout: Seconds to a connection.
        read_timeout: Seconds to the head of the answer, and for each 96 KiB of it.
        deadline: Seconds for all attempts of one call together; .NET clients wait 60 or 100.
        attempts: How often a call is made at most, where another attempt may help.
        breaker_failures: Calls in a row without an answer after which it is not asked any more.
        breaker_seconds: Seconds after which one call at a time tries again.
        max_bytes: Largest score file in bytes.
        ca_file: Certificate authorities to trust instead of the public ones.
        proxy: HTTP proxy on the way; the environment's is not used.
    """

    url: Annotated[str, AfterValidator(_secure_url)]
    connect_timeout: PositiveFloat = 5
    read_timeout: PositiveFloat = 30
    deadline: PositiveFloat = 50
    attempts: PositiveInt = 3
    breaker_failures: PositiveInt = 5
    breaker_seconds: PositiveFloat = 30
    max_bytes: PositiveInt = 1024 * 1024 * 1024
    ca_file: _AnchoredPath | None = None
    proxy: Annotated[str, AfterValidator(_url)] | None = None


class Spool(_Section):
    """Where score files are held until they are sent; they are deleted before the call ends.

    Attributes:
        folder: The folder for those that are not small; the system's own for temporary files if unset.
        max_bytes: What those of one worker may take at any moment, in memory and on disk.
    """

    folder: _AnchoredPath | None = None
    max_bytes: PositiveInt = 2 * 1024 * 1024 * 1024


class AuthcodeSource(_Section):
    """Where an authcode is stored: in a file or in an environment variable.

    Attributes:
        name: What callers refer to it by.
        file: Path of the file.
        env: Name of the variable.
        next_file: Path of a file with the one that follows, tried when TOEFL Access refuses this one.
    """

    name: str
    file: _AnchoredPath | None = None
    env: str = ""
    next_file: _AnchoredPath | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (not self.env):
            raise ValueError("needs either file or env")
        return self

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return f"file {self.file}" if self.file is not None else f"environment variable {self.env}"


class CallerEntry(_Section):
    """Somebody who may call, and all that it must offer as proof.

    Attributes:
        name: What the log calls it.
        authcode: Name of the authcode to use; may be left out where there is one.
        networks: Where it calls from.
        certificate: Subject of its certificate, as a trusted proxy hands it on.
        credentials: ``authcode`` for the two halves of the authcode, ``own`` for those below,
            ``pass-through`` to make an authcode of whatever it sends.
        user: Its own user name.
        password_hash: Argon2 hash of its own password, from ``toefl-shim callers add``.
        secret_file: File with its own password, which a UsernameToken with a digest needs.
        anybody: Let in whoever is on this machine.
    """

    name: str
    authcode: str = ""
    networks: tuple[IPvAnyNetwork, ...] = ()
    certificate: str = ""
    credentials: Literal["", "authcode", "own", "pass-through"] = ""
    user: str = ""
    password_hash: str = Field(default="", pattern=r"^(\$argon2.*)?$")
    secret_file: _AnchoredPath | None = None
    anybody: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not (self.networks or self.certificate or self.credentials or self.anybody):
            raise ValueError("says of nothing how it proves itself: networks, certificate, credentials or anybody")
        own = bool(self.user) and bool(self.password_hash) != (self.secret_file is not None)
        if (self.credentials == "own") != own or (self.user and self.credentials != "own"):
            raise ValueError('credentials = "own" goes with user and either password_hash or secret_file')
        if self.credentials == "pass-through" and self.authcode:
            raise ValueError("pass-through makes its own authcode: leave authcode out")
        return self

    @property
    def is_open(self) -> bool:
        """Whether it lets in everybody who reaches the gateway."""
        # Two halves are a whole.
        old = ipaddress.collapse_addresses(one for one in self.networks if isinstance(one, ipaddress.IPv4Network))
        new = ipaddress.collapse_addresses(one for one in self.networks if isinstance(one, ipaddress.IPv6Network))
        everywhere = any(one.prefixlen == 0 for one in old) or any(one.prefixlen == 0 for one in new)
        return (self.anybody or everywhere) and not (self.credentials or self.certificate)


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


class Brownout(_Section):
    """A time in which callers are told of the end instead of being answered.

    Attributes:
        start: Its first second, UTC.
        end: The first second after it, UTC.
        callers: Names of those whom it hits; all, if none is named.
        exempt: Names of those whom it does not hit.
        dry_run: Answer as always, and only log and count whom it would have hit.
    """

    start: _Moment
    end: _Moment
    callers: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()
    dry_run: bool = False

    def hits(self, caller: str) -> bool:
        """Whether it is meant for a caller."""
        return (not self.callers or caller in self.callers) and caller not in self.exempt


class Retirement(_Section):
    """How the gateway ends.

    Attributes:
        deprecated: When callers should begin to leave, UTC.
        sunset: When it answers for the last time, UTC; a day's first second where a day is given.
        info_url: Where callers read about it.
        brownouts: Times before the sunset in which callers are told of it.
    """

    deprecated: _Moment | None = None
    sunset: _Moment | None = None
    info_url: Annotated[str, AfterValidator(_page)] | None = None
    brownouts: tuple[Brownout, ...] = ()

    def wrong(self, callers: frozenset[str]) -> Iterator[str]:
        """What cannot be meant, with callers of these names."""
        if self.info_url is None and (self.deprecated or self.sunset or self.brownouts):
            yield "info_url: is needed, for callers who are told of the end want to know more"
        if self.deprecated and self.sunset and self.sunset < self.deprecated:
            yield "sunset: is before deprecated"
        for number, brownout in enumerate(self.brownouts):
            if brownout.end <= brownout.start:
                yield f"brownouts.{number}: ends before it starts"
            if self.deprecated and brownout.start < self.deprecated:
                yield f"brownouts.{number}: starts before deprecated"
            if self.sunset and brownout.end > self.sunset:
                yield f"brownouts.{number}: ends after the sunset"
            unknown = (brownout.callers | brownout.exempt) - callers
            yield from (f"brownouts.{number}: no caller is named {name}" for name in sorted(unknown))
            if not unknown and not any(map(brownout.hits, callers)):
                yield f"brownouts.{number}: hits nobody"
        # A caller is told when to call again, and then must not meet the next one.
        real = [(number, brownout) for number, brownout in enumerate(self.brownouts) if not brownout.dry_run]
        for (one, first), (other, second) in combinations(real, 2):
            both = sorted(name for name in callers if first.hits(name) and second.hits(name))
            if both and first.start <= second.end and second.start <= first.end:
                yield f"brownouts.{other}: overlaps or touches brownouts.{one} for {', '.join(both)}"


class Legacy(_Section):
    """The old service, while it lives, to compare with; ``toefl-shim compare`` can be told other ones.

    Attributes:
        url: Its address.
        wsdl: Its WSDL; by default the shipped one.
        mapping: What its parts mean; by default beside the WSDL, with ``.toml`` at its end.
        authcode_file: File with the base64 of ``user:password``, if these are not the halves of the authcode in use.
    """

    url: Annotated[str, AfterValidator(_secure_url)]
    wsdl: _AnchoredPath = SHIPPED / "TOEFLEdm.wsdl"
    mapping: _AnchoredPath | None = None
    authcode_file: _AnchoredPath | None = None


class Shadow(_Section):
    """How many live calls are compared with the old service once they are answered.

    Attributes:
        sample: The share of the calls, from 0 to 1; a call that comes while another is compared is not.
        time_limit: Seconds for one comparison.
    """

    sample: float = Field(default=0, ge=0, le=1)
    time_limit: PositiveInt = 120


class Ledger(_Section):
    """Where it is kept who calls.

    Attributes:
        url: ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST/DATABASE``; under systemd ``ledger.db`` in
            ``STATE_DIRECTORY`` if unset, and elsewhere nothing is kept then.
        journal: The folder, on this machine's disk, for calls that are not in the database yet; beside its file
            if unset.
        key_file: A key for the hashes of callers that have no name, for gateways that are to hash alike.
        retention_days: After so many days, calls are forgotten.
    """

    url: Annotated[SecretStr, AfterValidator(_database)] | None = Field(default_factory=_state_database)
    journal: _AnchoredPath | None = None
    key_file: _AnchoredPath | None = None
    retention_days: int = Field(default=400, ge=90, le=10_000)

    @property
    def folder(self) -> Path | None:
        """The folder of the journal, if there is a ledger."""
        if self.url is None or self.journal is not None:
            return self.journal if self.url else None
        url = self.url.get_secret_value()
        state = Path(url.removeprefix(_SQLITE)).parent if url.startswith(_SQLITE) else _state_folder()
        return state / "journal" if state else None

    @model_validator(mode="after")
    def _has_a_journal(self) -> Self:
        if self.url is not None and self.folder is None:
            raise ValueError("journal: needs a folder, as the database is on no disk of this machine")
        return self


class Tracing(_Section):
    """Where spans of calls go.

    Attributes:
        url: An OpenTelemetry collector that takes OTLP over HTTP; needs the extra ``otel``.
    """

    url: Annotated[str, AfterValidator(_url)] | None = None

    @model_validator(mode="after")
    def _installed(self) -> Self:
        if self.url is not None and find_spec("opentelemetry") is None:
            raise ValueError('needs more to be installed: pip install "toefl-soap-shim[otel]"')
        return self


class Config(BaseSettings):
    """Everything that an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    gateway: Gateway = Gateway()
    upstream: Upstream
    spool: Spool = Spool()
    tracing: Tracing = Tracing()
    ledger: Ledger = Field(default_factory=Ledger)
    authcodes: tuple[AuthcodeSource, ...] = ()
    callers: tuple[CallerEntry, ...] = ()
    contracts: tuple[ContractSource, ...] = (ContractSource(),)
    retirement: Retirement = Retirement()
    legacy: Legacy | None = None
    shadow: Shadow = Shadow()

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

    @property
    def who_may_call(self) -> tuple[CallerEntry, ...]:
        """The callers, each with its authcode.

        Without any in the configuration: who sends the halves of an authcode, and
        on a loopback address alone whoever is on this machine.
        """
        if self.callers:
            only = self.authcodes[0].name if len(self.authcodes) == 1 else ""
            return tuple(
                entry
                if entry.authcode or entry.credentials == "pass-through"
                else entry.model_copy(update={"authcode": only})
                for entry in self.callers
            )
        entries = [CallerEntry(name=code.name, authcode=code.name, credentials="authcode") for code in self.authcodes]
        if len(entries) == 1 and not self.gateway.is_exposed:
            entries.append(CallerEntry(name="this-machine", authcode=entries[0].authcode, anybody=True))
        return tuple(entries)

    def comparing_with(self, legacy: Mapping[str, str | Path]) -> Self:
        """The same with other settings of the old service.

        Raises:
            ConfigError: They are wrong.
        """
        known = {} if self.legacy is None else self.legacy.model_dump()
        try:
            return self.model_copy(update={"legacy": Legacy(**known | dict(legacy))})
        except ValidationError as error:
            raise ConfigError("\n".join(f"legacy.{reason}" for reason in reasons(error))) from None

    @model_validator(mode="after")
    def _safe_callers(self) -> Self:
        names = [code.name for code in self.authcodes]
        wrong = [f"two authcodes are named {name}" for name in {name for name in names if names.count(name) > 1}]
        if not names and not self.callers:
            wrong.append("authcodes: at least one is needed, unless every caller is pass-through")
        called = [entry.name for entry in self.callers]
        wrong += [f"two callers are named {name}" for name in {name for name in called if called.count(name) > 1}]
        for entry in self.who_may_call:
            if entry.credentials != "pass-through" and entry.authcode not in names:
                wrong.append(f"callers.{entry.name}: needs the name of one of the authcodes")
            if entry.is_open and self.gateway.is_exposed and not self.gateway.allow_anybody:
                wrong.append(
                    f"callers.{entry.name}: would give scores to everybody who reaches {self.gateway.bind}: name "
                    "networks, a certificate or credentials; or, if that is wanted, set gateway.allow_anybody"
                )
            if entry.certificate and not self.gateway.trusted_proxies:
                wrong.append(f"callers.{entry.name}: a certificate counts only from gateway.trusted_proxies")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @model_validator(mode="after")
    def _sound_retirement(self) -> Self:
        wrong = [
            f"retirement.{reason}"
            for reason in self.retirement.wrong(frozenset(entry.name for entry in self.who_may_call))
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @model_validator(mode="after")
    def _room_for_the_largest(self) -> Self:
        if self.spool.max_bytes < self.upstream.max_bytes:
            raise ValueError("spool.max_bytes: must have room for one file of upstream.max_bytes")
        return self

    @model_validator(mode="after")
    def _something_to_compare_with(self) -> Self:
        if self.shadow.sample and self.legacy is None:
            raise ValueError("shadow.sample: needs legacy.url, the service to compare with")
        return self

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
    except (ValueError, RecursionError) as error:  # tomllib lets out more than its own errors
        raise ConfigError(f"{path}: {error}") from None


def reasons(error: ValidationError) -> list[str]:
    """What is wrong, one sentence a place, without the value that stands there."""
    return [
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].removeprefix('Value error, ')}".removeprefix(": ")
        for item in error.errors(include_input=False, include_url=False)
    ]
