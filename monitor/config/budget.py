"""Whether all checks together stay within the share of a target's rate limit that the monitor may use."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor.units import Unit, show, show_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from monitor.config.fields import RateLimitFields
    from monitor.config.yaml_file import Document, KeyPath
    from monitor.faults import Fault
    from monitor.plan import Plan

PORTS = {"http": 80, "https": 443}


def look_at_budget(
    limits: Sequence[RateLimitFields], plans: Collection[Plan], document: Document, base: KeyPath, faults: list[Fault]
) -> None:
    """Note a fault for each limit of which the checks, at their fastest pace, would use more than its share."""
    for index, limit in enumerate(limits):
        asked = {plan.id.check: requests(limit, plan) for plan in plans}
        used, most = sum(asked.values()), limit.requests * limit.share
        if used <= most:
            continue
        checks = ", ".join(f"{check} {count}" for check, count in asked.items() if count)
        within = show_duration(limit.per.total_seconds())
        message = (
            f"the checks ask up to {used} times within {within} ({checks}), and {show(limit.share, Unit.RATIO)} of "
            f"{limit.requests} is {most:g}"
        )
        hint = "run them less often; after a failure retry.every is the pace"
        faults.append(document.fault((*base, "rate_limits", index), message, hint))


def requests(limit: RateLimitFields, plan: Plan) -> int:
    """Return how many requests that count against `limit` the check sends within its time, at most.

    The fastest pace is the one after a failure that comes at once; a run under way when the time begins counts too.
    What is counted here does not run more often after a deploy.
    """
    check = plan.check
    counted = sum(limit.method in {"", method} and within(url, limit.url) for method, url in check.asks)
    pace = min(check.every, check.retry_every)
    return counted * -(-limit.per // pace)


def within(url: str, prefix: str) -> bool:
    """Return whether `url` lies at or below `prefix`: the same origin, and a path that goes on where `prefix` ends."""
    inner, outer = urlsplit(url), urlsplit(prefix)
    if _origin(url) != _origin(prefix):
        return False
    path, top = inner.path or "/", outer.path.rstrip("/")
    return path == top or path.startswith(f"{top}/")


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme.lower())
