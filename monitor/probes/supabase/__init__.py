"""Whether a project in Supabase is well, how full its disk is, and when it was backed up, by its Management API."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, StrictBool, model_validator

from monitor.model import Failure, Reason, State
from monitor.permission import Permission
from monitor.probes.base import MeasureSpec, ThresholdFields
from monitor.probes.supabase.records import (
    HEALTHY,
    is_read_only,
    judge_project,
    judge_services,
    read_backup,
    read_disk,
    read_services,
    read_status,
)
from monitor.probes.vendor import VendorCheck
from monitor.secrets import Secret
from monitor.units import Unit
from monitor.vendors import Access, Base, Key, Limit, Vendor

if TYPE_CHECKING:
    from monitor.probes.base import Run
    from monitor.vendors import Api

SUPABASE = Vendor(
    "Supabase",
    Limit(60, timedelta(minutes=1)),  # the lower of two figures that are told; its documents name none
    keys=re.compile(r"\bsbp_\w*"),
)
GROWS = (
    "See in Supabase which table grew. Once the disk is full the database becomes read-only; enlarge it before that."
)
BACK_UP = "See in Supabase under Database, Backups, why there is none. Make a dump by hand until there is."
Name = Literal["auth", "db", "db_postgres_user", "pooler", "realtime", "rest", "storage", "pg_bouncer"]


class SupabaseCheck(VendorCheck):
    """Asks Supabase how a project and its services are, whether it is read-only, and for its disk and its backups.

    A project that is paused, a service that is not healthy and a database that is read-only are down. For connections
    and queries scrape its metrics endpoint, or use `postgres`.
    """

    kind: str = "supabase"
    project: Annotated[str, Field(pattern="^[a-z0-9]{6,40}$")]
    """The project's reference, as in `https://<reference>.supabase.co`."""
    token: Key
    """A personal access token (`sbp_…`), or one of OAuth with `projects:read` and `database:read`."""
    health: StrictBool = True
    """Whether project, services and disk are looked at."""
    services: Annotated[list[Name], Field(min_length=1)] = Field(default=["auth", "db", "rest", "storage"])
    """The services that must be healthy."""
    backups: StrictBool = False
    """Whether the newest backup is looked at; a project of the free plan has none."""
    url: Base = "https://api.supabase.com"
    """The API's address; for something that stands in for it."""

    measures: ClassVar = (
        *VendorCheck.measures,
        MeasureSpec("healthy", Unit.NUMBER, "for each of `services` 1 if it is healthy, else 0", ("service",)),
        MeasureSpec("disk", Unit.BYTES, "what is used of the database's disk"),
        MeasureSpec("disk_share", Unit.RATIO, "the same, of the disk's size"),
        MeasureSpec("backup_age", Unit.SECONDS, "the age of the newest backup that was completed"),
    )
    reasons: ClassVar = VendorCheck.reasons | {Reason.STARTING, Reason.SATURATED}

    @model_validator(mode="after")
    def _agree(self) -> SupabaseCheck:
        if not (self.health or self.backups):
            raise ValueError("nothing is looked at: switch health or backups on")
        return self

    @cached_property
    def access(self) -> Access:
        """Return Supabase's API, with our token."""
        bearer = Secret(f"Bearer {self.token.reveal()}")
        return Access(SUPABASE, self.url, self.token, (("Authorization", bearer),))

    def permissions(self) -> tuple[Permission, ...]:
        """Return what the token must be, or be allowed."""
        text = "a personal access token of an account with the role Read-only there"
        return (
            Permission("Supabase, the organisation of the project", text, "or OAuth: projects:read, database:read"),
        )

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the figures on disk and backups."""
        return (
            ThresholdFields(watch="disk_share", name="disk", warning="> 80%", critical="> 90%", remedy=GROWS),
            ThresholdFields(watch="backup_age", name="backup", warning="> 26h", remedy=BACK_UP),
        )

    async def look(self, run: Run, api: Api) -> None:
        """Ask for one thing after the other; a project that is not well is asked no further."""
        if self.health:
            await self._look_at_health(run, api)
        if self.backups:
            backup = await read_backup(api, self.project)
            if backup.at is None:
                raise Failure(Reason.MISSING, "the project has no backup that was completed")
            run.note("backup_age", max((backup.now - backup.at).total_seconds(), 0.0))

    async def _look_at_health(self, run: Run, api: Api) -> None:
        status, body = await read_status(api, self.project, frozenset({HTTPStatus.NOT_FOUND}))
        if status == HTTPStatus.NOT_FOUND:
            text = f"Supabase knows no project {self.project}, or does not let the token see it"
            raise Failure(Reason.MISSING, text, State.UNKNOWN)
        judge_project(body["status"].text)
        used, size = await read_disk(api, self.project)
        run.note("disk", used)
        if size > 0:
            run.note("disk_share", used / size)
        found = await read_services(api, self.project, self.services)
        for each in found:
            run.note("healthy", each.status == HEALTHY, service=each.name)
        if await is_read_only(api, self.project):
            raise Failure(Reason.SATURATED, "the database is read-only, as it is when its disk is full")
        judge_services(found)
