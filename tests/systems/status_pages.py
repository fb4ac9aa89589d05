"""A stand-in of a vendor's status page, in any of the formats, as their makers document or public code reads them.

Titles, components and their impact are the same for all; each format has its own words for them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.systems.site import Answer, Site, page, says_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from tests.peers import Authority

INDICATOR = ("none", "minor", "major", "critical")
STATUS = ("operational", "degraded_performance", "partial_outage", "major_outage")
IMPACT = ("OPERATIONAL", "DEGRADEDPERFORMANCE", "PARTIALOUTAGE", "MAJOROUTAGE")
STATE = ("operational", "degraded", "degraded", "downtime")
SLACK_TYPE = ("notice", "notice", "incident", "outage")
CONDITION = ("Operational", "Degraded", "Degraded", "Unavailable")
UPTIME = ("up", "degraded", "degraded", "down")
MINUTE = timedelta(minutes=1)


class Trouble(NamedTuple):
    """One incident or maintenance. `since`: how long ago it began, less than nothing for what is ahead."""

    title: str
    impact: int
    components: tuple[str, ...] = ()
    since: timedelta = 20 * MINUTE
    over: bool = False


class StatusPageSite(Site):
    """A page in `format`, with these `components`. `says`: what every question is answered while it is set."""

    def __init__(
        self,
        host: str,
        authority: Authority | None,
        form: str = "statuspage",
        components: tuple[str, ...] = ("API", "Dashboard"),
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.format = form
        self.listed = components
        self.now = now or (lambda: datetime.now(UTC))
        super().__init__(host, authority)

    def heal(self) -> None:
        super().heal()
        self.states = dict.fromkeys(self.listed, 0)
        self.troubles: list[Trouble] = []
        self.maintained: list[Trouble] = []
        self.says: Answer | None = None
        self.asked: list[str] = []

    def has(self, title: str, impact: int, *components: str, since: timedelta = 20 * MINUTE) -> None:
        """Have an incident, and the components that it names in the state that goes with it."""
        self.troubles.append(Trouble(title, impact, components, since))
        self.states |= dict.fromkeys(components, impact)

    def announces(self, title: str, *components: str, since: timedelta = 20 * MINUTE) -> None:
        """Have a maintenance."""
        self.maintained.append(Trouble(title, 0, components, since))

    def _answer(self, request: web.Request) -> Answer:
        self.asked.append(request.path)
        if self.says:
            return self.says
        made: dict[tuple[str, str], Callable[[], Any]] = {
            ("statuspage", "/api/v2/summary.json"): self._statuspage,
            ("incidentio", "/api/v1/summary"): self._incidentio,
            ("regions", "/api/v1/summary"): self._regions,
            ("betterstack", "/index.json"): self._better_stack,
            ("instatus", "/summary.json"): self._instatus,
            ("instatus", "/v2/components.json"): self._instatus_components,
            ("firehydrant", "/data/payload.json"): self._firehydrant,
            ("stripe", "/current/full"): self._stripe,
            ("slack", "/api/v2.0.0/current"): self._slack,
        }
        if (self.format, request.path) == ("auth0", "/"):
            return page(f'<script id="__NEXT_DATA__" type="application/json">{json.dumps(self._auth0())}</script>')
        found = made.get((self.format, request.path))
        return says_json(found()) if found else page("<h1>Not Found</h1>", 404)

    @property
    def worst(self) -> int:
        return max((0, *(each.impact for each in self.troubles if not each.over), *self.states.values()))

    def _at(self, trouble: Trouble) -> str:
        return (self.now() - trouble.since).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def _statuspage(self) -> dict[str, Any]:
        def told(each: Trouble, **more: str) -> dict[str, Any]:
            named = [{"id": name, "name": name, "status": STATUS[each.impact]} for name in each.components]
            return {"id": "x", "name": each.title, "created_at": self._at(each), "components": named, **more}

        return {
            "page": {"id": "1", "name": self.host, "url": self.url, "time_zone": "Etc/UTC"},
            "status": {"indicator": INDICATOR[self.worst], "description": "…"},
            "components": [
                {"id": name, "name": name, "status": STATUS[state], "group": False}
                for name, state in self.states.items()
            ],
            "incidents": [
                told(each, status="resolved" if each.over else "identified", impact=INDICATOR[each.impact])
                for each in self.troubles
            ],
            "scheduled_maintenances": [
                told(
                    each,
                    status="in_progress" if each.since > timedelta() else "scheduled",
                    impact="maintenance",
                    scheduled_for=self._at(each),
                )
                for each in self.maintained
            ],
        }

    def _incidentio(self) -> dict[str, Any]:
        def told(each: Trouble, **more: str) -> dict[str, Any]:
            named = [{"id": name, "name": name, "current_status": STATUS[each.impact]} for name in each.components]
            return {"id": "x", "name": each.title, "url": self.url, "affected_components": named, **more}

        worst = ("operational", "degraded_performance", "partial_outage", "full_outage")
        return {
            "page_title": "Example",
            "page_url": self.url,
            "ongoing_incidents": [
                told(each, status="investigating", current_worst_impact=worst[each.impact]) for each in self.troubles
            ],
            "in_progress_maintenances": [
                told(each, status="maintenance_in_progress", started_at=self._at(each))
                for each in self.maintained
                if each.since > timedelta()
            ],
            "scheduled_maintenances": [
                told(each, status="maintenance_scheduled", starts_at=self._at(each))
                for each in self.maintained
                if each.since <= timedelta()
            ],
        }

    def _regions(self) -> dict[str, Any]:
        """Return the summary of a page that is made of pages, as Neon's is: each component is a page."""

        def of(name: str) -> dict[str, Any]:
            others = self.troubles, self.maintained
            self.troubles = [each for each in self.troubles if name in each.components]
            self.maintained = [each for each in self.maintained if name in each.components]
            made = self._incidentio() | {"page_title": name}
            self.troubles, self.maintained = others
            return {"subpage": name.lower(), "summary": made}

        return {"subpages": [of(name) for name in self.states]}

    def _better_stack(self) -> dict[str, Any]:
        ids = {name: str(number) for number, name in enumerate(self.states)}

        def told(each: Trouble, kind: str) -> dict[str, Any]:
            affected = [{"status_page_resource_id": ids[name], "status": "x"} for name in each.components]
            attributes = {
                "title": each.title,
                "report_type": kind,
                "starts_at": self._at(each),
                "ends_at": self._at(each._replace(since=each.since - MINUTE)) if each.over else None,
                "aggregate_state": "maintenance" if kind == "maintenance" else STATE[each.impact],
                "affected_resources": affected,
            }
            return {"id": "9", "type": "status_report", "attributes": attributes}

        resources = [
            {
                "id": ids[name],
                "type": "status_page_resource",
                "attributes": {"public_name": name, "status": STATE[state]},
            }
            for name, state in self.states.items()
        ]
        reports = [
            *(told(each, "manual") for each in self.troubles),
            *(told(each, "maintenance") for each in self.maintained),
        ]
        data = {"id": "1", "type": "status_page", "attributes": {"aggregate_state": STATE[self.worst]}}
        section = {"id": "5", "type": "status_page_section", "attributes": {"name": "All"}}
        return {"data": data, "included": [section, *resources, *reports]}

    def _instatus(self) -> dict[str, Any]:
        """Return the summary; lists that are empty are left out."""
        incidents = [
            {"name": each.title, "started": self._at(each), "status": "INVESTIGATING", "impact": IMPACT[each.impact]}
            for each in self.troubles
        ]
        maintenances = [
            {
                "name": each.title,
                "start": self._at(each),
                "status": "INPROGRESS" if each.since > timedelta() else "NOTSTARTEDYET",
                "duration": "60",
            }
            for each in self.maintained
        ]
        status = "HASISSUES" if self.worst else "UNDERMAINTENANCE" if self.maintained else "UP"
        found: dict[str, Any] = {"page": {"name": "Example", "url": self.url, "status": status}}
        found |= {"activeIncidents": incidents} if incidents else {}
        return found | ({"activeMaintenances": maintenances} if maintenances else {})

    def _instatus_components(self) -> dict[str, Any]:
        return {
            "components": [{"id": name, "name": name, "status": IMPACT[state]} for name, state in self.states.items()]
        }

    def _firehydrant(self) -> dict[str, Any]:
        """Return the payload; the words for conditions are the page's own, one with a space at its end."""
        return {
            "config": {"companyName": "Example", "operationalMessage": "All systems operational."},
            "components": [{"id": name, "name": name} for name in self.states],
            "conditions": {
                "Degraded": "DEGRADED",
                "Unavailable": "OFFLINE",
                "Operational": "OPERATIONAL",
                "Maintenance ": "DEGRADED",
            },
            "incidents": [
                {
                    "id": "x",
                    "name": each.title,
                    "timestamps": {"started": self._at(each)} | ({"resolved": self._at(each)} if each.over else {}),
                    "currentMilestone": "resolved" if each.over else "investigating",
                    "componentConditions": dict.fromkeys(each.components, CONDITION[each.impact]),
                }
                for each in self.troubles
            ],
            "scheduledMaintenances": [
                {
                    "id": "m",
                    "name": each.title,
                    "startsAt": self._at(each),
                    "endsAt": self._at(each._replace(since=each.since - 60 * MINUTE)),
                    "componentConditions": dict.fromkeys(each.components, "Maintenance "),
                }
                for each in self.maintained
            ],
        }

    def _stripe(self) -> dict[str, Any]:
        return {
            "UptimeStatus": UPTIME[self.worst],
            "message": self.troubles[0].title if self.troubles else "",
            "uptimeData": [
                {"key": name, "title": name, "warning": "trouble" if state else None}
                for name, state in self.states.items()
            ],
        }

    def _slack(self) -> dict[str, Any]:
        return {
            "status": "active" if self.troubles else "ok",
            "active_incidents": [
                {
                    "id": 1,
                    "title": each.title,
                    "type": SLACK_TYPE[each.impact],
                    "status": "resolved" if each.over else "active",
                    "date_created": self._at(each),
                    "services": list(each.components),
                }
                for each in self.troubles
            ],
        }

    def _auth0(self) -> dict[str, Any]:
        well = {"status": "operational", "name": "All Systems Operational", "id": "", "impact": "none"}

        def of(name: str) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = [
                {
                    "status": "resolved" if each.over else "investigating",
                    "name": each.title,
                    "created_at": self._at(each),
                    "resolved_at": None,
                    "scheduled_for": None,
                    "impact": INDICATOR[each.impact],
                }
                for each in self.troubles
                if name in each.components
            ]
            found += [
                {
                    "status": "scheduled",
                    "name": each.title,
                    "scheduled_for": self._at(each),
                    "impact": "maintenance",
                }
                for each in self.maintained
                if name in each.components
            ]
            return found or [well]

        regions = [
            {"region": name, "environment": "Production", "response": {"uptime": "99.99%", "incidents": of(name)}}
            for name in self.states
        ]
        preview = {"status": "investigating", "name": "Preview is slow", "impact": "major", "scheduled_for": None}
        regions.append({"region": "US-1", "environment": "Preview", "response": {"incidents": [preview]}})
        return {"props": {"pageProps": {"activeIncidents": regions}}, "page": "/"}
