"""What is asked of a web server, and how it looks on the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from monitor import __version__
from monitor.fetch.inflate import ACCEPTED

if TYPE_CHECKING:
    from yarl import URL

    from monitor.secrets import Secret

SENDS_BODY = frozenset({"POST", "PUT", "PATCH"})
DEFAULTS = (
    ("User-Agent", f"runbook-monitor/{__version__}"),
    ("Accept", "*/*"),
    ("Accept-Encoding", ACCEPTED),
    ("Connection", "close"),
)

_VISIBLE = re.compile(r"[!-~]+")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
_OURS = frozenset({"content-length", "transfer-encoding"})


@dataclass(frozen=True)
class Request:
    """One request. `headers` are those configured, revealed only when they leave; `url` is absolute, without a user."""

    url: URL
    method: str = "GET"
    headers: tuple[tuple[str, Secret], ...] = ()
    body: bytes = field(default=b"", repr=False)

    @cached_property
    def wire(self) -> bytes:
        """Return the request as HTTP/1.1 sends it.

        Raises ValueError where host or path hold anything but visible ASCII: nobody may smuggle a line in. Configured
        headers, checked by `header_fault` when they are read, come instead of ours of the same name.
        """
        host, target = self.url.host_subcomponent or "", self.url.raw_path_qs
        if not _VISIBLE.fullmatch(host) or not _VISIBLE.fullmatch(target):
            raise ValueError("the address holds a character that no address can hold")
        named = {name.lower() for name, _ in self.headers}
        own = [("Host", host if self.url.is_default_port() else f"{host}:{self.url.port}"), *DEFAULTS]
        if self.body or self.method in SENDS_BODY:
            own.append(("Content-Length", str(len(self.body))))
        lines = [f"{self.method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in own if name.lower() not in named]
        lines += [f"{name}: {value.reveal()}" for name, value in self.headers]
        return "\r\n".join((*lines, "", "")).encode() + self.body


def header_fault(name: str, value: str) -> str:
    """Return what is wrong with a header that we are asked to send, without repeating its value; empty: nothing."""
    if not _NAME.fullmatch(name):
        return f"{name!r} is not a header name"
    if name.lower() in _OURS:
        return f"{name} follows from the body and cannot be set"
    if not _VALUE.fullmatch(value) or value != value.strip():
        return f"the value of {name} holds a line break, a control character or a space at an end"
    return ""
