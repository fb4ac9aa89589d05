"""Whether PostgreSQL and Key Value instances are available, and how old the newest backup of a database is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.probes.render.asking import moment, new_word
from monitor.probes.render.services import named

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.probes.base import Run
    from monitor.probes.render.asking import Render
    from monitor.probes.render.services import Store

STATUS = {
    "available": True,
    "maintenance_scheduled": True,
    "creating": False,
    "unavailable": False,
    "config_restart": False,
    "suspended": False,
    "maintenance_in_progress": False,
    "recovery_failed": False,
    "recovery_in_progress": False,
    "updating_instance": False,
    "unknown": None,
}
"""Every status that Render documents, and whether it means that the instance can be used; None: Render cannot tell."""
RECOVERABLE = {"AVAILABLE": True, "BACKUP_NOT_READY": False, "NOT_AVAILABLE": False}


def look_at_stores(run: Run, stores: Mapping[str, Store]) -> None:
    """Note whether `stores` are available, and when they end; raises `Failure` (unknown) on a status of a new kind."""
    for name, store in stores.items():
        if store.status not in STATUS:
            raise new_word(name, store.status)
        usable = STATUS[store.status]
        if usable is None:
            run.leave_out("available")
        else:
            run.note("available", usable, resource=name)
        if store.expires:
            run.note("expires", store.expires.timestamp(), resource=name)
    if texts := [f"{name}: {store.status}" for name, store in stores.items() if not STATUS[store.status]]:
        run.remark("available", named(texts))


async def look_at_backups(run: Run, render: Render, databases: Mapping[str, Store]) -> None:
    """Note how old the newest backup of each of `databases` is; raises `Failure` (unknown).

    Where a database can be recovered to any moment, its newest backup is as old as now. Without any backup, its age is
    that of the database: nothing of all that time could be had again.
    """
    texts = []
    for name, store in databases.items():
        run.asking = f"the question for backups of {name}"
        since = await _recoverable_since(render, store)
        if since:
            run.note("recovery_window", max((render.now - since).total_seconds(), 0.0), resource=name)
            run.note("backup_age", 0.0, resource=name)
            continue
        newest = await _newest_export(render, store)
        run.note("backup_age", max((render.now - (newest or store.created)).total_seconds(), 0.0), resource=name)
        texts.append(f"{name}: {f'the newest is of {newest:%Y-%m-%d %H:%M} UTC' if newest else 'there is none'}")
    if texts:
        run.remark("backup_age", named(texts))


async def _recoverable_since(render: Render, store: Store) -> datetime | None:
    """Return since when `store` can be recovered to any moment; None if it cannot."""
    reply = await render.get(f"/v1/postgres/{store.id}/recovery")
    status, since = reply.body["recoveryStatus"].text, reply.body.get("startsAt")
    if status not in RECOVERABLE:
        raise new_word(f"the recovery of {store.name}", status)
    if not RECOVERABLE[status]:
        return None
    return moment(since) if since else store.created


async def _newest_export(render: Render, store: Store) -> datetime | None:
    reply = await render.get(f"/v1/postgres/{store.id}/export", shared=False)  # it holds addresses to download from
    return max((moment(each["createdAt"]) for each in reply.body), default=None)
