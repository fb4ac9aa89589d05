"""The address of a PostgreSQL database, as Render, Neon, Supabase and libpq write it."""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import exc, make_url

from monitor.model import stable_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL

SCHEMES = ("postgres", "postgresql")
APPLICATION = "runbook-monitor"
HIGHEST_PORT = 65_535
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
BINDINGS = ("disable", "prefer", "require")
FILES = frozenset({"sslcert", "sslkey", "sslrootcert"})
MEANINGLESS = ("connect_timeout", "pgbouncer")
"""Taken, because addresses are copied with them, and without effect: we have deadlines and suit PgBouncer anyway."""

KNOWN = (
    "application_name",
    "channel_binding",
    *MEANINGLESS,
    "dbname",
    "host",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
)


class AddressError(ValueError):
    """An address that cannot be used; says why, and nothing that was secret in it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is: `shown` for people, `options` for the driver, with the password.

    `key` is the same for the same address, and tells nothing of it. `tls` is how TLS is wanted, as libpq names it.
    """

    shown: str
    key: str
    options: Mapping[str, Any] = field(repr=False)
    tls: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def host(self) -> str:
        """Return the machine that it is on: a name, an address, or the folder of a socket."""
        return str(self.options["host"])


def is_postgres(url: str) -> bool:
    """Return whether `url` means a PostgreSQL database."""
    return url.partition("://")[0] in SCHEMES and "://" in url


def parse(url: str) -> Address:
    """Return what `url` says; raises `AddressError` when that cannot be used."""
    parts = _split(url)
    given = {name: value if isinstance(value, str) else ",".join(value) for name, value in parts.query.items()}
    if unknown := sorted(set(given).difference(KNOWN)):
        _refuse(f"has unknown options: {', '.join(unknown)} (known are {', '.join(KNOWN)})")
    options = _options(parts, given)
    if not options.get("database") or not options.get("host"):
        _refuse(f"names no {'host' if options.get('database') else 'database'}")
    files = {name: value for name, value in given.items() if name in FILES}
    return Address(_shown(options), stable_id(url), options, {"sslmode": _mode(given), **files})


def _options(parts: URL, given: Mapping[str, str]) -> dict[str, Any]:
    settings = {"application_name": given.get("application_name", APPLICATION)}
    if "options" in given:
        settings["options"] = given["options"]
    options = {
        "host": given.get("host", parts.host),
        "port": _port(given["port"]) if "port" in given else parts.port,
        "user": given.get("user", parts.username),
        "password": given.get("password", parts.password),
        "database": given.get("dbname", parts.database),
        "target_session_attrs": given.get("target_session_attrs"),
        "server_settings": settings,
        "ssl": _tls(given),
    }
    return {name: value for name, value in options.items() if value is not None}


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= HIGHEST_PORT):
        _refuse("has a port that is none")
    return int(text)


def _split(url: str) -> URL:
    parts = None
    with suppress(exc.ArgumentError, ValueError):
        parts = make_url(url)
    if parts is None or not url.isprintable() or (parts.port or 0) > HIGHEST_PORT:
        _refuse("cannot be read: it is postgresql://user:password@host:5432/database, special characters as %XX")
    return parts


def _shown(options: Mapping[str, Any]) -> str:
    port = f":{options['port']}" if "port" in options else ""
    return f"PostgreSQL at {options['host']}{port}/{options['database']}"


def _tls(given: Mapping[str, str]) -> ssl.SSLContext | str | bool:
    """Return what TLS is wanted, as the driver takes it.

    The driver knows no channel binding. Where it is required, the certificate is verified instead, which keeps out the
    same man in the middle.
    """
    mode = _mode(given)
    if mode in {"disable", "allow", "prefer"}:
        return mode
    try:
        return _context(mode, given)
    except OSError as error:
        _refuse(f"names a certificate that cannot be used: {error.strerror or type(error).__name__}")


def _mode(given: Mapping[str, str]) -> str:
    mode = _one_of(MODES, given, "sslmode", "prefer")
    return "verify-full" if _one_of(BINDINGS, given, "channel_binding", "prefer") == "require" else mode


def _context(mode: str, given: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_NONE if mode == "require" else ssl.CERT_REQUIRED
    root = given.get("sslrootcert", "system")
    if root != "system":
        context.load_verify_locations(root)
    elif mode != "require":
        context.load_default_certs()
    if "sslcert" in given:
        context.load_cert_chain(given["sslcert"], given.get("sslkey"))
    return context


def _one_of(allowed: tuple[str, ...], given: Mapping[str, str], name: str, default: str) -> str:
    value = given.get(name, default)
    if value not in allowed:
        _refuse(f"has an unknown {name} (known are {', '.join(allowed)})")
    return value


def _refuse(why: str) -> NoReturn:
    raise AddressError(f"the address of the PostgreSQL database {why}")
