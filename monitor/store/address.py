"""The address of a PostgreSQL database, as Render, Neon, Supabase and libpq write it."""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import exc, make_url

from monitor.store.base import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL

SCHEMES = ("postgres", "postgresql")
APPLICATION = "runbook-monitor"
HIGHEST_PORT = 65_535
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
BINDINGS = ("disable", "prefer", "require")
MEANINGLESS = ("connect_timeout", "pgbouncer")
"""Taken, because addresses are copied with them, and without effect: we have deadlines and suit PgBouncer anyway."""

KNOWN = (
    "application_name",
    "channel_binding",
    *MEANINGLESS,
    "host",
    "options",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is: `shown` for people, `options` for the driver, the password among them."""

    shown: str
    options: Mapping[str, Any] = field(repr=False)


def is_postgres(url: str) -> bool:
    """Return whether `url` means a PostgreSQL database."""
    return url.partition("://")[0] in SCHEMES and "://" in url


def parse(url: str) -> Address:
    """Return what `url` says; raises `StoreUnusable`, without the password, when that cannot be used."""
    parts = _split(url)
    given = {name: value if isinstance(value, str) else ",".join(value) for name, value in parts.query.items()}
    if unknown := sorted(set(given).difference(KNOWN)):
        _refuse(f"has unknown options: {', '.join(unknown)} (known are {', '.join(KNOWN)})")
    if not parts.database or not (parts.host or given.get("host")):
        _refuse(f"names no {'host' if parts.database else 'database'}")
    settings = {"application_name": given.get("application_name", APPLICATION)}
    if "options" in given:
        settings["options"] = given["options"]
    options = {
        "host": given.get("host", parts.host),
        "port": parts.port,
        "user": parts.username,
        "password": parts.password,
        "database": parts.database,
        "target_session_attrs": given.get("target_session_attrs"),
        "server_settings": settings,
        "ssl": _tls(given),
    }
    return Address(_shown(parts, given), {name: value for name, value in options.items() if value is not None})


def _split(url: str) -> URL:
    parts = None
    with suppress(exc.ArgumentError, ValueError):
        parts = make_url(url)
    if parts is None or not url.isprintable() or (parts.port or 0) > HIGHEST_PORT:
        _refuse("cannot be read: it is postgresql://user:password@host:5432/database, special characters as %XX")
    return parts


def _shown(parts: URL, given: Mapping[str, str]) -> str:
    host = given.get("host", parts.host or "")
    return f"PostgreSQL at {host}{f':{parts.port}' if parts.port else ''}/{parts.database}"


def _tls(given: Mapping[str, str]) -> ssl.SSLContext | str | bool:
    """Return what TLS is wanted, as the driver takes it.

    The driver knows no channel binding. Where it is required, the certificate is verified instead, which keeps out the
    same man in the middle.
    """
    mode = _one_of(MODES, given, "sslmode", "prefer")
    if _one_of(BINDINGS, given, "channel_binding", "prefer") == "require":
        mode = "verify-full"
    if mode in {"disable", "allow", "prefer"}:
        return mode
    try:
        return _context(mode, given)
    except OSError as error:
        _refuse(f"names a certificate that cannot be used: {error.strerror or type(error).__name__}")


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
    raise StoreUnusable(f"the address of the PostgreSQL database {why}")
