"""What Sentry knows of a product's errors, and whether it still sees all of them."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, StrictBool

from monitor.fields import PositiveDuration
from monitor.permission import Permission
from monitor.probes.base import MeasureSpec, ThresholdFields
from monitor.probes.sentry.records import LOST, read_errors, read_issues, read_outcomes
from monitor.probes.vendor import VendorCheck
from monitor.secrets import Secret
from monitor.units import Unit
from monitor.vendors import Access, Base, Key, Limit, Vendor

if TYPE_CHECKING:
    from monitor.probes.base import Run
    from monitor.probes.sentry.records import Issue
    from monitor.vendors import Api

SENTRY = Vendor(
    "Sentry",
    Limit(300, timedelta(minutes=1)),  # ours: docs.sentry.io/api/ratelimits names none, answers tell what is left
    keys=re.compile(r"\bsntry[a-z]_\S*|\b[0-9a-f]{64}\b"),
)
SHOWN = 3
KINDS = ("new", "regressed", "escalating")
READ = "Open the issue in Sentry: its first event says which release, address and user it began with."
SURGE = "Sentry sees this error much more often than before. Did a deploy go out? Go back to the release before it."
BLIND = (
    "What Sentry shows is not all: no new issue means nothing now. See in Sentry under Stats which quota or limit is "
    "used up, silence the error that uses it up, or raise the quota; until then read the logs."
)
Slug = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,100}$")]


class SentryCheck(VendorCheck):
    """Asks Sentry for new, regressed and escalating issues, for the number of errors, and for events that it dropped.

    It is up whatever it finds: its figures tell. No text of an issue is shown, unless `titles` allows it.
    """

    kind: str = "sentry"
    org: Slug
    """The organisation's slug, as in `https://sentry.io/organizations/<slug>/`."""
    token: Key
    """A token of an internal integration with Issue & Event: Read and Organization: Read, and nothing else."""
    projects: Annotated[list[Slug], Field(max_length=20)] = Field(default=[])
    """Projects by slug or id; default: all that the token may see."""
    environments: Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=20)] = Field(default=[])
    """Only what happened in these, such as `production`."""
    look_back: Annotated[PositiveDuration, Field(ge=timedelta(minutes=5), le=timedelta(days=14))] = timedelta(hours=1)
    """How long an issue counts as new after it was first seen, and the others after they were last seen."""
    titles: StrictBool = False
    """Whether messages hold the titles of issues, which may hold personal data; else their short ids and a link."""
    url: Base = "https://sentry.io"
    """The address of Sentry: `https://de.sentry.io`, or your own."""

    measures: ClassVar = (
        *VendorCheck.measures,
        MeasureSpec("new_issues", Unit.NUMBER, "unresolved issues that were first seen within `look_back`"),
        MeasureSpec("regressed_issues", Unit.NUMBER, "issues that were resolved, and came back within it"),
        MeasureSpec("escalating_issues", Unit.NUMBER, "issues that Sentry finds far more frequent than before"),
        MeasureSpec("errors", Unit.NUMBER, "error events in the last hour"),
        MeasureSpec(
            "dropped",
            Unit.NUMBER,
            "error events of this hour and the one before that Sentry got and did not take: "
            f"{', '.join(LOST)}; of the whole organisation, unless all of `projects` are ids",
            ("outcome",),
        ),
    )

    @cached_property
    def access(self) -> Access:
        """Return Sentry's API, with our token."""
        bearer = Secret(f"Bearer {self.token.reveal()}")
        return Access(SENTRY, self.url, self.token, (("Authorization", bearer),))

    def permissions(self) -> tuple[Permission, ...]:
        """Return what the token's integration must be allowed."""
        at = f"Sentry, {self.org}: an internal integration (Settings, Custom Integrations)"
        return Permission(at, "Issue & Event: Read"), Permission(at, "Organization: Read")

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the figures on issues, and on what Sentry drops."""
        return (
            ThresholdFields(watch="new_issues", name="new issues", info="> 0", remedy=READ),
            ThresholdFields(watch="regressed_issues", name="regressed issues", info="> 0", remedy=READ),
            ThresholdFields(watch="escalating_issues", name="escalating issues", warning="> 0", remedy=SURGE),
            ThresholdFields(watch="dropped", name="Sentry is blind", warning="> 0", remedy=BLIND),
        )

    async def look(self, run: Run, api: Api) -> None:
        """Ask for what was dropped first, for it says what all else is worth."""
        ids = self.projects if all(each.isdecimal() for each in self.projects) else []
        dropped = await read_outcomes(api, self.org, ids)
        for outcome, number in dropped.lost.items():
            run.note("dropped", number, outcome=outcome)
        blind = f"; Sentry dropped events within two hours ({dropped.text}), so this is not all" if dropped.text else ""
        if dropped.text:
            run.remark("dropped", f"{dropped.text} within two hours: what Sentry shows is not all")
        narrowed = [("project", each) for each in self.projects]
        narrowed += [("environment", each) for each in self.environments]
        found = await read_issues(api, self.org, narrowed, self.look_back)
        for kind in KINDS:
            issues = [each for each in found.items if each.what == kind]
            run.note(f"{kind}_issues", len(issues))
            if issues:
                run.remark(f"{kind}_issues", f"{self._told(issues)}{blind}")
        run.note("errors", await read_errors(api, self.org, narrowed))
        if blind:
            run.remark("errors", blind.removeprefix("; "))

    def _told(self, issues: list[Issue]) -> str:
        """Return which issues these are: in words where that is allowed, and where the first can be read."""
        shown = ", ".join(f"{each.id} {each.title}" if self.titles else each.id for each in issues[:SHOWN])
        more = f" and {len(issues) - SHOWN} more" if len(issues) > SHOWN else ""
        return f"{shown}{more}: {issues[0].link}"
