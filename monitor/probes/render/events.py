"""What Render itself saw go wrong: memory that ran out, exits, evictions, failed runs and backups."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from monitor.probes.render.asking import FULL_PAGE, moment, written
from monitor.probes.render.services import named
from monitor.vendors import Page, read_pages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from monitor.probes.base import Run
    from monitor.probes.render.asking import Render
    from monitor.vendors import Found

MOST_PAGES = 5
UNSEEN = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})
"""How Render may answer for a datastore: its documents promise events of services only."""
STORES = ("dpg-", "red-")
CAUSES = {
    "server_hardware_failure": "hardware",
    "image_pull_failed": "image_pull",
    "pipeline_minutes_exhausted": "pipeline_minutes",
    "key_value_unhealthy": "unhealthy",
    "postgres_unavailable": "unavailable",
    "postgres_backup_failed": "backup",
    "postgres_wal_archive_failed": "backup",
}
"""Events that are a failure whatever their details are."""
BACKUP = "backup"
REASONS = {
    "oomKilled": "out_of_memory",
    "nonZeroExit": "exit",
    "unhealthy": "unhealthy",
    "timedOutReason": "timed_out",
    "timedOutSeconds": "timed_out",
    "evicted": "evicted",
    "earlyExit": "early_exit",
}
"""Keys of a failure's reason, the most telling first."""


class Failed(NamedTuple):
    """Something that failed: when, the cause as the label has it, and in words for people."""

    at: datetime
    cause: str
    text: str


async def look_at_events(
    run: Run, render: Render, services: Mapping[str, str], stores: Mapping[str, str], span: timedelta
) -> None:
    """Note what failed within the last `span` in `services` and in `stores`, names and ids; raises `Failure`."""
    texts: list[str] = []
    for name, one in services.items():
        failures = await _read(run, render, name, one, span)
        texts += _note(run, name, failures or [])
    if texts:
        run.remark("failures", named(texts))
    lost: list[str] = []
    for name, one in stores.items():
        failures = await _read(run, render, name, one, span)
        if failures is None:
            run.leave_out("backup_failures")
            continue
        backups = [each for each in failures if each.cause == BACKUP]
        run.note("backup_failures", len(backups), resource=name)
        lost += _told(name, backups)
    if lost:
        run.remark("backup_failures", named(lost))


def _note(run: Run, name: str, failures: list[Failed]) -> list[str]:
    for cause, count in Counter(each.cause for each in failures).items():
        run.note("failures", count, resource=name, cause=cause)
    return _told(name, failures)


def _told(name: str, failures: list[Failed]) -> list[str]:
    newest = sorted(failures, reverse=True)
    return [f"{name} at {each.at:%H:%M} UTC: {each.text}" for each in newest]


async def _read(run: Run, render: Render, name: str, one: str, span: timedelta) -> list[Failed] | None:
    """Return what failed; None where Render tells no events of such a resource."""
    run.asking = f"the question for events of {name}"
    since = render.now - span
    seen = True

    async def ask(cursor: str | None) -> Page[Failed | None]:
        nonlocal seen
        query = [("limit", str(FULL_PAGE)), ("startTime", written(since))]
        path, allowed = f"/v1/services/{one}/events", UNSEEN if one.startswith(STORES) else ()
        if cursor is None:
            reply = await render.get(path, query, allowed=allowed, question=f"{path} {span}")
        else:
            reply = await render.get(path, [*query, ("cursor", cursor)], shared=False)
        if reply.status in UNSEEN:
            seen = False
            return Page([])
        found = list(reply.body)
        after = found[-1]["cursor"].text if len(found) >= FULL_PAGE else None
        return Page([_failed(each["event"]) for each in found], after)

    pages = await read_pages(ask, MOST_PAGES, lambda: False)
    return [each for each in pages.items if each and each.at >= since] if seen else None


def _failed(found: Found) -> Failed | None:
    kind, at, details = found["type"].text, moment(found["timestamp"]), found.get("details")
    if kind in CAUSES:
        return Failed(at, CAUSES[kind], kind.replace("_", " "))
    if kind == "server_failed":
        return Failed(at, *_cause(details.get("reason") if details else None))
    if kind == "cron_job_run_ended" and details and details["status"].text == "unsuccessful":
        _, text = _cause(details.get("reason"))
        return Failed(at, "cron_job", f"a run failed: {text}")
    return None


def _cause(reason: Found | None) -> tuple[str, str]:
    for key, cause in REASONS.items():
        found = reason.get(key) if reason else None
        if found is None or found.value is False:
            continue
        match key:
            case "oomKilled":
                return cause, f"out of memory ({found['memoryLimit'].text})"
            case "nonZeroExit":
                return cause, f"it exited with status {found.number:g}"
            case _:
                return cause, cause.replace("_", " ")
    return "other", "it failed"
