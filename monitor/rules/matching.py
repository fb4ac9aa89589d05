"""Matchers as Alertmanager writes them: equal to one of some values, or to none, or like a glob."""

from __future__ import annotations

import json
import re

_SPECIAL = re.compile(r"([.+*?()|\[\]{}^$\\])")


def equal(label: str, *values: str) -> str:
    """Return a matcher for a label that has one of `values`."""
    return _matcher(label, "=", values)


def unequal(label: str, *values: str) -> str:
    """Return a matcher for a label that has none of `values`."""
    return _matcher(label, "!=", values)


def alike(label: str, *globs: str, case: bool = True) -> str:
    """Return a matcher for a label that one of `globs` fits, as our routes read them."""
    ours = "|".join(map(_expression, globs))
    return f"{label} =~ {_quoted(ours if case else f'(?i)({ours})')}"


def _matcher(label: str, sign: str, values: tuple[str, ...]) -> str:
    if len(values) == 1:
        return f"{label} {sign} {_quoted(values[0])}"
    return f"{label} {sign.removesuffix('=')}=~ {_quoted('|'.join(map(_escaped, values)))}".replace(
        "!=~", "!~"
    ).replace("==~", "=~")


def _expression(glob: str) -> str:
    """Return a glob as a regular expression; a set such as [ab] stays one."""
    parts = re.split(r"(\*|\?|\[!?\]?[^\]]*\])", glob)
    return "".join(_wild(part) if place % 2 else _escaped(part) for place, part in enumerate(parts))


def _wild(part: str) -> str:
    if part in {"*", "?"}:
        return {"*": ".*", "?": "."}[part]
    inner = part[1:-1].replace("\\", "\\\\")
    return f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
