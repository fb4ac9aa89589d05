"""How much of its CPU, memory and disk each service and datastore uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.probes.render.series import by_resource, read_series, resolution

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import timedelta

    from monitor.probes.base import Run
    from monitor.probes.render.asking import Render
    from monitor.probes.render.series import Series

METRICS = {
    "cpu": ("cpu", "cpu-limit"),
    "memory": ("memory", "memory-limit"),
    "disk": ("disk-usage", "disk-capacity"),
}
"""What is used, and how much there is, in the same unit."""
GONE_AFTER = 3
"""An instance that has no point for so many resolutions, while another one has, is gone."""


async def look_at_usage(run: Run, render: Render, what: str, ids: Mapping[str, str], span: timedelta) -> None:
    """Note which share of its `what` each of `ids`, names and ids, used over the last `span`; raises `Failure`.

    Of a service with several instances it is the share of the fullest one.
    """
    used, limit = METRICS[what]
    run.asking = f"the question for {what}"
    using = by_resource(await read_series(render, used, ids.values(), span))
    limits = by_resource(await read_series(render, limit, ids.values(), span))
    for name, one in ids.items():
        share = _share(using.get(one, ()), limits.get(one, ()), span)
        if share is None:
            run.leave_out(f"{what}_share")
        else:
            run.note(f"{what}_share", share, resource=name)


async def look_at_connections(run: Run, render: Render, ids: Mapping[str, str], span: timedelta) -> None:
    """Note how many connections each of the datastores `ids` has; raises `Failure` (unknown)."""
    run.asking = "the question for connections"
    found = by_resource(await read_series(render, "active-connections", ids.values(), span))
    for name, one in ids.items():
        if series := alive(found.get(one, ()), span):
            run.note("connections", sum(each.mean for each in series), resource=name)
        else:
            run.leave_out("connections")


def alive(found: Sequence[Series], span: timedelta) -> list[Series]:
    """Return the series of `found` that go on, and so not those of instances that a deploy has replaced."""
    newest = max((each.newest for each in found), default=None)
    return [each for each in found if newest and newest - each.newest <= resolution(span) * GONE_AFTER]


def _share(using: Sequence[Series], limits: Iterable[Series], span: timedelta) -> float | None:
    most = {each.instance: each.points[-1][1] for each in limits}
    common = max(most.values(), default=0.0)
    shares = [each.mean / limit for each in alive(using, span) if (limit := most.get(each.instance, common)) > 0]
    return max(shares, default=None)
