"""Whether a project in Neon is well, as Neon's own API tells: it wakes no compute, so it may be asked at any hour."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from monitor.fields import PositiveDuration
from monitor.model import Failure, Reason, State
from monitor.probes.base import MeasureSpec, ThresholdFields
from monitor.probes.neon import NEON_KEY
from monitor.probes.neon_project.records import (
    PERIOD,
    chosen,
    read_branches,
    read_computes,
    read_failures,
    read_project,
)
from monitor.probes.vendor import VendorCheck
from monitor.secrets import Secret
from monitor.units import Unit
from monitor.vendors import Access, Base, Key, Limit, Vendor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.permission import Permission
    from monitor.probes.base import Run
    from monitor.probes.neon_project.records import Branch, Compute
    from monitor.vendors import Api, Found

NEON = Vendor(
    "Neon",
    Limit(700, timedelta(minutes=1)),  # neon.com/docs/reference/api/key-concepts
    keys=re.compile(r"\bnapi_\w*"),
)
RIGHT = "a key of the organisation, or of the project, that may read it"
STATES = ("active", "idle", "init", "disabled")
RETRY = (
    "See in Neon's console under Operations what failed and why. Neon tries some again by itself; if not, ask it to."
)
GROWS = "See in Neon's console which branch grew and who queries it; delete what nobody needs, or raise the limit."


class NeonCheck(VendorCheck):
    """Asks Neon's API for the state of a branch, for its computes, for what was used, and for operations that failed.

    A branch that is not ready, or whose compute for writing is disabled, is down. A compute that sleeps is well.
    """

    kind: str = "neon"
    project: Annotated[str, Field(pattern="^[a-z0-9-]{1,60}$")]
    """The id of the project, such as `shiny-wind-028834`."""
    api_key: Key
    """A key of Neon's API; one that is confined to the project will do."""
    branch: str = ""
    """The branch that must be ready, by name or id; default: the project's default branch."""
    look_back: PositiveDuration = timedelta(hours=24)
    """How far back operations that failed are looked for."""
    url: Base = "https://console.neon.tech/api/v2"
    """The API's address; for something that stands in for it."""

    measures: ClassVar = (
        *VendorCheck.measures,
        MeasureSpec("size", Unit.BYTES, "the branch's data"),
        MeasureSpec("size_share", Unit.RATIO, "the same, of what the plan allows a branch", exceeds=True),
        MeasureSpec("computes", Unit.NUMBER, "the project's computes: active, idle, init, disabled", ("state",)),
        MeasureSpec("compute_time", Unit.SECONDS, "compute units × time, since the billing period began"),
        MeasureSpec("active_time", Unit.SECONDS, "how long computes were awake, since the billing period began"),
        MeasureSpec("written", Unit.BYTES, "data written since the billing period began"),
        MeasureSpec("transferred", Unit.BYTES, "data sent out since the billing period began"),
        MeasureSpec("storage", Unit.BYTES, "data and history of all branches"),
        MeasureSpec(
            "quota_share",
            Unit.RATIO,
            "of each quota that the project was given, what is used",
            ("quota",),
            exceeds=True,
        ),
        MeasureSpec("failed_operations", Unit.NUMBER, "operations that failed within `look_back`"),
    )
    reasons: ClassVar = VendorCheck.reasons | {Reason.STARTING}

    @cached_property
    def access(self) -> Access:
        """Return Neon's API, with our key."""
        return Access(NEON, self.url, self.api_key, (("Authorization", Secret(f"Bearer {self.api_key.reveal()}")),))

    def permissions(self) -> tuple[Permission, ...]:
        """Return the key that will do."""
        return (NEON_KEY,)

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the figures on failed operations and on what is used up."""
        return (
            ThresholdFields(watch="failed_operations", name="failed operations", warning="> 0", remedy=RETRY),
            ThresholdFields(watch="size_share", name="size", warning="> 80%", critical="> 90%", remedy=GROWS),
            ThresholdFields(watch="quota_share", name="quota", warning="> 80%", critical="> 95%", remedy=GROWS),
        )

    async def look(self, run: Run, api: Api) -> None:
        """Read it all; what is wrong with the branch is told after everything was noted."""
        status, body = await read_project(api, self.project, frozenset({HTTPStatus.NOT_FOUND}))
        if status == HTTPStatus.NOT_FOUND:
            text = f"Neon knows no project {self.project}, or does not let the key see it: give it {RIGHT}"
            raise Failure(Reason.MISSING, text, State.UNKNOWN)
        project = body["project"]
        for name, value in _used(project):
            run.note(name, value)
        for quota, share in _shares(project):
            run.note("quota_share", share, quota=quota)
        branch = chosen(await read_branches(api, self.project), self.branch)
        _note_size(run, branch, project)
        computes = await read_computes(api, self.project)
        counts = Counter(each.state for each in computes)
        for state in {*STATES, *counts}:
            run.note("computes", counts[state], state=state)
        failures = await read_failures(api, self.project, self.look_back)
        run.note("failed_operations", failures.number)
        if failures.number:
            run.remark("failed_operations", failures.text)
        branch.judge()
        _judge(branch, computes)


def _used(project: Found) -> Iterator[tuple[str, float]]:
    for name, key in PERIOD.items():
        yield name, project[key].number
    if storage := project.get("synthetic_storage_size"):
        yield "storage", storage.number


def _shares(project: Found) -> Iterator[tuple[str, float]]:
    """Yield the quotas that were set, for 0 means none, and which share of each is used."""
    settings = project.get("settings")
    quota = settings.get("quota") if settings else None
    for key in PERIOD.values():
        most = quota.get(key) if quota else None
        if most and most.number > 0:
            yield key.removesuffix("_seconds").removesuffix("_bytes"), project[key].number / most.number


def _note_size(run: Run, branch: Branch, project: Found) -> None:
    if branch.size is None:
        return
    run.note("size", branch.size)
    limit = project["branch_logical_size_limit_bytes"].number
    if limit > 0:
        run.note("size_share", branch.size / limit)


def _judge(branch: Branch, computes: Sequence[Compute]) -> None:
    """Raise `Failure` (down) if what takes the branch's writes is switched off."""
    for compute in computes:
        if compute.branch == branch.id and compute.writes and compute.state == "disabled":
            text = f"the compute {compute.id} of the branch {branch.name} is disabled: it takes no connections"
            raise Failure(Reason.REFUSED, text)
