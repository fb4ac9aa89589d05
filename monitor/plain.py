"""Text from anywhere, cleaned so that nothing in it acts or hides, for whatever people read. Pure.

What a page says may come from a body, a header or a certificate that somebody else wrote. Cleaned text has no control
characters, no escapes, nothing invisible, nothing that turns the direction of writing, and no line break where one line
is meant. Escaping for a medium (HTML, Slack's markup) is left to whoever writes for that medium.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_TEXT = 1_000
LONGEST_LABEL = 60
LONGEST_ADDRESS = 2_000
DEEPEST_INDENT = 8

_ESCAPE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]?")
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\U000e0100-\U000e01ef]")
_HIDDEN = frozenset({"Cc", "Cf", "Cs"})
_ADDRESS = re.compile(r"https?://[^\s<>\"`|\\{}]+")


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return `text` on one line without anything that acts or hides, cut to `longest` characters.

    Removed are terminal escapes, control and format characters (zero width, marks and overrides of direction, tags),
    lone surrogates and blank letters.
    """
    seen = " ".join(_ESCAPE.sub("", text[: longest * 8]).split())
    shown = "".join(sign for sign in _BLANK.sub("", seen) if unicodedata.category(sign) not in _HIDDEN)
    return cut(" ".join(shown.split()), longest)


def plain_lines(text: str, longest: int) -> str:
    """Return `text` cleaned as by `plain`, but with its lines and their indentation, cut to `longest` characters."""
    lines = text[: longest * 2].splitlines()
    cleaned = (" " * min(len(line) - len(line.lstrip(" ")), DEEPEST_INDENT) + plain(line, longest) for line in lines)
    return cut("\n".join(line for line in cleaned if line.strip()), longest)


def cut(text: str, longest: int) -> str:
    """Return `text`, or its beginning and an ellipsis if it is longer than `longest` characters."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def safe_links(links: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the links of `links` that may be shown as links: http or https, no user, anything odd percent-encoded."""
    cleaned = ((plain(label, LONGEST_LABEL), _safe_address(address)) for label, address in links)
    return tuple((label or "Link", address) for label, address in cleaned if address)


def _safe_address(address: str) -> str:
    if len(address) > LONGEST_ADDRESS or plain(address, LONGEST_ADDRESS) != address:
        return ""
    try:
        url = URL(address)
        known = url.scheme in {"http", "https"} and bool(url.host) and url.user is None and url.password is None
    except ValueError:
        return ""
    return str(url) if known and _ADDRESS.fullmatch(str(url)) else ""
