"""What Render knows of a system: deploys, instances, limits, events, logs, databases, domains, variables and costs."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, cast

from pydantic import Field, StrictBool, model_validator

from monitor.fields import PositiveDuration
from monitor.permission import Permission
from monitor.probes.render.asking import RENDER, Render, access_with
from monitor.probes.render.costs import look_at_costs
from monitor.probes.render.datastores import look_at_backups, look_at_stores
from monitor.probes.render.deploys import look_at_deploys
from monitor.probes.render.domains import look_at_domains
from monitor.probes.render.events import look_at_events
from monitor.probes.render.fields import Aspect, Costs, Domain, Logs, Name, Names, Quantile, Variable, by_name
from monitor.probes.render.implied import FIGURES, WITH
from monitor.probes.render.instances import look_at_instances
from monitor.probes.render.logs import look_at_logs
from monitor.probes.render.measures import MEASURES
from monitor.probes.render.series import MOST_RESOURCES
from monitor.probes.render.services import (
    SERVES_HTTP,
    Service,
    Store,
    matched,
    named,
    read_databases,
    read_key_values,
    read_services,
    strangers,
)
from monitor.probes.render.traffic import look_at_latency, look_at_requests
from monitor.probes.render.usage import look_at_connections, look_at_usage
from monitor.probes.render.variables import look_at_variables
from monitor.probes.vendor import VendorCheck
from monitor.vendors import Base, Key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monitor.probes.base import Run, ThresholdFields
    from monitor.secrets import Secret
    from monitor.vendors import Access, Api

OF_SERVICES = ("deploys", "instances", "requests", "latency")
USED = ("cpu", "memory", "disk")


class RenderCheck(VendorCheck):
    """Asks Render's API about services, PostgreSQL and Key Value instances, each by its id or name.

    That those that are named exist, and are not suspended, is looked at always. Nothing that Render says makes the
    check *down*: each thing has a measure and a figure of its own, so that one alert tells one thing.
    """

    kind: str = "render"
    api_key: Key | None = None
    """A key of Render's API, of a user who sees the workspace. Render has none that may only read."""
    owner: Annotated[str, Field(pattern="^[a-z0-9-]*$")] = ""
    """The id of the workspace (`tea-…`): only what lies in there is looked at; default: all that the key sees."""
    services: Names = Field(default=[])
    """Services that must exist: a list of ids or names, or names of ours and these, which labels then show."""
    databases: Names = Field(default=[])
    """PostgreSQL instances that must exist and be available, written as `services`."""
    key_values: Names = Field(default=[])
    """Key Value (Redis) instances that must exist and be available, written as `services`."""
    look_at: list[Aspect] = Field(default=[])
    """What is looked at besides: of services `deploys`, `instances`, `requests`, `latency`; of all `cpu`, `memory`,
    `disk`, `events`; of databases and key values `connections`."""
    only: StrictBool = False
    """Whether any other service in the workspace is one too many."""
    allowed: list[Name] = Field(default=[])
    """Services that may exist besides, where `only` is set."""
    domains: list[Domain] = Field(default=[])
    """Custom domains that must be verified for one of `services`."""
    backups: StrictBool = False
    """Whether the age of the newest backup of each of `databases` is looked at."""
    logs: Logs | None = None
    """Which lines in the logs of `services` are counted; default: none."""
    costs: Costs | None = None
    """What the plans of everything in the workspace may cost; default: nobody looks."""
    variables_key: Key | None = None
    """The key for `variables`, in place of `api_key`: Render answers with their values, so give it on purpose."""
    variables: dict[Name, list[Variable]] | list[Variable] = Field(default=[])
    """Environment variables that must be set and not empty: for all `services`, or for each by its name. Only names are
    looked at. A check that looks at them looks at nothing else."""
    window: Annotated[PositiveDuration, Field(ge=timedelta(minutes=2), le=timedelta(days=30))] = timedelta(minutes=5)
    """Over how long usage, requests and latencies are averaged."""
    look_back: Annotated[PositiveDuration, Field(le=timedelta(days=30))] = timedelta(hours=1)
    """How far back `events` are counted: so long does an alert on one last."""
    quantiles: list[Quantile] = Field(default=["p95"])
    """Which quantiles of the `latency` are asked for, a question each."""
    url: Base = "https://api.render.com"
    """The API's address; for something that stands in for it."""
    every: PositiveDuration = Field(default=timedelta(minutes=2))
    """How often it runs."""

    settled: ClassVar = 1  # Render knows which deploy serves
    measures: ClassVar = (*VendorCheck.measures, *MEASURES)

    @model_validator(mode="after")
    def _agree(self) -> RenderCheck:
        for wrong, text in self._faults():
            if wrong:
                raise ValueError(text)
        return self

    def _faults(self) -> Iterator[tuple[bool, str]]:
        stores = bool(self.databases or self.key_values)
        others = bool(stores or self.look_at or self.only or self.domains or self.logs or self.costs or self.backups)
        listed = set(self.wanted_variables)
        yield bool(self.variables) != bool(self.variables_key), "variables and variables_key belong together"
        yield bool(self.variables and (others or self.api_key)), "a check of variables looks at nothing else"
        yield not self.variables and not self.api_key, "api_key is missing"
        yield not (self.services or stores or self.only or self.costs), "name services, or what else to look at"
        needs_services = [aspect for aspect in self.look_at if aspect in OF_SERVICES]
        of_services = bool(needs_services or self.domains or self.logs or self.variables)
        yield (
            of_services and not self.services,
            "it is services whose deploys, logs, domains … are looked at: name them",
        )
        yield not listed <= set(self.named_services), "variables names a service that services does not"
        yield self.backups and not self.databases, "it is databases whose backups are looked at: name them"
        yield "connections" in self.look_at and not stores, "it is databases and key_values that have connections"
        yield bool(self.allowed) and not self.only, "allowed says who may exist besides, where only is true"
        short = self.logs is not None and self.logs.window < self.every
        yield short, "the window of logs is shorter than every: some lines would never be counted"

    def permissions(self) -> tuple[Permission, ...]:
        """Return whose key it needs: Render has none that may only read."""
        where = f"Render, the workspace {self.owner}" if self.owner else "Render, the workspace"
        if self.variables:
            note = "this key's answers hold the values of variables: give it to this check alone"
            return (Permission(where, "an API key of its own (variables_key), of a user who is a member", note),)
        return (Permission(where, "an API key of a user who is a member", "Render has no key that may only read"),)

    @cached_property
    def access(self) -> Access:
        """Return Render's API, with our key."""
        key = cast("Secret", self.variables_key or self.api_key)  # one of them is there, see `_faults`
        return access_with(key, self.url)

    @property
    def named_services(self) -> dict[str, str]:
        """Return what Render knows the services by, by our names."""
        return by_name(self.services)

    @property
    def wanted_variables(self) -> Mapping[str, Sequence[str]]:
        """Return the variables that must be set, by service."""
        if isinstance(self.variables, dict):
            return self.variables
        return dict.fromkeys(self.named_services, self.variables) if self.variables else {}

    @property
    def subject(self) -> str:
        """Return which resources it is about, whatever it looks at and with which key."""
        kinds = (self.named_services, by_name(self.databases), by_name(self.key_values))
        return f"{self.url} {self.owner} {[sorted(kind.values()) for kind in kinds]}"

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the figures on what is looked at."""
        return tuple(FIGURES[measure] for measure in self._with_figures())

    def _with_figures(self) -> Iterator[str]:
        stores = bool(self.databases or self.key_values)
        looked_at = {
            "missing": bool(self.services or stores),
            "suspended": bool(self.services) and not self.variables,
            "missing_variables": bool(self.variables),
            "strangers": self.only,
            "failures": "events" in self.look_at and bool(self.services),
            "backup_failures": "events" in self.look_at and bool(self.databases),
            "backup_age": self.backups,
            "available": stores,
            "expires": bool(self.databases),
            "domain_verified": bool(self.domains),
            "budget_share": bool(self.costs),
            "unpriced": bool(self.costs),
        }
        yield from (measure for measure, looked in looked_at.items() if looked)
        for aspect in self.look_at:
            yield from WITH.get(aspect, ())

    def doubts(self) -> Iterator[str]:
        """Yield that it alone asks more than all checks of Render may."""
        allowed = RENDER.limit.most * RENDER.share * (timedelta(minutes=1) / RENDER.limit.per)
        asked = self._questions() * (timedelta(minutes=1) / self.every)
        if asked > allowed:
            yield f"it asks Render about {asked:,.0f} times a minute, and all checks together may {allowed:,.0f} times"

    def _questions(self) -> int:
        """Return how many requests a run makes, where no list has more than a page and nobody shares an answer."""
        services, databases, key_values = map(len, (self.services, self.databases, self.key_values))
        stores, web = databases + key_values, -(-services // MOST_RESOURCES)
        each = {
            "deploys": services,
            "instances": services,
            "events": services + stores,
            "requests": web,
            "latency": web * len(self.quantiles),
            "connections": -(-stores // MOST_RESOURCES),
        }
        usage = 2 * -(-(services + stores) // MOST_RESOURCES)
        lists = bool(services or self.only) + bool(databases) + bool(key_values) + 3 * bool(self.costs)
        own = services * (bool(self.domains) + bool(self.variables)) + bool(self.logs) + 2 * databases * self.backups
        return lists + own + sum(each.get(aspect, usage) for aspect in self.look_at)

    async def look(self, run: Run, api: Api) -> None:
        """Find what is named, then look at one thing after the other."""
        render = Render(api, self.every)
        missing: list[str] = []
        services = await self._find_services(run, render, missing)
        databases, key_values = await self._find_stores(run, render, missing)
        if self.services or self.databases or self.key_values:
            run.note("missing", len(missing))
        if missing:
            run.remark("missing", f"Render has no {named(missing)}")
        if self.variables:
            there = {name: services[name] for name in self.wanted_variables if name in services}
            await look_at_variables(run, render, there, self.wanted_variables)
            return
        await self._look_at_services(run, render, services)
        await self._look_at_all(run, render, services, {**databases, **key_values})
        if self.backups:
            await look_at_backups(run, render, databases)
        if self.costs:
            await look_at_costs(run, render, self.owner, self.costs)

    async def _find_services(self, run: Run, render: Render, missing: list[str]) -> dict[str, Service]:
        if not (self.services or self.only):
            return {}
        run.asking = "the question for services"
        found = await read_services(render, self.owner)
        there, absent = matched(found, self.named_services)
        missing += absent
        if self.only:
            others = strangers(found, there.values(), self.allowed)
            run.note("strangers", len(others))
            if others:
                run.remark("strangers", f"there is also {named(others)}")
        return there

    async def _find_stores(
        self, run: Run, render: Render, missing: list[str]
    ) -> tuple[dict[str, Store], dict[str, Store]]:
        databases: dict[str, Store] = {}
        key_values: dict[str, Store] = {}
        if self.databases:
            run.asking = "the question for databases"
            databases, absent = matched(await read_databases(render, self.owner), by_name(self.databases))
            missing += absent
        if self.key_values:
            run.asking = "the question for key values"
            key_values, absent = matched(await read_key_values(render, self.owner), by_name(self.key_values))
            missing += absent
        look_at_stores(run, {**databases, **key_values})
        return databases, key_values

    async def _look_at_services(self, run: Run, render: Render, services: dict[str, Service]) -> None:
        _look_at_suspensions(run, services)
        web = {name: service for name, service in services.items() if service.type in SERVES_HTTP}
        if "deploys" in self.look_at:
            await look_at_deploys(run, render, services)
        if "instances" in self.look_at:
            await look_at_instances(run, render, services)
        if "requests" in self.look_at:
            await look_at_requests(run, render, web, self.window)
        if "latency" in self.look_at:
            await look_at_latency(run, render, web, self.window, self.quantiles)
        if self.domains:
            await look_at_domains(run, render, services.values(), self.domains)
        if self.logs:
            await look_at_logs(run, render, services.values(), self.logs)

    async def _look_at_all(
        self, run: Run, render: Render, services: dict[str, Service], stores: dict[str, Store]
    ) -> None:
        of_services = {name: service.id for name, service in services.items()}
        of_stores = {name: store.id for name, store in stores.items()}
        for aspect in self.look_at:
            if aspect in USED:
                await look_at_usage(run, render, aspect, {**of_services, **of_stores}, self.window)
        if "connections" in self.look_at:
            await look_at_connections(run, render, of_stores, self.window)
        if "events" in self.look_at:
            await look_at_events(run, render, of_services, of_stores, self.look_back)


def _look_at_suspensions(run: Run, services: Mapping[str, Service]) -> None:
    texts = []
    for name, service in services.items():
        run.note("suspended", service.suspended or service.crashes, resource=name)
        run.note("crash_looping", service.crashes, resource=name)
        if service.crashes:
            texts.append(f"{name} crashed too often, and Render no longer starts it")
        elif service.suspended:
            texts.append(f"{name} is suspended by {named(service.suspenders) or 'nobody that Render names'}")
    if texts:
        run.remark("suspended", "; ".join(texts))
