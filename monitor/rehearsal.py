"""What `monitor replay` prints: what would have paged, when, for how long, and the difference to what did. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from monitor.live import iso, stamp
from monitor.plain import plain
from monitor.replay import paged, told
from monitor.units import show_duration
from monitor.wording import outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.chronicle import Line
    from monitor.incidents import Incident
    from monitor.replay import Replayed


def as_lines(replayed: Replayed) -> list[Line]:
    """Return what a replay came to: what must be known of it, each incident, oldest first, and the sum."""
    difference, now = replayed.difference, replayed.now
    found = [(one, f"new   {_line(one, replayed)}; {_told(one)}") for one in difference.new]
    found += [(one, f"gone  {_line(one, replayed)}; {_told(one, did=True)}") for one in difference.gone]
    for match in difference.same:
        before = ", ".join(f"{_when(one)} {one.severity or 'firing'}, {outcome(one, now)}" for one in match.did)
        found.append((match.would, f"same  {_line(match.would, replayed)}; {_told(match.would)}; it was: {before}"))
    found.sort(key=lambda pair: (_when(pair[0]), pair[1]))
    return [
        *((note, "warning") for note in notes(replayed)),
        *((line, str(one.severity or "")) for one, line in found),
        (_sum(replayed), ""),
    ]


def notes(replayed: Replayed) -> Iterator[str]:
    """Yield what keeps the replay from being the whole truth."""
    if replayed.first is None:
        yield f"there is no sample of {replayed.check} since {stamp(replayed.since)}"
    elif replayed.cut or replayed.short:
        why = "there are more than can be read" if replayed.cut else "there are no older ones (retention.samples)"
        yield f"samples begin at {stamp(replayed.first)}, later than asked for: {why}"
    for name in replayed.compared:
        yield f"{plain(name)} was not judged: it compares with weeks of a past, which samples do not hold"


def as_json(replayed: Replayed) -> str:
    """Return the same as one JSON object."""
    difference = replayed.difference
    record = {
        "system": replayed.check.system,
        "check": replayed.check.check,
        "since": iso(replayed.since),
        "now": iso(replayed.now),
        "first_sample": iso(replayed.first),
        "samples": replayed.count,
        "notes": list(notes(replayed)),
        "would": [_record(one) for one in replayed.would],
        "did": [_record(one) for one in replayed.did],
        "new": [_record(one) for one in difference.new],
        "gone": [_record(one) for one in difference.gone],
        "same": [
            {"would": _record(match.would), "did": [_record(one) for one in match.did]} for match in difference.same
        ],
    }
    return json.dumps(record, indent=2)


def _record(one: Incident) -> dict[str, object]:
    return {
        "title": one.title,
        "alert": one.key.name,
        "labels": dict(one.key.labels),
        "severity": str(one.severity) if one.severity is not None else None,
        "opened_at": iso(one.opened_at),
        "ended_at": iso(one.ended_at),
        "resolved": one.resolved,
        "goes_on": one.goes_on,
        "paged": paged(one),
        "messages": told(one),
    }


def _line(one: Incident, replayed: Replayed) -> str:
    return f"{_when(one)}  {one.severity or 'firing'}: {plain(one.title)}, {outcome(one, replayed.now)}"


def _told(one: Incident, *, did: bool = False) -> str:
    if not paged(one):
        return "nobody was told" if did else "nobody is told"
    return ", ".join(f"{plain(channel)} {count} message{'s' * (count != 1)}" for channel, count in told(one).items())


def _sum(replayed: Replayed) -> str:
    would, did, difference = replayed.would, replayed.did, replayed.difference
    span = show_duration(round((replayed.now - (replayed.first or replayed.now)).total_seconds()))
    counts = f"{len(difference.new)} new, {len(difference.gone)} gone, {len(difference.same)} the same"
    judged = f"{replayed.count} sample{'s' * (replayed.count != 1)} of {span}"
    return f"{judged}: {_pages(would)} would have paged, {_pages(did)} did; {counts}"


def _pages(found: Sequence[Incident]) -> int:
    return sum(paged(one) for one in found)


def _when(one: Incident) -> str:
    return stamp(one.opened_at or one.changes[0].at)
