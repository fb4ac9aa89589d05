"""Places in a text that are filled with what an earlier step has found: `{tenant}`; `{{tenant}}` is left as `{tenant}`.

What is found was written by somebody else. It fills a place and nothing more: in an address it stays within its part of
the path or query, so that it can lead to no other host.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from monitor.model import Failure, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Values = Mapping[str, str | int | float | bool]

NAME = r"[a-z][a-z0-9_]{0,39}"
_PLACE = re.compile(r"\{\{(" + NAME + r")\}\}|\{(" + NAME + r")\}")
_SEGMENTS = re.compile(r"[^/?#]+")
NOWHERE = frozenset({".", ".."})
"""Parts of a path that lead elsewhere."""


def places(value: Any) -> set[str]:  # noqa: ANN401 - any JSON value
    """Return the names of all places in the texts of `value`."""
    return {match[2] for text in _texts(value) for match in _PLACE.finditer(text) if match[2]}


def only_place(text: str) -> str:
    """Return the name of the place that is all of `text`; empty if there is more to it."""
    match = _PLACE.fullmatch(text)
    return (match[2] or "") if match else ""


def fill(value: Any, values: Values) -> Any:  # noqa: ANN401 - any JSON value
    """Return `value` with its places filled; a text that is only a place becomes what was found, type and all."""
    if isinstance(value, str):
        name = only_place(value)
        return values[name] if name else fill_text(value, values)
    if isinstance(value, dict):
        return {key: fill(each, values) for key, each in value.items()}
    return [fill(each, values) for each in value] if isinstance(value, list) else value


def fill_text(text: str, values: Values, form: Callable[[str], str] = str) -> str:
    """Return `text` with its places filled, each text in the `form` that belongs there."""
    return _PLACE.sub(lambda match: f"{{{match[1]}}}" if match[1] else form(written(values[match[2]])), text)


def fill_address(text: str, values: Values) -> str:
    """Return an address with its places filled; raises `Failure` where that would lead out of its path."""
    filled = fill_text(text, values, lambda found: quote(found, safe=""))
    path = filled.partition("?")[0]
    if NOWHERE.intersection(_SEGMENTS.findall(path)) - NOWHERE.intersection(_SEGMENTS.findall(text)):
        raise Failure(Reason.BODY, "what was found is no part of a path: it would lead out of it")
    return filled


def written(value: str | float) -> str:
    """Return what was found as JSON writes it, a text as it is."""
    return value if isinstance(value, str) else json.dumps(value)


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
