"""Pages that vendors make themselves: Stripe, Slack, Auth0. As public code reads them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import Failure, Reason, State
from monitor.probes.status.page import Component, Impact, Incident, Maintenance, StatusPage, elements, moment, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.vendors import Found

NONE, MINOR, MAJOR, CRITICAL = Impact
UPTIME: Mapping[str, Impact] = {"up": NONE, "degraded": MINOR, "down": CRITICAL}
SLACK_STATUS: Mapping[str, Impact] = {"ok": NONE, "resolved": NONE, "active": NONE}
SLACK_TYPES: Mapping[str, Impact] = {"notice": MINOR, "incident": MAJOR, "outage": CRITICAL}
"""How Slack's own documents order them: https://docs.slack.dev/reference/slack-status-api/."""
AUTH0_IMPACTS: Mapping[str, Impact] = {
    "none": NONE,
    "maintenance": NONE,
    "minor": MINOR,
    "major": MAJOR,
    "critical": CRITICAL,
}
OVER = frozenset({"resolved", "completed", "cancelled", "postmortem"})
OPERATIONAL, PRODUCTION = "operational", "Production"


def read_stripe(found: Found, now: datetime) -> StatusPage:  # noqa: ARG001 - as every format is read
    """Read Stripe's own page: a word for all of it, and a warning or none for each part."""
    impact = one_of(found["UptimeStatus"], UPTIME)
    components = [
        Component(each["title"].text, MINOR if each.get("warning") else NONE) for each in elements(found, "uptimeData")
    ]
    message = found.get("message")
    title = message.text.strip() if message else ""
    troubled = frozenset(each.name for each in components if each.impact)
    incidents = [Incident(title or "trouble without a word on it", impact, components=troubled)] if impact else []
    worst = max((impact, *(each.impact for each in components)))
    return StatusPage(worst, components, incidents)


def read_slack(found: Found, now: datetime) -> StatusPage:  # noqa: ARG001 - as every format is read
    """Read Slack's API, version 2.0.0; a service that is well is not named."""
    one_of(found["status"], SLACK_STATUS)
    incidents = [
        Incident(
            each["title"].text,
            one_of(each["type"], SLACK_TYPES),
            moment(each.get("date_created")),
            frozenset(service.text for service in each["services"]),
        )
        for each in found["active_incidents"]
        if each["status"].text not in OVER
    ]
    return StatusPage(NONE, (), incidents, partial=True)


def read_auth0(found: Found, now: datetime) -> StatusPage:
    """Read the data that Auth0's page is drawn from: for each region a list, of one entry where all is well."""
    incidents: dict[str, Incident] = {}
    maintenances: dict[str, Maintenance] = {}
    components = []
    for region in found["props"]["pageProps"]["activeIncidents"]:
        if region["environment"].text != PRODUCTION:
            continue
        name, worst, maintained = region["region"].text, NONE, False
        for each in region["response"]["incidents"]:
            if each["status"].text in {OPERATIONAL, *OVER} or each.get("resolved_at"):
                continue
            title, begins = each["name"].text, moment(each.get("scheduled_for"))
            if each.get("scheduled_for"):
                begun = begins is not None and begins <= now
                told = maintenances.get(title, Maintenance(title, begun, begins))
                maintenances[title] = told._replace(components=told.components | {name})
                maintained = maintained or begun
            else:
                impact = one_of(each["impact"], AUTH0_IMPACTS)
                seen = incidents.get(title, Incident(title, impact, moment(each.get("created_at"))))
                incidents[title] = seen._replace(impact=max(impact, seen.impact), components=seen.components | {name})
                worst = max(worst, impact)
        components.append(Component(name, worst, maintained))
    if not components:
        raise Failure(Reason.PROTOCOL, "expected regions on Auth0's status page, got none", State.UNKNOWN)
    return StatusPage(NONE, components, list(incidents.values()), list(maintenances.values()))
