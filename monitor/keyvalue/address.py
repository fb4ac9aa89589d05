"""The address of a Redis or Valkey server, as Render, Heroku, Upstash, redis-py and Celery write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from monitor.model import stable_id
from monitor.network import peer_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

PLAIN = ("redis", "valkey")
SECURE = ("rediss", "valkeys")
SCHEMES = (*PLAIN, *SECURE, "unix")
PORT = 6_379
MEANINGLESS = (
    "client_name",
    "decode_responses",
    "encoding",
    "health_check_interval",
    "max_connections",
    "protocol",
    "retry_on_timeout",
    "socket_connect_timeout",
    "socket_keepalive",
    "socket_timeout",
    "timeout",
)
"""Taken, because addresses are copied with them, and without effect: we keep no connection and have deadlines."""

KNOWN = (*MEANINGLESS, "db", "password", "ssl_ca_certs", "ssl_cert_reqs", "ssl_check_hostname", "username")
HOW = "it is redis://user:password@host:6379/0, rediss:// with TLS, special characters as %XX"


class AddressError(ValueError):
    """An address that cannot be used; says why, and nothing that was secret in it."""


class Tls(NamedTuple):
    """What is asked of the server's certificate: that it is trusted, for that host, perhaps by an authority more."""

    verify: bool = True
    names: bool = True
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, `shown` for people; `host` is the path of a socket where there is no `port`.

    `key` is the same for the same address, and tells nothing of it.
    """

    shown: str
    key: str
    host: str
    port: int
    database: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Tls | None = None

    @property
    def logs_in(self) -> bool:
        """Return whether there is something to say before the first question: who we are, or which database."""
        return bool(self.user or self.password or self.database)


def parse(url: str) -> Address:
    """Return what `url` says; raises `AddressError` when that cannot be used.

    User and password may stand before the host, or as `username` and `password` in the query.
    """
    parts, given = _split(url)
    host, port = (unquote(parts.path), 0) if parts.scheme == "unix" else (parts.hostname or "", _port(parts))
    if not host or (parts.scheme == "unix" and parts.hostname):
        _refuse(f"names no {'socket, as unix:///run/redis.sock does' if parts.scheme == 'unix' else 'host'}")
    database = _database(given.get("db") or ("" if parts.scheme == "unix" else parts.path.strip("/")) or "0")
    place = peer_text(host, port) if port else host
    return Address(
        shown=f"Redis at {place}{f'/{database}' if database else ''}",
        key=stable_id(url),
        host=host,
        port=port,
        database=database,
        user=unquote(parts.username or "") or given.get("username", ""),
        password=unquote(parts.password or "") or given.get("password", ""),
        tls=_tls(given) if parts.scheme in SECURE else None,
    )


def _split(url: str) -> tuple[SplitResult, Mapping[str, str]]:
    """Return the parts and the query. What cannot be placed may be the rest of a password, so it is not repeated."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        _refuse(f"cannot be read: {HOW}")
    if not url.isprintable() or parts.scheme not in SCHEMES or parts.fragment:
        _refuse(f"cannot be read: {HOW}")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not given.keys() <= set(KNOWN):
        _refuse(f"has unknown options; known are {', '.join(KNOWN)}, and special characters are written as %XX")
    return parts, given


def _port(parts: SplitResult) -> int:
    if parts.port == 0:
        _refuse("has a port that is none")
    return parts.port or PORT


def _database(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        _refuse(f"has something else than a number for its database: {HOW}")
    return int(text)


def _tls(given: Mapping[str, str]) -> Tls:
    asked = given.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if asked not in {"none", "optional", "required"}:
        _refuse("has an unknown ssl_cert_reqs (known are none, optional, required)")
    names = given.get("ssl_check_hostname", "true").lower() not in {"0", "f", "false", "n", "no"}
    return Tls(verify=asked != "none", names=names, ca_file=given.get("ssl_ca_certs", ""))


def _refuse(why: str) -> NoReturn:
    raise AddressError(f"the address of the Redis server {why}")
