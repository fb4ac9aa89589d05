"""What the environment says of the daemon itself: where its configuration and its data are, and who may ask it."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from monitor.faults import ConfigError, Fault
from monitor.fields import Duration
from monitor.mounts import MOUNTINFO, lasts
from monitor.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

DEFAULT_PORT = 8080
LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - only when a token is set
PREFIX = "MONITOR_"
PRIVATE = (".internal", ".lan", ".local", ".localhost", ".svc")
"""Ends of names that only a network of one's own resolves."""
SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


class Address(NamedTuple):
    """Where the daemon listens; port 0 lets the system choose one."""

    host: str
    port: int

    @property
    def local(self) -> bool:
        """Return whether only this machine can reach it."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _address(text: object) -> object:
    if not isinstance(text, str):
        return text
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 - the highest port
        raise ValueError(f"{text!r} is not an address such as 127.0.0.1:8080")
    return Address(host.removeprefix("[").removesuffix("]") or EVERYWHERE, int(port))


def _names(text: object) -> object:
    return [name for part in text.split(",") if (name := part.strip())] if isinstance(text, str) else text


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def _web(secret: Secret) -> Secret:
    parts = urlsplit(secret.reveal())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    return secret


def _database(secret: Secret) -> Secret:
    url = secret.reveal()
    if not url.startswith((SQLITE, *POSTGRES)) or url in {SQLITE, *POSTGRES}:
        raise ValueError(
            f"must be {SQLITE} and the path of a file (an absolute path makes it four slashes), or "
            "postgresql://user:password@host/database"
        )
    return secret


def _confidential(secret: Secret) -> Secret:
    parts = urlsplit(secret.reveal())
    if parts.username and parts.scheme == "http" and not _private(parts.hostname or ""):
        raise ValueError("must be an https:// address: user and password would cross a public network in the clear")
    return secret


def _private(host: str) -> bool:
    """Return whether only a network of one's own leads there: a private address, or a name that is none elsewhere."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(PRIVATE)


