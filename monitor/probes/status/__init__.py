"""What a vendor says of itself on its status page: people write it, some minutes late, and it explains much else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator
from yarl import URL

from monitor.fields import PositiveDuration
from monitor.model import Failure, Reason, State
from monitor.probes.base import MeasureSpec, ThresholdFields
from monitor.probes.status.formats import FORMATS, VENDORS, Format
from monitor.probes.status.page import folded
from monitor.probes.vendor import VendorCheck
from monitor.secrets import Secret
from monitor.units import Unit
from monitor.vendors import Access, BaseIfAny, Limit, Vendor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.probes.base import Run
    from monitor.probes.status.page import Incident, StatusPage
    from monitor.vendors import Api

NO_KEY = Secret("")
OFTEN = Limit(100, timedelta(minutes=1))
"""Ours, since no page tells of a limit: a tenth of it is far more than a page that people write is worth."""
REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
SHOWN = 3
WAIT = (
    "The vendor says so itself: what depends on it fails for that reason, and little can be done here. Read its page, "
    "see which of our own alerts began then, and tell users if they notice."
)


def _known(name: str) -> str:
    if name and name not in VENDORS:
        raise ValueError(f"we know no status page of {name!r}, give its url and format; known are {', '.join(VENDORS)}")
    return name


def _once(names: list[str]) -> list[str]:
    if len({folded(name) for name in names}) < len(names):
        raise ValueError("a component is named twice")
    return names


class StatusCheck(VendorCheck):
    """Reads a vendor's status page, which needs no key, and says how bad the vendor itself finds it.

    A page that cannot be read is unknown: it says nothing of the vendor. Maintenance that was announced is no incident.
    """

    kind: str = "status"
    vendor: Annotated[str, AfterValidator(_known)] = ""
    """Whose page: `anthropic`, `auth0`, `backblaze`, `clerk`, `cloudflare`, `fly`, `github`, `neon`, `netlify`,
    `openai`, `render`, `replicate`, `resend`, `sendgrid`, `sentry`, `shopify`, `slack`, `stripe`, `supabase`, `twilio`
    or `vercel`. Of another give `url`."""
    url: BaseIfAny = ""
    """The address of the page; default: the one that is known of `vendor`."""
    format: (
        Literal["statuspage", "incidentio", "betterstack", "instatus", "firehydrant", "stripe", "slack", "auth0"] | None
    ) = None
    """What the page answers in; default: the vendor's, else `statuspage`, in which most pages of incident.io answer."""
    components: Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=50), AfterValidator(_once)] = (
        Field(default=[])
    )
    """Only what concerns these components, named as on the page; default: the page as a whole."""
    every: PositiveDuration = Field(default=timedelta(minutes=5))
    """How often it runs."""

    tells_of_vendor: ClassVar = True
    measures: ClassVar = (
        *VendorCheck.measures,
        MeasureSpec("impact", Unit.NUMBER, "how bad it is at worst: 0 nothing, 1 minor, 2 major, 3 critical"),
        MeasureSpec("component_impact", Unit.NUMBER, "the same for each of `components`", ("component",)),
        MeasureSpec("incidents", Unit.NUMBER, "incidents that are open"),
        MeasureSpec("maintenances", Unit.NUMBER, "announced maintenances that have begun and not ended"),
        MeasureSpec("next_maintenance", Unit.TIMESTAMP, "when the next announced maintenance begins"),
    )

    @model_validator(mode="after")
    def _place(self) -> StatusCheck:
        if not self.vendor and not self.url:
            raise ValueError("give vendor, or the url of a status page")
        return self

    @cached_property
    def access(self) -> Access:
        """Return the page."""
        place = VENDORS.get(self.vendor)
        url = self.url or (place.url if place else "")
        name = f"{place.title}'s status page" if place else f"the status page {URL(url).host}"
        return Access(Vendor(name, OFTEN, keys=re.compile(r"(?!)")), url, NO_KEY, (), self.read_as.embedded)

    @property
    def tells_of(self) -> str:
        """Return the vendor, or else the page's host."""
        place = VENDORS.get(self.vendor)
        return place.title if place else self.host

    @property
    def read_as(self) -> Format:
        """Return how the page is read."""
        place = VENDORS.get(self.vendor)
        return FORMATS[self.format or (place.format if place else "statuspage")]

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the figure on the impact."""
        remedy = "" if self.remedy else WAIT
        return (ThresholdFields(watch="impact", name="vendor incident", info=">= 1", warning=">= 2", remedy=remedy),)

    async def look(self, run: Run, api: Api) -> None:
        """Read the page, and note what concerns us of it."""
        page = await self._read(api)
        if self.components:
            page = page.narrowed(self.components)
            for name in self.components:
                run.note("component_impact", float(page.impact_on(name)), component=name)
        run.note("impact", float(page.worst))
        run.note("incidents", len(page.incidents))
        run.note("maintenances", sum(each.begun for each in page.maintenances))
        ahead = [each.begins for each in page.maintenances if each.begins and each.begins > api.now]
        if ahead:
            run.note("next_maintenance", min(ahead).timestamp())
        if page.worst:
            run.remark("impact", f"{'; '.join(_told(page))}: {self.access.url}")

    async def _read(self, api: Api) -> StatusPage:
        form = self.read_as
        reply = await api.get(form.path, allowed=REFUSED, young=self.every)
        self._admit(reply.status, form.path)
        page = form.read(reply.body, api.now)
        if form.components and self.components:
            path, read = form.components
            listed = await api.get(path, allowed=REFUSED, young=self.every)
            self._admit(listed.status, path)
            return replace(page, components=read(listed.body), partial=False)
        return page

    def _admit(self, status: int, path: str) -> None:
        """Raise `Failure` for what a page answers that is none."""
        match status:
            case HTTPStatus.NOT_FOUND:
                text = f"there is no {path} at {self.access.url}: has the page moved, or is it of another format?"
                raise Failure(Reason.MISSING, text, State.UNKNOWN)
            case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
                text = f"{self.access.vendor.name} lets nobody look who does not sign in: it answers {status}"
                raise Failure(Reason.AUTH, text, State.UNKNOWN)


def _told(page: StatusPage) -> Iterator[str]:
    """Yield what is wrong, the worst first, and how much more there is."""
    found = sorted((each for each in page.incidents if each.impact), key=lambda each: -each.impact)
    named = frozenset[str]().union(*(each.components for each in found))
    texts = [f"{each.title} ({each.impact}{_since(each)})" for each in found]
    texts += [f"{each.name} ({each.impact})" for each in page.components if each.impact and each.name not in named]
    yield from texts[:SHOWN] or [f"it says {page.worst}, and not why"]
    if len(texts) > SHOWN:
        yield f"and {len(texts) - SHOWN} more"


def _since(incident: Incident) -> str:
    return f", since {incident.since:%Y-%m-%d %H:%M} UTC" if incident.since else ""
