"""Where an API is found: its own address, or that of something that stands in for it."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator
from yarl import URL


def _base(text: str) -> str:
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.query_string or url.fragment:
        raise ValueError("this is not an address such as https://api.example.com, without user and query")
    if url.scheme == "http" and not _is_this_machine(url.host):
        raise ValueError("a key is sent over https only, or to this machine")
    return text.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _base_if_any(text: str) -> str:
    return _base(text) if text else ""


Base = Annotated[str, AfterValidator(_base)]
"""The address that the paths of an API begin with, without a slash at its end."""
BaseIfAny = Annotated[str, AfterValidator(_base_if_any)]
"""The same, or nothing."""
