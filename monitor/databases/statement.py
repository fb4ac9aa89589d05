"""The text of a query, made fit to stand inside another one.

Only so much of SQL is read here as tells where a statement ends; what it means is for the server to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGINNINGS = ("select", "with", "values", "table", "(")

_PART = re.compile(
    r"""
    (?P<blank>\s+|--[^\n]*)
    |(?P<comment>/\*)
    |(?P<quoted>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    |(?P<unended>['"])
    |(?P<word>\w[\w$]*)
    |(?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_UNFIT = re.compile("[\0\ud800-\udfff]")


def one_statement(text: str) -> str:
    """Return the statement that `text` holds, without the semicolons and comments around it.

    Raises ValueError if there is none, or another one behind it, if it does not read rows, or if a quotation or
    a comment in it has no end.
    """
    if _UNFIT.search(text):
        raise ValueError("the query holds a character that no database takes")
    code = list(_code(text))
    while code and text[slice(*code[-1])] == ";":
        code.pop()
    if not code:
        raise ValueError("the query is empty")
    words = [text[start:end] for start, end in code]
    if ";" in words:
        raise ValueError("the query is more than one statement")
    if words[0].lower() not in BEGINNINGS:
        raise ValueError(f"the query does not read rows: it begins with one of {' '.join(BEGINNINGS)}")
    return text[code[0][0] : code[-1][1]]


def _code(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each word, sign and quotation of `text` begins and ends: what is neither blank nor a comment."""
    at = 0
    while match := _PART.match(text, at):
        at = match.end()
        if match["comment"]:
            at = _after_comment(text, match.start())
        elif match["unended"]:
            raise ValueError("a quotation in the query has no end")
        elif not match["blank"]:
            yield match.span()


def _after_comment(text: str, start: int) -> int:
    """Return where the comment that begins at `start` ends; others may stand in it."""
    depth = 0
    for mark in _COMMENT.finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    raise ValueError("a comment in the query has no end")
