"""What came back from a web server: the value that `fetch` makes and `expect` judges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from yarl import URL

if TYPE_CHECKING:
    from datetime import timedelta

LEGACY = frozenset({"iso-8859-1", "latin-1", "latin1", "us-ascii", "windows-1252", "cp1252"})
"""Character sets that browsers read as windows-1252 (WHATWG Encoding Standard, 4.2). Anything else is read as UTF-8."""


@dataclass(frozen=True)
class Answer:
    """One answer, after redirects. Header names are in lower case; `body` is decompressed.

    `truncated`: the body was longer than what is read of it. `took`: from the start of name resolution to the last
    byte, over all redirects. `redirects`: how many were followed.
    """

    url: URL
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    took: timedelta
    redirects: int = 0

    def header(self, name: str) -> str | None:
        """Return a header's value, several joined with a comma as RFC 9110 (5.3) reads them; None if it is absent."""
        wanted = name.lower()
        values = [value for key, value in self.headers if key == wanted]
        return ", ".join(values) if values else None

    @property
    def media_type(self) -> str:
        """Return the content type without its parameters, in lower case; empty if there is none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def location(self) -> URL | None:
        """Return the address in the Location header, made absolute; None if there is none.

        Raises ValueError if it is no address.
        """
        text = self.header("location")
        if not text:
            return None
        # Headers are read as latin-1, which loses nothing; servers that mean more than ASCII send UTF-8.
        return self.url.join(URL(text.encode("latin-1").decode("utf-8", "replace")))

    @cached_property
    def text(self) -> str:
        """Return the body as text; bytes that are no text become U+FFFD."""
        charset = (self.header("content-type") or "").lower().partition("charset=")[2].partition(";")[0]
        return self.body.decode("cp1252" if charset.strip(" \"'") in LEGACY else "utf-8-sig", "replace")


def bare(url: URL) -> str:
    """Return `url` without user, query and fragment, where secrets may stand."""
    return f"{url.origin()}{url.raw_path}" if url.scheme and url.host else f"{url.scheme}:…"


def shown(url: URL) -> str:
    """Return `url` for people: bare, and decoded, so that a secret in it can be recognised."""
    return "".join(character if character.isprintable() else "�" for character in unquote(bare(url)))
