"""`${NAME}` and `${NAME:-default}` in texts: what they become, and which of it must never be printed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from monitor.config.yaml_file import core

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PUBLIC = (
    *("_URL", "_HOST", "_DOMAIN", "_ORIGIN", "_NAME", "_PORT", "_PATH", "_EMAIL", "_ZONE", "_REGION"),
    *(
        "_VERSION",
        "_MIGRATION",
        "_TABLES",
        "_QUEUE",
        "_TYPE",
        "_SIZE",
        "_MEMORY",
        "_CONNECTIONS",
        "_PROCESSES",
        "_DATE",
    ),
)
"""How the name of a variable ends whose value may be printed, unless it holds a password or a query."""

KEY_VALUE = frozenset({"redis", "rediss", "valkey", "valkeys", "unix"})
DATABASES = frozenset({"postgres", "postgresql"}) | KEY_VALUE
STAND_INS = (
    "https://placeholder.invalid",
    "placeholder.invalid",
    "placeholder",
    "placeholder@placeholder.invalid",
    "whsec_cGxhY2Vob2xkZXI=",
    "smtp://placeholder.invalid",
    "postgresql://placeholder.invalid/placeholder",
    "postgresql://placeholder.invalid/pgbouncer",
    "redis://placeholder.invalid",
    "1",
    "30s",
    "1MB",
    "50%",
    "true",
    "+15005550006",
    "AC00000000000000000000000000000000",
    "xoxb-placeholder",
    "xapp-placeholder",
    "C0000000000",
    "UTC",
    "2026-01-01",
    "09:00 UTC",
    "Mon-Fri 09:00-18:00 UTC",
)
"""What stands for a variable that is not set and need not be: the first that its place accepts."""

_USE = re.compile(
    r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>(?:(?!\$\{)[^}])*))?\}|(?P<broken>\$\{)"
)


@dataclass(slots=True)
class Scalar:
    """A text that used variables: what it says in the file, and how it may read, the likeliest first.

    `guessed`: at least one variable was not set, so that `readings` are stand-ins. `broken`: a `${` begins no variable.
    """

    text: str
    readings: tuple[Any, ...]
    unset: tuple[str, ...] = ()
    guessed: bool = False
    broken: bool = False


@dataclass(slots=True)
class Variables:
    """The environment that a configuration is read with. `used` and `secrets` gather what was put in."""

    environ: Mapping[str, str]
    used: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)

    def is_set(self, name: str) -> bool:
        """Return whether `name` has a value; an empty one is none, as deployments leave unused variables empty."""
        return bool(self.environ.get(name))

    def read(self, text: str, *, plain: bool) -> Scalar:
        """Return how `text` may read with its variables put in. `plain`: it is not quoted, so may become a number."""
        uses = list(_USE.finditer(text))
        names = [use["name"] for use in uses if use["name"]]
        self.used.update(names)
        unset = tuple(dict.fromkeys(use["name"] for use in uses if use["name"] and self._value(use) is None))
        self._keep_secret(name for name in names if self.is_set(name))
        broken = any(use["broken"] for use in uses)
        if unset:
            readings = tuple(self._put(text, stand_in) for stand_in in _stand_ins(text))
            return Scalar(text, readings, unset, guessed=True, broken=broken)
        whole = self._put(text, "")
        alone = plain and len(uses) == 1 and bool(uses[0]["name"]) and uses[0].span() == (0, len(text))
        typed = core(whole) if alone else whole
        return Scalar(text, (whole,) if isinstance(typed, str) else (typed, whole), broken=broken)

    def _value(self, use: re.Match[str]) -> str | None:
        return self.environ.get(use["name"]) or use["default"]

    def _put(self, text: str, stand_in: str) -> str:
        def become(use: re.Match[str]) -> str:
            if not use["name"]:
                return "${"
            value = self._value(use)
            return stand_in if value is None else value

        return _USE.sub(become, text)

    def _keep_secret(self, names: Iterator[str]) -> None:
        for name in names:
            value = self.environ[name]
            parts = tuple(url_secrets(value))
            if parts or not f"_{name.upper()}".endswith(PUBLIC):
                self.secrets.update((value, *parts))


def url_secrets(text: str) -> Iterator[str]:
    """Yield the parts of an address that must not be printed: password or user, and the values of its query.

    Of a database's address the query holds settings, such as `sslmode=require`, and may hold a password. A user alone
    is a name in PostgreSQL; in Redis it is as often a password that lacks its colon.
    """
    try:
        parts = urlsplit(text)
        password, user = parts.password, parts.username
    except ValueError:
        return
    settings = parts.scheme in DATABASES
    if not parts.scheme or not (parts.netloc or settings):
        return
    named = settings and parts.scheme not in KEY_VALUE
    for part in filter(None, (password, user if password is None and not named else None)):
        yield from {part, unquote(part)}
    for name, value in parse_qsl(parts.query):
        if not settings or "password" in name:
            yield from {value, unquote(value)}


def _stand_ins(text: str) -> tuple[str, ...]:
    # Within a text, after its beginning, an address fits least.
    return STAND_INS if text.startswith("${") else (*STAND_INS[1:], STAND_INS[0])
