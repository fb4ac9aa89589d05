"""How many instances of a service run, beside as many as are configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.probes.render.services import RUNNING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.probes.base import Run
    from monitor.probes.render.asking import Render
    from monitor.probes.render.services import Service


async def look_at_instances(run: Run, render: Render, services: Mapping[str, Service]) -> None:
    """Note how many instances of each of `services` run; raises `Failure` (unknown).

    Cron jobs and static sites have none. A deploy runs old and new ones together, so there may be more.
    """
    texts = []
    for name, service in services.items():
        if service.type not in RUNNING:
            continue
        run.asking = f"the question for the instances of {name}"
        reply = await render.get(f"/v1/services/{service.id}/instances")
        count = len({each["id"].text for each in reply.body})
        run.note("instances", count, resource=name)
        if service.instances:
            run.note("instance_share", count / service.instances, resource=name)
            texts.append(f"{name}: {count} of {service.instances}")
    if texts:
        run.remark("instance_share", "; ".join(texts))
        run.remark("instances", "; ".join(texts))
