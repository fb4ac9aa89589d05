"""What Supabase's Management API says of a project. Shapes: its published description (supabase.com/docs)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Failure, Reason, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.vendors import Api, Found

READS_PROJECT, READS_DATABASE = "projects:read", "database:read"
HEALTHY, UNHEALTHY, COMING_UP = "ACTIVE_HEALTHY", "UNHEALTHY", "COMING_UP"
PASSING: Mapping[str, str] = {
    COMING_UP: "is starting",
    "RESTORING": "is being restored",
    "RESTARTING": "is restarting",
    "RESIZING": "is being resized",
    "UPGRADING": "is being upgraded",
}
LASTING: Mapping[str, str] = {
    "INACTIVE": "is paused",
    "PAUSING": "is being paused",
    "PAUSE_FAILED": "could not be paused",
    "ACTIVE_UNHEALTHY": "is not healthy",
    "GOING_DOWN": "is going down",
    "INIT_FAILED": "could not be made",
    "RESTORE_FAILED": "could not be restored",
    "REMOVED": "was removed",
}
"""The states of a project that are none of health: those that end by themselves, and the others."""


class Service(NamedTuple):
    """A service of a project."""

    name: str
    status: str


class Backup(NamedTuple):
    """The newest backup that was completed, None if there is none."""

    at: datetime | None
    now: datetime


def judge_project(status: str) -> None:
    """Return if a project is well; raises `Failure`: down, or unknown for a state that we do not know."""
    if status == HEALTHY:
        return
    if status in PASSING:
        raise Failure(Reason.STARTING, f"the project {PASSING[status]}")
    if status in LASTING:
        raise Failure(Reason.STATUS, f"the project {LASTING[status]}")
    text = f"expected the project to be {HEALTHY}, got {status}"
    raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)


def judge_services(services: Sequence[Service]) -> None:
    """Return if all services are well; raises `Failure` as `judge_project` does, the worst first."""
    for status, reason, said in (
        (UNHEALTHY, Reason.STATUS, "is not healthy"),
        (COMING_UP, Reason.STARTING, "is starting"),
    ):
        names = ", ".join(each.name for each in services if each.status == status)
        if names:
            raise Failure(reason, f"{names} {said}")
    for each in services:
        if each.status != HEALTHY:
            text = f"expected {each.name} to be {HEALTHY}, got {each.status}"
            raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)


async def read_status(api: Api, project: str, allowed: frozenset[int]) -> tuple[int, Found]:
    """Return the status of the answer, and what it says of a project."""
    reply = await api.get(f"/v1/projects/{project}", allowed=allowed, right=READS_PROJECT)
    return reply.status, reply.body


async def read_services(api: Api, project: str, services: Sequence[str]) -> Sequence[Service]:
    """Return how services are; raises `Failure` (protocol, unknown) if one of them is not told of."""
    query = [*(("services", each) for each in services), ("timeout_ms", "5000")]
    reply = await api.get(f"/v1/projects/{project}/health", query, right=READS_PROJECT)
    found = [Service(each["name"].text, each["status"].text) for each in reply.body]
    lacking = set(services) - {each.name for each in found}
    if lacking:
        text = f"expected the health of {', '.join(sorted(lacking))} too, got nothing of it"
        raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)
    return found


async def is_read_only(api: Api, project: str) -> bool:
    """Return whether Supabase lets nobody write any more, as it does when the disk is full."""
    return (await api.get(f"/v1/projects/{project}/readonly", right=READS_DATABASE)).body["enabled"].flag


async def read_disk(api: Api, project: str) -> tuple[float, float]:
    """Return how many bytes of the disk are used, and how large it is."""
    metrics = (await api.get(f"/v1/projects/{project}/config/disk/util", right=READS_PROJECT)).body["metrics"]
    return metrics["fs_used_bytes"].number, metrics["fs_size_bytes"].number


async def read_backup(api: Api, project: str) -> Backup:
    """Return the newest backup: a daily one, or the point in time up to which can be restored."""
    reply = await api.get(f"/v1/projects/{project}/database/backups", right=READS_DATABASE)
    found = [_moment(each["inserted_at"]) for each in reply.body["backups"] if each["status"].text == "COMPLETED"]
    physical = reply.body.get("physical_backup_data")
    newest = physical.get("latest_physical_backup_date_unix") if physical else None
    if newest:
        found.append(datetime.fromtimestamp(min(max(newest.number, 0.0), 4e9), UTC))
    return Backup(max(found, default=None), reply.at)


def _moment(found: Found) -> datetime:
    try:
        read = datetime.fromisoformat(found.text)
    except ValueError:
        raise Failure(Reason.PROTOCOL, "expected a moment, got another text", State.UNKNOWN) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