def _often_enough(every: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= every <= timedelta(minutes=2):
        raise ValueError("must be from 1s to 2m: readers take a series for gone that has no sample for five minutes")
    return every


WebAddress = Annotated[Secret, AfterValidator(_web)]


class Settings(BaseSettings):
    """The environment, read once at start. An empty variable counts as not set."""

    model_config = SettingsConfigDict(
        arbitrary_types_allowed=True,
        case_sensitive=True,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )

    config: Path = Field(default=Path("monitor.yaml"), validation_alias="MONITOR_CONFIG")
    """The configuration: a file, or a folder."""
    systems: Annotated[list[str], NoDecode, BeforeValidator(_names)] = Field(
        default_factory=list, validation_alias="MONITOR_SYSTEMS"
    )
    """The systems to watch, separated by commas; default: all."""
    database_url: Annotated[Secret, AfterValidator(_database)] | None = Field(
        default=None, validation_alias="MONITOR_DATABASE_URL"
    )
    """Where everything is remembered, `sqlite:///monitor.db` or `postgresql://user:password@host/database`; default:
    `monitor.db` in `MONITOR_DATA`."""
    data: Path = Field(default=Path("data"), validation_alias="MONITOR_DATA")
    """The folder of the database."""
    token: Secret | None = Field(default=None, validation_alias="MONITOR_TOKEN")
    """Whoever has it may see the page, the API and the metrics, and act."""
    scrape_token: Secret | None = Field(default=None, validation_alias="MONITOR_SCRAPE_TOKEN")
    """Whoever has it may read `/metrics` and nothing else."""
    port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(default=None, validation_alias="PORT")
    """The port that a platform assigns: on all addresses when `MONITOR_TOKEN` is set, else on this machine only."""
    listen_at: Annotated[Address | None, NoDecode, BeforeValidator(_address)] = Field(
        default=None, validation_alias="MONITOR_LISTEN"
    )
    """Where to listen; `0.0.0.0:8080` needs `MONITOR_TOKEN`. Default: as `PORT` says, or `127.0.0.1:8080`."""
    deadman_url: WebAddress | None = Field(default=None, validation_alias="MONITOR_DEADMAN_URL")
    """An address that is asked once a minute while all is well; it raises the alarm when that ends."""
    remote_write_url: Annotated[WebAddress, AfterValidator(_confidential)] | None = Field(
        default=None, validation_alias="MONITOR_REMOTE_WRITE_URL"
    )
    """Where every metric is pushed by Prometheus remote write; user and password in it are sent as Basic."""
    remote_write_token: Secret | None = Field(default=None, validation_alias="MONITOR_REMOTE_WRITE_TOKEN")
    """Sent there as Bearer, instead of user and password."""
    remote_write_every: Annotated[Duration, AfterValidator(_often_enough)] = Field(
        default=timedelta(seconds=15), validation_alias="MONITOR_REMOTE_WRITE_EVERY"
    )
    """How often metrics are pushed, from `1s` to `2m`; default: `15s`."""
    instance_name: str | None = Field(default=None, validation_alias="MONITOR_INSTANCE")
    """The label `instance` of the daemon's own series when they are pushed; default: Render's, or the host's name."""
    sentry_dsn: WebAddress | None = Field(default=None, validation_alias="SENTRY_DSN")
    """Where the daemon's own errors are reported."""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        default="info", validation_alias="LOG_LEVEL"
    )
    """The least that is logged: debug, info, warning or error."""
    log_format: Annotated[Literal["json", "console"], BeforeValidator(_lower)] | None = Field(
        default=None, validation_alias="LOG_FORMAT"
    )
    """`json` or `console`; default: `console` on a terminal."""
    render: bool = Field(default=False, validation_alias="RENDER")
    """Set by Render: the daemon then refuses to keep its memory where a deploy would take it away."""
    render_instance: str | None = Field(default=None, validation_alias="RENDER_INSTANCE_ID")
    """Set by Render: names this instance when metrics are pushed."""

    @field_validator("remote_write_token", mode="after")
    @classmethod
    def _one_login(cls, token: Secret | None, info: ValidationInfo) -> Secret | None:
        url = info.data.get("remote_write_url")
        if token and url:
            parts = urlsplit(url.reveal())
            if parts.username:
                raise ValueError("cannot be used together with a user in MONITOR_REMOTE_WRITE_URL")
            if parts.scheme == "http" and not _private(parts.hostname or ""):
                raise ValueError("needs an https:// address in MONITOR_REMOTE_WRITE_URL")
        return token

    @field_validator("listen_at", mode="after")
    @classmethod
    def _guarded(cls, address: Address | None, info: ValidationInfo) -> Address | None:
        if address and not address.local and not info.data.get("token", "one with a fault of its own"):
            raise ValueError(f"{address} can be reached from elsewhere, which needs MONITOR_TOKEN")
        return address

    @property
    def listen(self) -> Address:
        """Return where to listen: never where strangers can reach us without a token."""
        if self.listen_at is not None:
            return self.listen_at
        if self.port is None:
            return Address(LOOPBACK, DEFAULT_PORT)
        return Address(EVERYWHERE if self.token else LOOPBACK, self.port)

    @property
    def confined(self) -> bool:
        """Return whether a platform assigned a port, and for want of a token only this machine can reach it."""
        return self.listen_at is None and self.port is not None and not self.token

    @property
    def database(self) -> Path | Secret:
        """Return the SQLite file, or the address of the PostgreSQL database."""
        if self.database_url is None:
            return self.data / "monitor.db"
        if self.database_url.reveal().startswith(POSTGRES):
            return self.database_url
        return Path(unquote(self.database_url.reveal().removeprefix(SQLITE)))

    @property
    def instance(self) -> str:
        """Return what tells this instance from others."""
        return self.instance_name or self.render_instance or socket.gethostname()

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Return what must never be printed."""
        urls = (self.database_url, self.deadman_url, self.remote_write_url, self.sentry_dsn)
        given = (*urls, self.token, self.scrape_token, self.remote_write_token)
        return (*(secret for secret in given if secret is not None), *_login(self.remote_write_url))


def read_settings(mountinfo: Path = MOUNTINFO, *, remembers: bool = True) -> Settings:
    """Return the settings in the environment; raises `ConfigError` with every fault.

    `mountinfo` says which disks are mounted, and is asked on Render only, and only of a command that `remembers`
    something in the store: where Render runs a pre-deploy command it mounts no disk.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise ConfigError(_fault(detail) for detail in error.errors(include_url=False)) from None
    file = settings.database
    if remembers and settings.render and isinstance(file, Path) and not _lasts(file, mountinfo):
        hint = "mount a disk and set MONITOR_DATA to a folder on it, or MONITOR_DATABASE_URL to a PostgreSQL database"
        message = f"{file.parent} is not on a disk: each deploy would forget every open alert"
        key = "MONITOR_DATA" if settings.database_url is None else "MONITOR_DATABASE_URL"
        raise ConfigError([Fault(message, key=key, hint=hint)])
    return settings


def variables() -> list[str]:
    """Return the names of all variables that are read, in their order."""
    return [str(field.validation_alias) for field in Settings.model_fields.values()]


def unknown_variables(used: frozenset[str], environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the `MONITOR_…` variables that are set and mean nothing; `used` are those of the configuration."""
    known = {*variables(), *used}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def _login(url: Secret | None) -> Iterable[Secret]:
    """Yield user and password of an address, and the password by itself: an answer may repeat either."""
    login, _, _ = urlsplit(url.reveal() if url else "").netloc.rpartition("@")
    for text in (unquote(login), unquote(login.partition(":")[2])):
        if text:
            yield Secret(text)


def _lasts(folder: Path, mountinfo: Path) -> bool:
    try:
        return lasts(folder, mountinfo)
    except OSError:
        return False


def _fault(detail: ErrorDetails) -> Fault:
    name = str(detail["loc"][0])
    if detail["type"] == "value_error":
        return Fault(str(detail["ctx"]["error"]), key=name)
    return Fault(detail["msg"].replace("Input should be", "must be"), key=name)
