"""YAML as people read it: comments above what they are about, long texts as blocks, everything in a fixed order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

Value = str | int | bool | Mapping[str, "Value"] | Sequence["Value"]

_PLAIN = re.compile(r"[A-Za-z][A-Za-z_-]*|[0-9]+(?:ms|s|m|h|d|w)(?:[0-9]+(?:ms|s|m|h))*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_INDENT = "  "
WIDEST = 100
"""How many characters a list or a mapping may have that stands on one line."""


class Remarked(NamedTuple):
    """A value with the comments that stand above it."""

    value: Value
    remarks: tuple[str, ...]


def as_yaml(value: Mapping[str, Value], *, before: Sequence[str] = (), after: Sequence[str] = ()) -> str:
    """Return `value` as YAML, with comments before and after it."""
    parts = ([*_comments(before)], [*_mapping(value)], [*_comments(after)])
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _comments(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        yield f"# {text}".rstrip()


def _lines(value: Value) -> Iterator[str]:
    """Yield the lines of a value that needs more than one."""
    if isinstance(value, Mapping):
        yield from _mapping(value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from _list(value)


def _mapping(value: Mapping[str, Value]) -> Iterator[str]:
    for name, held in value.items():
        inner, remarks = _parted(held)
        yield from _comments(remarks)
        key = _scalar(name)
        if _short(inner):
            yield f"{key}: {_flow(inner)}"
        elif isinstance(inner, str):
            yield f"{key}: |-"
            yield from (f"{_INDENT}{line}".rstrip() for line in inner.split("\n"))
        else:
            yield f"{key}:"
            yield from (f"{_INDENT}{line}" for line in _lines(inner))


def _list(values: Sequence[Value]) -> Iterator[str]:
    for held in values:
        inner, remarks = _parted(held)
        yield from _comments(remarks)
        if _short(inner) or isinstance(inner, str):
            yield f"- {_flow(inner)}"
            continue
        first, *more = _lines(inner)
        yield f"- {first}"
        yield from (f"{_INDENT}{line}" for line in more)


def _parted(held: Value | Remarked) -> tuple[Value, tuple[str, ...]]:
    return (held.value, held.remarks) if isinstance(held, Remarked) else (held, ())


def _short(value: Value) -> bool:
    """Return whether `value` stands on one line."""
    if isinstance(value, str):
        return "\n" not in value or not _fits_block(value)
    if isinstance(value, Mapping):
        return all(isinstance(one, str | int) for one in value.values()) and _narrow(value)
    if isinstance(value, Sequence):
        return all(isinstance(one, str | int) for one in value) and _narrow(value)
    return True


def _narrow(value: Value) -> bool:
    return len(_flow(value)) <= WIDEST


def _fits_block(text: str) -> bool:
    return (
        not text.startswith((" ", "\n"))
        and not text.endswith("\n")
        and all(line == line.rstrip() for line in text.split("\n"))
    )


def _flow(value: Value) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_scalar(name)}: {_flow(one)}' for name, one in value.items())}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(_flow(one) for one in value)}]"
    return _scalar(value)


def _scalar(value: str | int) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) or (_PLAIN.fullmatch(value) and value.lower() not in _WORDS):
        return str(value)
    if '"' in value and "'" not in value and "\n" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)
