"""What somebody typed as an address, and what the system behind it may be called. Pure."""

from __future__ import annotations

import ipaddress
import re

from yarl import URL

from monitor.model import OURS
from monitor.probes.web import CREDENTIAL, address

FALLBACK = "site"
LONGEST_NAME = 63
SECURE = 443
TOO_COMMON = frozenset(
    {"www", "api", "app", "web", "my", "backend", "frontend", "dev", "staging", "prod", "production"}
)
"""Parts of a host's name that say nothing of whose it is."""
SECOND_LEVEL = frozenset({"co", "com", "org", "net", "ac", "gov", "edu"})
"""What stands before a country: example.co.uk."""

_OTHERS = re.compile(r"[^a-z0-9]+")


def readings(text: str) -> URL:
    """Return the address that `text` means; without a scheme https, or http for a port, a number or a bare name.

    Raises ValueError, which repeats no secret, for what is none, or has a password or a secret in it.
    """
    url = URL(address(text if "://" in text else f"{_scheme(text)}://{text}"))
    secret = next((name for name in url.query if CREDENTIAL.search(name)), None)
    if secret is not None:
        raise ValueError(f"its query holds {secret!r}: secrets stand in the environment and nowhere else")
    return url.with_path(url.raw_path, encoded=True, keep_query=True)  # without a fragment, and with its first slash


def name_of(host: str) -> str:
    """Return what a system at `host` may be called: the part of the name that says most."""
    parts = _parts(host)
    telling = [part for part in parts if part not in TOO_COMMON]
    return named((telling or parts or [FALLBACK])[0])


def named(text: str) -> str:
    """Return `text` as a name that a file takes."""
    name = _OTHERS.sub("-", text.lower()).strip("-")[:LONGEST_NAME].rstrip("-")
    return name if name and name != OURS else FALLBACK


def unique(name: str, taken: set[str]) -> str:
    """Return `name`, with a number if it is `taken`, and take it."""
    found, number = name, 2
    while found in taken:
        end = f"-{number}"
        found, number = f"{name[: LONGEST_NAME - len(end)]}{end}", number + 1
    taken.add(found)
    return found


def _scheme(text: str) -> str:
    host, _, port = re.split(r"[/?#]", text, maxsplit=1)[0].partition(":")
    plain = is_number(host) or "." not in host or (port and port != str(SECURE))
    return "http" if plain or text.startswith("[") else "https"


def _parts(host: str) -> list[str]:
    if is_number(host):
        return []
    parts = host.lower().rstrip(".").split(".")
    if len(parts) == 1:
        return parts
    ends = 2 if len(parts) > 2 and parts[-2] in SECOND_LEVEL else 1  # noqa: PLR2004 - name, co, uk
    return parts[:-ends]


def is_number(host: str) -> bool:
    """Return whether a host is an address, and no name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
