"""What the JSON of a health address says that a file may expect or measure. Pure.

Others wrote it, and it may hold anything: personal data, keys, ids. So a value is repeated only where it is a word that
health addresses use, and a name only where it looks like one that a programmer gave.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from monitor.probes.web import CREDENTIAL

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
GOOD = frozenset(
    {
        *("ok", "okay", "up", "healthy", "pass", "passed", "passing", "alive", "live", "ready", "running", "connected"),
        *("online", "available", "active", "green", "operational", "success", "serving", "reachable", "normal", "good"),
    }
)
BAD = frozenset(
    {
        *("down", "unhealthy", "fail", "failed", "failing", "error", "disconnected", "offline", "unavailable", "red"),
        *("degraded", "warn", "warning", "critical", "not ready", "unreachable", "out_of_service", "unknown", "yellow"),
    }
)
"""What health addresses say, in lower case."""
FLAGS = frozenset({"ok", "healthy", "alive", "ready", "success", "up", "live", "connected", "online", "available"})
"""Names of what is true while all is well."""
SERVICES = frozenset(
    {"database", "db", "postgres", "postgresql", "mysql", "mongo", "mongodb", "redis", "cache", "queue", "storage"}
)
VERSIONS = frozenset({"version", "release", "commit", "sha", "git_sha", "git_commit", "build", "revision"})
NUMBERS = {
    "uptime": "seconds",
    "uptime_seconds": "seconds",
    "uptime_ms": "ms",
    "connections": "number",
    "active_connections": "number",
    "queue_length": "number",
    "queue_depth": "number",
    "queue_size": "number",
    "pending": "number",
    "pending_jobs": "number",
    "backlog": "number",
    "latency_ms": "ms",
    "response_time_ms": "ms",
    "memory_bytes": "bytes",
    "memory_mb": "MB",
}
"""Names of numbers that mean the same everywhere, and what they count in."""
DEEPEST = 3
MOST = 12
"""Of each sort of finding."""
KINDS = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GENERATED = re.compile(r"\d{4}|[0-9a-f]{12}", re.IGNORECASE)
_PERSONAL = re.compile(
    r"mail|phone|user|account|customer|person|name$|addr|iban|birth|card|host|tenant|(^|_)ip$|(^|_)id$"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Number(NamedTuple):
    """A number: where it stands, and what it counts in; empty: nobody knows."""

    path: str
    unit: str


class Facts(NamedTuple):
    """What may be written of a document.

    `well`: what stood there and means that all is well, by path. `ill`: the same of what means that it is not.
    `versions`, `numbers`; and `others`: what kind of value stands at which path.
    """

    well: dict[str, str | bool]
    ill: dict[str, str]
    numbers: tuple[Number, ...]
    versions: tuple[str, ...]
    others: dict[str, str]


def facts_of(document: Any) -> Facts:  # noqa: ANN401 - any JSON value
    """Return what may be written of a JSON document; nothing of one that is no object."""
    well: dict[str, str | bool] = {}
    ill: dict[str, str] = {}
    numbers: list[Number] = []
    versions: list[str] = []
    others: dict[str, str] = {}
    for path, name, value in _leaves(document):
        match _sort(name, value):
            case "well":
                well[path] = value
            case "ill":
                ill[path] = value
            case "number":
                numbers.append(Number(path, NUMBERS.get(name, "")))
            case "version":
                versions.append(path)
            case other:
                others[path] = other
    return Facts(_first(well), _first(ill), tuple(numbers[:MOST]), tuple(versions[:MOST]), _first(others))


def common(one: Facts, other: Facts) -> Facts:
    """Return what both say: what differs between two looks is nothing that a file could expect."""
    return Facts(
        {path: value for path, value in one.well.items() if other.well.get(path) == value},
        one.ill | other.ill,
        tuple(number for number in one.numbers if number in other.numbers),
        tuple(path for path in one.versions if path in other.versions),
        {**one.others, **{path: "text" for path in one.well if other.well.get(path) != one.well[path]}},
    )


def measure_name(path: str, taken: set[str]) -> str:
    """Return the name of a measure for what stands at `path`, which none of `taken` has, and take it."""
    words = re.sub(r"[^a-z0-9]+", "_", _HUMP.sub("_", path).lower()).strip("_")
    name = words[-40:].strip("_")
    name = name if name[:1].isalpha() else f"value_{name}"
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    taken.add(found)
    return found


def _sort(name: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return `well`, `ill`, `number`, `version`, or what kind of value it is that nothing is known of."""
    match value:
        case bool():
            return "well" if value and name in FLAGS | SERVICES else KINDS[bool]
        case int() | float():
            return "number"
        case str() if name in VERSIONS:
            return "version"
        case str() if value.lower() in GOOD:
            return "well"
        case str() if value.lower() in BAD:
            return "ill"
        case _:
            return KINDS.get(type(value), "null")


def _first(found: dict[str, T]) -> dict[str, T]:
    return dict(list(found.items())[:MOST])


def _leaves(value: Any, path: str = "", depth: int = DEEPEST) -> Iterator[tuple[str, str, Any]]:  # noqa: ANN401 - JSON
    """Yield path, name and value of what stands in objects, as far as its names may be repeated."""
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if not _tellable(key):
            continue
        here = f"{path}.{_step(key)}" if path else _step(key)
        if isinstance(inner, dict) and depth > 1:
            yield from _leaves(inner, here, depth - 1)
        else:
            yield here, _HUMP.sub("_", key).lower().replace("-", "_"), inner


def _tellable(key: str) -> bool:
    lower = _HUMP.sub("_", key).lower()
    known = _NAME.fullmatch(key) and not _GENERATED.search(key)
    return bool(known) and not CREDENTIAL.search(key) and not _PERSONAL.search(lower)


def _step(key: str) -> str:
    return key if _BARE.fullmatch(key) else f'"{key}"'
