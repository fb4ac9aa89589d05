"""Which versions run, and when a new one is believed. Pure.

A new version that answers once may be one instance of several, while the others are still the old ones; so it counts
when it was seen a few times in a row. The moment is that of its first sighting. The very first version of all is
learned and is no deploy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Step(NamedTuple):
    """One part of a system that went from one version to another; `part` is empty where a system has but one."""

    part: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Known:
    """What runs of one part: the version, since when it does (None: since before it was first looked at), and before.

    `next` was seen instead, `times` in a row and first at `seen`.
    """

    version: str
    since: datetime | None = None
    before: str = ""
    next: str = ""
    times: int = 0
    seen: datetime | None = None


class Noticed(NamedTuple):
    """A step that was just believed, and when it was first seen."""

    step: Step
    at: datetime


class Versions:
    """The versions that one check sees. `settled`: so many sightings in a row are believed."""

    def __init__(self, settled: int, body: str = "") -> None:
        """Begin with what `body` says, as `body` returned it before; whatever is not understood there is forgotten."""
        self._settled = settled
        self._known: dict[str, Known] = _read(body)

    def see(self, part: str, version: str, at: datetime) -> Noticed | None:
        """Take in that `part` showed `version` at a moment; return a step once it is believed."""
        known = self._known.get(part)
        if known is None:
            self._known[part] = Known(version)
            return None
        if version == known.version:
            self._known[part] = Known(version, known.since, known.before)
            return None
        again = version == known.next
        first = known.seen if again and known.seen else at
        times = known.times + 1 if again else 1
        if times < self._settled:
            self._known[part] = Known(known.version, known.since, known.before, version, times, first)
            return None
        self._known[part] = Known(version, first, known.version)
        return Noticed(Step(part, known.version, version), first)

    def known(self) -> Mapping[str, Known]:
        """Return what runs, by part."""
        return self._known

    @property
    def body(self) -> str:
        """Return what must be remembered: what runs, without what is not believed yet."""
        return json.dumps(
            {
                part: [known.version, known.since.isoformat() if known.since else None, known.before]
                for part, known in self._known.items()
            }
        )


def _read(body: str) -> dict[str, Known]:
    try:
        found: dict[str, Any] = json.loads(body) if body else {}
        return {
            part: Known(version, datetime.fromisoformat(since) if since else None, before)
            for part, (version, since, before) in found.items()
        }
    except (AttributeError, TypeError, ValueError):
        return {}
