"""Pages that a vendor has somebody host: Statuspage and incident.io, Better Stack, Instatus, FireHydrant. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.probes.status.page import (
    Component,
    Impact,
    Incident,
    Maintenance,
    StatusPage,
    elements,
    moment,
    names,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from monitor.vendors import Found

NONE, MINOR, MAJOR, CRITICAL = Impact
UNDER_MAINTENANCE = "under_maintenance"
OVER = frozenset({"resolved", "postmortem", "completed", "closed", "retrospective_completed"})
INDICATORS: Mapping[str, Impact] = {
    "none": NONE,
    "maintenance": NONE,
    "minor": MINOR,
    "major": MAJOR,
    "critical": CRITICAL,
}
STATUSES: Mapping[str, Impact] = {
    "operational": NONE,
    UNDER_MAINTENANCE: NONE,
    "degraded_performance": MINOR,
    "partial_outage": MAJOR,
    "major_outage": CRITICAL,
    "full_outage": CRITICAL,
}
AGGREGATES: Mapping[str, Impact] = {
    "operational": NONE,
    "maintenance": NONE,
    "not_monitored": NONE,
    "degraded": MINOR,
    "downtime": CRITICAL,
}
UPS: Mapping[str, Impact] = {"UP": NONE, "UNDERMAINTENANCE": NONE, "HASISSUES": MINOR}
IMPACTS: Mapping[str, Impact] = {
    "OPERATIONAL": NONE,
    "UNDERMAINTENANCE": NONE,
    "DEGRADEDPERFORMANCE": MINOR,
    "MINOROUTAGE": MINOR,
    "PARTIALOUTAGE": MAJOR,
    "MAJOROUTAGE": CRITICAL,
}
CONDITIONS: Mapping[str, Impact] = {
    "OPERATIONAL": NONE,
    "DEGRADED": MINOR,
    "OFFLINE": CRITICAL,
    "UNAVAILABLE": CRITICAL,
}


def read_statuspage(found: Found, now: datetime) -> StatusPage:  # noqa: ARG001 - as every format is read
    """Read Atlassian's API version 2 (https://metastatuspage.com/api), which incident.io answers too."""
    components = [
        Component(
            each["name"].text, one_of(each["status"], STATUSES), maintained=each["status"].text == UNDER_MAINTENANCE
        )
        for each in elements(found, "components")
    ]
    incidents = [
        Incident(
            each["name"].text,
            one_of(each["impact"], INDICATORS),
            moment(each.get("started_at") or each.get("created_at")),
            names(elements(each, "components")),
        )
        for each in elements(found, "incidents")
        if each["status"].text not in OVER
    ]
    maintenances = [
        Maintenance(
            each["name"].text,
            each["status"].text != "scheduled",
            moment(each.get("scheduled_for")),
            names(elements(each, "components")),
        )
        for each in elements(found, "scheduled_maintenances")
        if each["status"].text not in OVER
    ]
    return StatusPage(one_of(found["status"]["indicator"], INDICATORS), components, incidents, maintenances)


def read_incidentio(found: Found, now: datetime) -> StatusPage:  # noqa: ARG001 - as every format is read
    """Read incident.io's summary, of one page or of one that is made of several, whose titles are components then."""
    parts = [each["summary"] for each in elements(found, "subpages")] or [found]
    incidents: list[Incident] = []
    maintenances: list[Maintenance] = []
    components: list[Component] = []
    for part in parts:
        title = part["page_title"].text
        ongoing = [_ongoing(each, title) for each in part["ongoing_incidents"]]
        under_way = [_announced(each, title, begun=True) for each in part["in_progress_maintenances"]]
        incidents += ongoing
        maintenances += under_way
        maintenances += [_announced(each, title, begun=False) for each in part["scheduled_maintenances"]]
        worst = max((each.impact for each in ongoing), default=NONE)
        components.append(Component(title, worst, maintained=bool(under_way)))
    return StatusPage(NONE, components, incidents, maintenances, partial=True)


def _ongoing(found: Found, page: str) -> Incident:
    affected = names(elements(found, "affected_components")) | {page}
    begun = moment(found.get("created_at") or found.get("started_at") or found.get("published_at"))
    return Incident(found["name"].text, one_of(found["current_worst_impact"], STATUSES), begun, affected)


