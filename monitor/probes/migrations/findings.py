"""What is found in a migration tool's table, held against what is expected there. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Reason
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.probes.migrations.tools import Found, Tool

HANGS = timedelta(minutes=10)
"""A migration that takes longer has failed, or hangs."""
MOST_NAMED = 5


class Expected(NamedTuple):
    """What must be applied, and every revision that is known, oldest first."""

    revisions: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


class Finding(NamedTuple):
    """One measure, and in a line what it means. With a `reason` it is a fault."""

    measure: str
    value: float
    text: str = ""
    reason: Reason | None = None


def measured(tool: Tool, expected: Expected) -> set[str]:
    """Return the measures that `findings` may yield."""
    names = {
        "dirty": tool.single,
        "unfinished": tool.locks and tool.lists,
        "drift": bool(expected.revisions),
        "behind": bool(expected.revisions) and (tool.lists or bool(expected.known)),
        "applied": tool.lists,
        "locked": tool.locks,
    }
    return {name for name, there in names.items() if there}


def findings(tool: Tool, expected: Expected, found: Found, held: float) -> Iterator[Finding]:
    """Yield what follows from `found`, the gravest first.

    `held`: for how many seconds the tool's lock was seen to be held.
    """
    if tool.single:
        yield _dirty(found, held)
    if tool.locks and tool.lists:
        yield _unfinished(found)
    if expected.revisions:
        yield from _missing(expected, found) if tool.lists else _drift(tool, expected, found)
    if tool.lists:
        yield Finding("applied", found.applied)
    if tool.locks:
        yield Finding("locked", held, _held(found, held) if found.locked else "")


def held_since(seen: tuple[float, float] | None, at: float, gap: float) -> float:
    """Return since when a lock that is held at `at` was seen to be held; all in seconds.

    `seen` is that moment as of the last look, and when that was: one longer ago than `gap` says nothing.
    """
    return seen[0] if seen and seen[0] <= at <= seen[1] + gap else at


def _dirty(found: Found, held: float) -> Finding:
    version = ", ".join(found.revisions)
    if not found.dirty:
        return Finding("dirty", 0)
    if found.locked and not _hangs(held):
        return Finding("dirty", 0, f"a migration to version {version} is running")
    text = f"version {version} is dirty: its migration failed half-way, and none will run until that is repaired"
    return Finding("dirty", 1, text, Reason.BODY)


def _unfinished(found: Found) -> Finding:
    if not found.unfinished:
        return Finding("unfinished", 0)
    name, age = found.unfinished[0]
    more = f" (and {len(found.unfinished) - 1} more)" if len(found.unfinished) > 1 else ""
    why = "it still runs, or its lock was left behind" if found.locked else "its lock is not held, so it failed"
    text = f"{name} began {show_duration(age)} ago and is not finished{more}: {why}"
    return Finding("unfinished", age, text, Reason.BODY if _hangs(age) else None)


def _held(found: Found, held: float) -> str:
    seen = f"the lock of the migrations has been held for {show_duration(held)}, as far as was seen"
    return f"{seen}, at version {', '.join(found.revisions)}" if found.dirty else seen


def _missing(expected: Expected, found: Found) -> Iterator[Finding]:
    missing = [name for name in expected.revisions if name not in found.revisions]
    text = f"not applied: {_named(missing)} ({len(missing)} of {len(expected.revisions)} expected)" if missing else ""
    yield Finding("drift", bool(missing), text, Reason.MISSING if missing else None)
    yield Finding("behind", len(missing), text)


def _drift(tool: Tool, expected: Expected, found: Found) -> Iterator[Finding]:
    wanted, got = set(expected.revisions), set(found.revisions)
    if not got:
        text = f"expected {_named(expected.revisions)}, found none: no migration was applied, or all were taken back"
        yield Finding("drift", 1, text, Reason.MISSING)
        return
    text = "" if wanted == got else _difference(tool, expected, found)
    yield Finding("drift", wanted != got, text, Reason.BODY if text else None)
    behind = _behind(expected, found)
    if behind is not None:
        yield Finding("behind", max(behind, 0), text)


def _difference(tool: Tool, expected: Expected, found: Found) -> str:
    wanted, got = _named(expected.revisions), _named(found.revisions)
    unknown = [revision for revision in found.revisions if revision not in expected.known]
    behind = _behind(expected, found)
    if len(found.revisions) > len(expected.revisions):
        return f"several {'versions' if tool.single else 'heads'}: expected {wanted}, found {got}"
    if expected.known and unknown:
        return f"unknown revision: expected {wanted}, found {got}"
    if behind is None:
        return f"expected {wanted}, found {got}"
    if behind > 0:
        return f"behind by {behind}: expected {wanted}, found {got}"
    return f"ahead by {-behind}: expected {wanted}, found {got}; older code is deployed, or this file is old"


def _behind(expected: Expected, found: Found) -> int | None:
    """Return how many known revisions are between what is expected and what was found, below 0 for later ones."""
    both = (*expected.revisions, *found.revisions)
    if len(expected.revisions) != 1 or len(found.revisions) != 1 or not set(both) <= set(expected.known):
        return None
    wanted, got = map(expected.known.index, both)
    return wanted - got


def _hangs(seconds: float) -> bool:
    return seconds > HANGS.total_seconds()


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"
