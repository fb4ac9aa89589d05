"""A stand-in of Render's API: one workspace, read with a user's key, that pages, throttles, fails and lies.

Its objects have every field that Render's own description demands (see tests/probes/test_render_description.py); the
limits are those of the reference: 400 GETs in a minute for a user, told in Ratelimit headers with every answer.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.systems.site import Answer, Site, page, says_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp import web

    from tests.peers import Authority

KEY = "rnd_HuNt3rTwoAbCdEfGhIjKlMnOp"
OWNER = "tea-d0000000000000000000"
MINUTE = timedelta(minutes=1)
LIMIT = 400
MOST = 100
MOST_POINTS = 1_000
VALUE = "sk_live_a_value_that_nobody_may_see"
PREFIX = {"cron_job": "crn"}
METRICS = {
    "cpu": "CPU", "cpu-limit": "CPU", "memory": "bytes", "memory-limit": "bytes", "disk-usage": "bytes",
    "disk-capacity": "bytes", "http-requests": "requests", "http-latency": "ms", "active-connections": "connections",
}  # fmt: skip
HTML = page("<html><h1>Maintenance</h1></html>")


def refused(status: int, message: str) -> Answer:
    return says_json({"id": "req-1", "message": message}, status)


def throttled(retry_after: str | None = None) -> Answer:
    answer = refused(429, "rate limit exceeded")
    return Answer(429, answer.body, {**answer.headers, **({} if retry_after is None else {"Retry-After": retry_after})})


class RenderApi(Site):
    """A workspace, and what goes wrong with the API. `asked`: every request's address, and `times` when it came.

    `figures`: the values of metrics by name and resource. `faults` are said to the next requests, one each.
    """

    def __init__(self, host: str, authority: Authority | None, now: Callable[[], datetime] | None = None) -> None:
        """`now` is Render's own time."""
        self.now = now or (lambda: datetime.now(UTC))
        super().__init__(host, authority)

    def heal(self) -> None:
        super().heal()
        self._ids = count(1)
        self.keys = {KEY}
        self.owners = {OWNER: "Team"}
        self.services: dict[str, dict[str, Any]] = {}
        self.databases: dict[str, dict[str, Any]] = {}
        self.key_values: dict[str, dict[str, Any]] = {}
        self.deploys: dict[str, list[dict[str, Any]]] = {}
        self.running: dict[str, int] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.custom_domains: dict[str, list[dict[str, Any]]] = {}
        self.variables: dict[str, dict[str, str]] = {}
        self.groups: list[tuple[str, dict[str, str], list[str]]] = []
        self.exports: dict[str, list[datetime]] = {}
        self.recovery: dict[str, dict[str, str]] = {}
        self.lines: list[dict[str, Any]] = []
        self.figures: dict[tuple[str, str], dict[str, float]] = {}
        self.asked: list[str] = []
        self.times: deque[datetime] = deque()
        self.skew = timedelta()
        self.faults: list[Answer] = []
        self.repeats = False
        self.sees_events_of_stores = True

    # What there is

    def has_service(self, name: str, kind: str = "web_service", *, instances: int = 1, **details: Any) -> str:  # noqa: ANN401 - any JSON value
        """Let there be a service with a live deploy, and return its id."""
        one = f"{PREFIX.get(kind, 'srv')}-{next(self._ids):020}"
        self.services[name] = self._service(one, name, kind, instances, details)
        self.running[one] = instances
        self.deploys[one] = []
        self.deploys_to(name, "live", ago=timedelta(days=2))
        return one

    def has_database(self, name: str, *, plan: str = "basic_256mb", **fields: Any) -> str:  # noqa: ANN401 - any JSON value
        """Let there be a PostgreSQL instance whose past can be recovered, and return its id."""
        one = f"dpg-{next(self._ids):020}"
        self.databases[name] = {
            **self._store(one, name, plan),
            "databaseName": name, "databaseUser": name, "highAvailabilityEnabled": False, "readReplicas": [],
            "role": "primary", "suspended": "not_suspended", "suspenders": [], "diskAutoscalingEnabled": False,
            "version": "17",
        } | fields  # fmt: skip
        self.recovery[one] = {"recoveryStatus": "AVAILABLE", "startsAt": _text(self.now() - timedelta(days=7))}
        return one

    def has_key_value(self, name: str, *, plan: str = "starter", **fields: Any) -> str:  # noqa: ANN401 - any JSON value
        one = f"red-{next(self._ids):020}"
        options = {"maxmemoryPolicy": "noeviction"}
        self.key_values[name] = {**self._store(one, name, plan), "options": options, "version": "8"} | fields
        return one

    def id(self, name: str) -> str:
        """Return the id of a service or store."""
        found: str = {**self.services, **self.databases, **self.key_values}[name]["id"]
        return found

    def deploys_to(self, name: str, status: str, *, ago: timedelta = MINUTE, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
        """Let a deploy have begun; one that goes live replaces the one before it."""
        deploys, number = self.deploys[self.id(name)], next(self._ids)
        if status == "live":
            for each in deploys:
                each["status"] = "deactivated" if each["status"] == "live" else each["status"]
        at = _text(self.now() - ago)
        commit = {"id": f"{number:040x}", "message": "Mend the cart", "createdAt": at}
        made = {"id": f"dep-{number:020}", "status": status, "trigger": "new_commit", "commit": commit}
        deploys.insert(0, made | dict.fromkeys(("createdAt", "startedAt", "updatedAt", "finishedAt"), at) | fields)
        return deploys[0]

    def happens(self, name: str, kind: str, *, ago: timedelta = MINUTE, **details: Any) -> None:  # noqa: ANN401 - any JSON value
        """Let an event of that type have happened."""
        at, one = _text(self.now() - ago), self.id(name)
        event = {
            "id": f"evt-{next(self._ids):020}",
            "timestamp": at,
            "serviceId": one,
            "type": kind,
            "details": details,
        }
        self.events.setdefault(one, []).insert(0, event)

    def logs(self, name: str, level: str, message: str, *, ago: timedelta = MINUTE, times: int = 1) -> None:
        """Let a line have been logged, so many times."""
        labels = [{"name": "resource", "value": self.id(name)}, {"name": "level", "value": level}]
        for _ in range(times):
            at = _text(self.now() - ago)
            self.lines.append({"id": f"log-{next(self._ids)}", "message": message, "timestamp": at, "labels": labels})

    def has_domain(self, service: str, name: str, status: str = "verified") -> None:
        found = self.custom_domains.setdefault(self.id(service), [])
        made = {"id": f"cdm-{next(self._ids)}", "name": name, "domainType": "subdomain", "publicSuffix": "dev"}
        found.append(made | {"verificationStatus": status, "createdAt": _text(self.now()), "redirectForName": ""})

    def sets(self, service: str, *names: str, value: str = VALUE) -> None:
        self.variables.setdefault(self.id(service), {}).update(dict.fromkeys(names, value))

    def measures(self, metric: str, name: str, value: float, label: str = "") -> None:
        """Let a metric of a resource have that value, for an instance or a status if there is a `label`."""
        self.figures.setdefault((metric, self.id(name)), {})[label] = value

    def _service(self, one: str, name: str, kind: str, instances: int, details: dict[str, Any]) -> dict[str, Any]:
        now = _text(self.now())
        return {
            "id": one, "name": name, "ownerId": OWNER, "type": kind, "createdAt": now, "updatedAt": now, "slug": name,
            "dashboardUrl": f"https://dashboard.render.com/{one}", "suspended": "not_suspended", "suspenders": [],
            "autoDeploy": "yes", "notifyOnFail": "default", "rootDir": "", "branch": "main",
            "serviceDetails": _details(name, kind, instances) | details,
        }  # fmt: skip

    def _store(self, one: str, name: str, plan: str) -> dict[str, Any]:
        now = _text(self.now() - timedelta(days=90))
        return {
            "id": one, "name": name, "plan": plan, "status": "available", "createdAt": now, "updatedAt": now,
            "region": "oregon", "ipAllowList": [], "dashboardUrl": f"https://dashboard.render.com/{one}",
            "owner": _owner(OWNER, "Team"),
        }  # fmt: skip

    # What it answers

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path_qs}")
        left = self._left()
        response = await super().answer(request) if left >= 0 else await self._throttles(request)
        headers = {"Ratelimit-Limit": str(LIMIT), "Ratelimit-Remaining": str(max(left, 0)), "Ratelimit-Reset": "45"}
        response.headers.setdefault("Date", format_datetime(self.now() + self.skew, usegmt=True))
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    def _left(self) -> int:
        """Count a request, and return how many more there may be; less than 0: this one was too many."""
        now = self.now()
        self.times.append(now)
        return LIMIT - sum(at > now - MINUTE for at in self.times)

    async def _throttles(self, request: web.Request) -> web.Response:
        self.instead, before = throttled(), self.instead
        try:
            return await super().answer(request)
        finally:
            self.instead = before

    def _answer(self, request: web.Request) -> Answer:
        if self.faults:
            return self.faults.pop(0)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.keys:
            return refused(401, "unauthorized")
        if request.method != "GET" or not request.path.startswith("/v1/"):
            return refused(404, "not found")
        return self._found(request)

    def _found(self, request: web.Request) -> Answer:  # noqa: C901, PLR0911, PLR0912 - an answer for each path
        match request.path.split("/")[2:]:
            case ["owners"]:
                return self._list(request, "owner", [_owner(*each) for each in self.owners.items()])
            case ["services"]:
                return self._list(request, "service", self._owned(request, [*self.services.values()]))
            case ["postgres"]:
                return self._list(request, "postgres", self._owned(request, [*self.databases.values()]))
            case ["key-value"]:
                return self._list(request, "keyValue", self._owned(request, [*self.key_values.values()]))
            case ["services", one, "events"]:
                return self._events(request, one)
            case ["services", one, part] if one in self.running:
                return self._of_service(request, one, part)
            case ["postgres", one, "recovery"] if one in self.recovery:
                return says_json(self.recovery[one])
            case ["postgres", one, "export"] if one in self.recovery:
                made = [{"id": f"exp-{at:%s}", "createdAt": _text(at)} for at in self.exports.get(one, [])]
                return says_json(made)
            case ["env-groups"]:
                return says_json([self._group(*each) for each in self.groups])
            case ["env-groups", name]:
                return says_json(next(self._whole_group(*each) for each in self.groups if each[0] == name))
            case ["metrics", metric] if metric in METRICS:
                return self._metric(request, metric)
            case ["logs"]:
                return self._logs(request)
            case _:
                return refused(404, "not found")

    def _owned(self, request: web.Request, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
        owner = request.query.get("ownerId", OWNER)
        return [each for each in objects if (each.get("ownerId") or each["owner"]["id"]) == owner]

    def _of_service(self, request: web.Request, one: str, part: str) -> Answer:
        match part:
            case "deploys":
                return self._list(request, "deploy", self.deploys[one])
            case "instances":
                now = _text(self.now())
                return says_json([{"id": f"{one}-{n:05}", "createdAt": now} for n in range(self.running[one])])
            case "custom-domains":
                return self._list(request, "customDomain", self.custom_domains.get(one, []))
            case "env-vars":
                found = self.variables.get(one, {})
                return self._list(request, "envVar", [{"key": key, "value": value} for key, value in found.items()])
            case _:
                return refused(404, "not found")

    def _events(self, request: web.Request, one: str) -> Answer:
        if not one.startswith(("srv-", "crn-")) and not self.sees_events_of_stores:
            return refused(404, "not found")
        since = datetime.fromisoformat(request.query.get("startTime", _text(self.now() - timedelta(hours=1))))
        found = [each for each in self.events.get(one, []) if datetime.fromisoformat(each["timestamp"]) >= since]
        return self._list(request, "event", found)

    def _group(self, name: str, _: dict[str, str], services: Sequence[str]) -> dict[str, Any]:
        now = _text(self.now())
        links = [{"id": self.id(service), "name": service, "type": "web"} for service in services]
        return {
            "id": name, "name": name, "ownerId": OWNER, "createdAt": now, "updatedAt": now, "serviceLinks": links,
        }  # fmt: skip

    def _whole_group(self, name: str, variables: dict[str, str], services: Sequence[str]) -> dict[str, Any]:
        listed = [{"key": key, "value": value} for key, value in variables.items()]
        return self._group(name, variables, services) | {"envVars": listed, "secretFiles": []}

    def _metric(self, request: web.Request, metric: str) -> Answer:
        apart = timedelta(seconds=float(request.query.get("resolutionSeconds", "60")))
        start, end = (datetime.fromisoformat(request.query[name]) for name in ("startTime", "endTime"))
        if apart < timedelta(seconds=30) or end <= start:
            return refused(400, "invalid query")
        points = (end - start) // apart
        found = [
            _series(metric, resource, label, value, [start + apart * (n + 1) for n in range(points)], apart)
            for resource in request.query.getall("resource")
            for label, value in self.figures.get((metric, resource), {}).items()
        ]
        return refused(500, "internal server error") if len(found) * points > MOST_POINTS else says_json(found)

    def _logs(self, request: web.Request) -> Answer:
        query, resources = request.query, request.query.getall("resource", [])
        if query.get("ownerId") != OWNER or not resources:
            return refused(400, "ownerId and resource are required")
        start, end = (datetime.fromisoformat(query[name]) for name in ("startTime", "endTime"))
        levels = set(query.getall("level", []))
        lines = [line for line in self.lines if _fits(line, resources, levels)]
        lines.sort(key=lambda line: line["timestamp"], reverse=True)
        lines = [line for line in lines if start <= datetime.fromisoformat(line["timestamp"]) <= end]
        limit = int(query.get("limit", "20"))
        last = datetime.fromisoformat(lines[limit]["timestamp"]) if len(lines) > limit else start
        more = {"hasMore": len(lines) > limit, "nextStartTime": _text(start), "nextEndTime": _text(last)}
        return says_json({**more, "logs": lines[:limit]})

    def _list(self, request: web.Request, thing: str, objects: list[dict[str, Any]]) -> Answer:
        limit = int(request.query.get("limit", "20"))
        if not 1 <= limit <= MOST:
            return refused(400, "limit must be between 1 and 100")
        start = 0 if self.repeats else int(request.query.get("cursor", "0"))
        shown = enumerate(objects[start : start + limit], start + 1)
        return says_json([{"cursor": str(number), thing: each} for number, each in shown])


def _owner(one: str, name: str) -> dict[str, Any]:
    return {"id": one, "name": name, "email": "team@example.com", "type": "team"}


def _details(name: str, kind: str, instances: int) -> dict[str, Any]:
    url = f"https://{name}.onrender.com"
    if kind == "static_site":
        return {"buildCommand": "make", "publishPath": "dist", "url": url, "buildPlan": "starter"}
    common = {
        "env": "python", "runtime": "python", "plan": "starter", "region": "oregon", "buildPlan": "starter",
        "envSpecificDetails": {"buildCommand": "make", "startCommand": "run"},
    }  # fmt: skip
    match kind:
        case "cron_job":
            return common | {"schedule": "0 3 * * *"}
        case "background_worker":
            return common | {"numInstances": instances}
        case _:
            health = {"healthCheckPath": "/health"} if kind == "web_service" else {}
            return common | {"numInstances": instances, "openPorts": [], "url": url} | health


def _series(
    metric: str, resource: str, label: str, value: float, moments: Sequence[datetime], apart: timedelta
) -> dict[str, Any]:
    """Return a series; of requests, `value` is how many there are in a second."""
    by_status = metric == "http-requests"
    labels = [{"field": "resource", "value": resource}]
    labels += [{"field": "statusCode" if by_status else "instance", "value": label}] if label else []
    each = value * apart.total_seconds() if by_status else value
    unit = METRICS[metric]
    values = [{"timestamp": _text(moment), "value": each, "unit": unit} for moment in moments]
    return {"labels": labels, "values": values, "unit": unit}


def _fits(line: dict[str, Any], resources: Sequence[str], levels: set[str]) -> bool:
    labels = {each["name"]: each["value"] for each in line["labels"]}
    return labels["resource"] in resources and (not levels or labels["level"] in levels)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