def _announced(found: Found, page: str, *, begun: bool) -> Maintenance:
    affected = names(elements(found, "affected_components")) | {page}
    return Maintenance(found["name"].text, begun, moment(found.get("starts_at") or found.get("started_at")), affected)


def read_better_stack(found: Found, now: datetime) -> StatusPage:
    """Read Better Stack's page as JSON: https://betterstack.com/docs/uptime/status-pages/subscribing-to-api/."""
    included = elements(found, "included")
    by_type = {
        kind: [each for each in included if each["type"].text == kind]
        for kind in ("status_page_resource", "status_report")
    }
    named = {each["id"].text: each["attributes"]["public_name"].text for each in by_type["status_page_resource"]}
    components = [
        Component(
            each["attributes"]["public_name"].text,
            one_of(each["attributes"]["status"], AGGREGATES),
            maintained=each["attributes"]["status"].text == "maintenance",
        )
        for each in by_type["status_page_resource"]
    ]
    incidents: list[Incident] = []
    maintenances: list[Maintenance] = []
    for report in (each["attributes"] for each in by_type["status_report"]):
        ends, begins = moment(report.get("ends_at")), moment(report.get("starts_at"))
        if ends and ends <= now:
            continue
        touched = [each["status_page_resource_id"].value for each in elements(report, "affected_resources")]
        affected = frozenset(named[str(each)] for each in touched if str(each) in named)
        title = report["title"].text
        if report["report_type"].text == "maintenance":
            maintenances.append(Maintenance(title, begins is None or begins <= now, begins, affected))
        else:
            incidents.append(Incident(title, one_of(report["aggregate_state"], AGGREGATES), begins, affected))
    state = one_of(found["data"]["attributes"]["aggregate_state"], AGGREGATES)
    return StatusPage(state, components, incidents, maintenances)


def read_instatus(found: Found, now: datetime) -> StatusPage:  # noqa: ARG001 - as every format is read
    """Read Instatus's summary (https://instatus.com/help/api/public-data), which tells of no component."""
    incidents = [
        Incident(each["name"].text, one_of(each["impact"], IMPACTS), moment(each.get("started")))
        for each in elements(found, "activeIncidents")
    ]
    maintenances = [
        Maintenance(
            each["name"].text,
            each["status"].text != "NOTSTARTEDYET",
            moment(each.get("start")),
        )
        for each in elements(found, "activeMaintenances")
    ]
    return StatusPage(one_of(found["page"]["status"], UPS), (), incidents, maintenances, partial=True)


def read_instatus_components(found: Found) -> Sequence[Component]:
    """Read the components that Instatus lists elsewhere."""
    return [
        Component(
            each["name"].text, one_of(each["status"], IMPACTS), maintained=each["status"].text == "UNDERMAINTENANCE"
        )
        for each in found["components"]
    ]


def read_firehydrant(found: Found, now: datetime) -> StatusPage:
    """Read what FireHydrant's page is drawn from: a page's own words for conditions, and what each stands for."""
    conditions = found["conditions"]
    meant = {name.strip(): one_of(conditions[name], CONDITIONS) for name in conditions.value}
    incidents = [
        _incident(each, meant)
        for each in elements(found, "incidents")
        if not each["timestamps"].get("resolved") and each["currentMilestone"].text.lower() not in OVER
    ]
    maintenances = [
        Maintenance(each["name"].text, begun=begins is not None and begins <= now, begins=begins, components=touched)
        for each in elements(found, "scheduledMaintenances")
        if (ends := moment(each.get("endsAt"))) is None or ends > now
        for begins, touched in [(moment(each["startsAt"]), frozenset(_conditions(each)))]
    ]
    components = [
        Component(name, max((each.impact for each in incidents if name in each.components), default=NONE))
        for name in (each["name"].text for each in found["components"])
    ]
    return StatusPage(NONE, components, incidents, maintenances)


def _incident(found: Found, meant: Mapping[str, Impact]) -> Incident:
    touched = _conditions(found)
    impact = max((one_of(word, meant) for word in touched.values()), default=MINOR)
    return Incident(found["name"].text, impact, moment(found["timestamps"].get("started")), frozenset(touched))


def _conditions(found: Found) -> Mapping[str, Found]:
    """Return the components that something names, and the page's word for how each is."""
    conditions = found.get("componentConditions")
    return {name: conditions[name] for name in conditions.value} if conditions else {}
