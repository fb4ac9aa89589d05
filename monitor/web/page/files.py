"""The style sheet, the script and the icons: named by what is in them, so that a browser keeps them for good."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import Iterable

PLACE = "/static"
KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """One file: its address, which follows from its content, and what it is."""

    address: str
    kind: str
    body: bytes

    async def answer(self, _request: web.Request) -> web.Response:
        """Show it to anybody: nothing in it is anybody's."""
        headers = {hdrs.CACHE_CONTROL: FOR_GOOD, "Cross-Origin-Resource-Policy": "same-origin"}
        return web.Response(body=self.body, content_type=self.kind, charset="utf-8", headers=headers)


class Files:
    """All of them, read once."""

    def __init__(self) -> None:
        found = files("monitor.web.page").joinpath("static").iterdir()
        self._files = {one.name: _read(one.name, one.read_bytes()) for one in found if _kind(one.name)}

    def address(self, name: str) -> str:
        """Return where the file of that name is shown."""
        return self._files[name].address

    def table(self) -> Iterable[web.RouteDef]:
        """Return the routes."""
        return [web.get(one.address, one.answer) for one in self._files.values()]


def _read(name: str, body: bytes) -> File:
    stem, _, end = name.rpartition(".")
    return File(f"{PLACE}/{stem}.{sha256(body).hexdigest()[:16]}.{end}", _kind(name), body)


def _kind(name: str) -> str:
    """Return what a file is; empty: nothing to show."""
    return KINDS.get(name.rpartition(".")[2], "")
