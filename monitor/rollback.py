"""Whether going back to the version before a deploy is safe, from what is known of the schema. Pure.

A database that a deploy has migrated may not fit the version before it: code goes back by itself, a schema does not.
Migrations run before a new version goes live, so what moved within an hour before the deploy belongs to it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.model import Deploy
    from monitor.versions import Known

AHEAD = timedelta(hours=1)
"""So long before a new version is seen its migrations may have run."""


def verdict(deploy: Deploy, schemas: Iterable[Known], looked: datetime | None) -> str:
    """Return in words whether to go back.

    `schemas` is what is known of each schema of the system, `looked` when the one was last looked at that was not for
    the longest time.
    """
    known = list(schemas)
    if not known:
        return "unknown: no check sees which migrations are applied"
    moved = [each for each in known if each.since and each.since >= deploy.at - AHEAD]
    if moved:
        steps = ", ".join(f"{each.before} to {each.version}" for each in moved)
        return f"unsafe: this deploy moved the schema from {steps}"
    if looked is None or looked < deploy.at:
        return "unknown: nobody has seen since which migrations are applied"
    if any(each.next for each in known):
        return "unknown: the schema seems to change just now"
    return "safe: the schema has not changed since"
