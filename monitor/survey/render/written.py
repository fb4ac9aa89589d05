"""The file that a workspace of Render's becomes. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from yarl import URL

from monitor.probes.web import address
from monitor.review.rounding import written_span
from monitor.survey.address import named, unique
from monitor.survey.checks import TODO, remedy
from monitor.survey.render.reading import HAS_DOMAINS
from monitor.survey.scalars import clean, listed, mapping, remark, scalar, variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from monitor.probes.render.services import Service, Store
    from monitor.survey.render.reading import Domain, Inventory

KEY = "RENDER_API_KEY"
API = "https://api.render.com"
A_MINUTE = 25
"""Requests of one of our checks: Render's limit is everybody's."""
RUNS = {"web_service", "private_service", "background_worker"}
KNOWN = {*RUNS, "cron_job", "static_site"}
DASHBOARD = "See its latest deploy and its log in Render. How is a deploy undone, and who is called?"

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass
class Names:
    """What everything is called: a name of ours for each id, and those of checks that are taken."""

    ids: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=lambda: {"render", "render-usage", "render-backups", "render-domains"})
    variables: set[str] = field(default_factory=set)

    def of(self, thing: Service | Store) -> str:
        """Return the name of a resource."""
        if thing.id not in self.ids:
            self.ids[thing.id] = unique(named(thing.name), self.taken)
        return self.ids[thing.id]

    def variable(self, store: Store, system: str) -> str:
        """Return the name of the variable that holds the address of a store."""
        name = unique(f"{named(system)}-{self.of(store).removeprefix(f'{system}-')}", self.variables)
        return f"{name if name[0].isalpha() else f'the-{name}'}-url".upper().replace("-", "_")


def workspace_text(found: Inventory, name: str) -> str:
    """Return the file of the system `name`."""
    lines = remark(
        f"{name}: what `monitor init --render` found in the workspace {found.workspace.name} on {found.on}. "
        "All of it is a suggestion; docs/configuration.md describes every key."
    )
    lines += [
        "#",
        "# What is left to do:",
        f'#   - Write the remedies: each that begins with "{TODO}" is none yet.',
        "#   - `monitor init URL` of each address finds more: its health, its metrics, figures for its speed.",
        f"#   - Set {KEY} for the daemon, and the variables below. Variables of the services were not read.",
        "#   - Run `monitor validate`, `monitor check`, then `monitor run`.",
        f"system: {scalar(name)}",
        f"title: {scalar(clean(found.workspace.name, 60) or name)}",
        "# runbook: https://wiki.example.com/runbook     linked from every alert",
        "",
        "defaults: {every: 30s, timeout: 10s}",
        "",
        "checks:",
        *_checks(found, name),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _checks(found: Inventory, name: str) -> Iterator[str]:
    names = Names()
    services = [service for service in found.services if not service.suspended and service.type in KNOWN]
    databases = [store for store in found.databases if store.status != "suspended"]
    key_values = [store for store in found.key_values if store.status != "suspended"]
    yield from _left_out(found)
    yield from _render(found, names, services, [*databases], [*key_values])
    for service in services:
        yield from _service(service, names, found.domains.get(service.id, ()))
    for store in databases:
        yield from _database(store, names, name)
    for store in key_values:
        yield from _key_value(store, names, name)


def _left_out(found: Inventory) -> Iterator[str]:
    for service in found.services:
        if service.suspended:
            why = "it crashed too often" if service.crashes else "suspended"
            yield from remark(f"Not watched: {service.name} ({service.type}), {why}.", 2)
        elif service.type not in KNOWN:
            yield from remark(f"Not watched: {service.name}, a {service.type}, which is new to us.", 2)
    for store in (*found.databases, *found.key_values):
        if store.status == "suspended":
            yield from remark(f"Not watched: {store.name}, suspended.", 2)


def _render(
    found: Inventory, names: Names, services: Sequence[Service], databases: Sequence[Store], key_values: Sequence[Store]
) -> Iterator[str]:
    """Yield the checks that ask Render itself."""
    stores, count = len(databases) + len(key_values), len(services)
    known = {"services": _by_id(names, services), "databases": _by_id(names, databases)}
    all_of = {**known, "key_values": _by_id(names, key_values)}
    yield from remark("What Render knows of all of it: its figures come with it, see docs/platform.md.", 2)
    look_at = ["deploys", "instances"] if services else []
    yield from _asking("render", found, all_of, look_at, max(1, math.ceil(2 * count / A_MINUTE)))
    if services:
        yield from ["    # only: true # a service that is not named here is a warning: it is paid for, too", ""]
    usage = [*(("cpu", "memory", "disk", "events") if services else ()), *(("connections",) if stores else ())]
    yield from _asking("render-usage", found, all_of, usage, max(5, math.ceil((count + stores) * 2 / A_MINUTE)))
    yield ""
    if databases:
        yield from _asking("render-backups", found, {"databases": known["databases"]}, [], 60)
        yield from ["    backups: true", ""]
    domains = [domain.name for each in found.domains.values() for domain in each if domain.verified]
    domains = list(dict.fromkeys(name for name in domains if _HOST.fullmatch(name)))
    if domains:
        own = [service for service in services if found.domains.get(service.id)]
        yield from _asking("render-domains", found, {"services": _by_id(names, own)}, [], 15)
        yield from [f"    domains: {listed(map(scalar, domains))}", ""]


def _asking(
    name: str, found: Inventory, resources: Mapping[str, Mapping[str, str]], look_at: Sequence[str], minutes: int
) -> Iterator[str]:
    yield f"  {name}:"
    yield "    kind: render"
    yield f"    if_set: {KEY}"
    yield f"    api_key: {variable(KEY)}"
    yield f"    owner: {scalar(found.workspace.id)}"
    if found.api != API:
        yield f"    url: {scalar(found.api)}"
    for kind, things in resources.items():
        if things:
            yield f"    {kind}:"
            yield from (f"      {scalar(ours)}: {scalar(theirs)}" for ours, theirs in things.items())
    if look_at:
        yield f"    look_at: {listed(look_at)}"
    yield f"    every: {written_span(timedelta(minutes=minutes))}"
    yield "    timeout: 30s # Render is asked slowly"


def _by_id(names: Names, things: Iterable[Service | Store]) -> dict[str, str]:
    return {names.of(thing): thing.id for thing in things}


def _service(service: Service, names: Names, domains: Sequence[Domain]) -> Iterator[str]:
    name, plan = names.of(service), ", ".join(filter(None, (service.type, service.plan, service.region)))
    yield from remark(f"{service.name}: {plan}", 2)
    if service.type not in HAS_DOMAINS or not _address(service):
        yield from _out_of_reach(service, name)
        return
    yield from _web(service, name)
    for domain in domains:
        yield from _domain(domain, names)


def _out_of_reach(service: Service, name: str) -> Iterator[str]:
    if service.type == "cron_job":
        yield from remark("Render tells of failed runs, not of one that never began: let the job report in,", 2)
        yield from remark(f"{name}: {{kind: heartbeat, …}}, see docs/heartbeats.md.", 2)
    else:
        yield from remark("Nothing outside can reach it, so what Render says of it is what is watched.", 2)
    yield ""


def _web(service: Service, name: str) -> Iterator[str]:
    static = service.type == "static_site"
    expected = {"status": "2xx"} | ({"content_type": "text/html"} if static else {})
    yield f"  {name}:"
    yield f"    title: {scalar(clean(service.name, 60))}"
    yield f"    url: {scalar(_address(service))}"
    if service.plan == "free":
        yield from remark("On the free plan it sleeps without requests; to be looked at keeps it awake.", 4)
    yield f"    expect: {mapping(expected)}"
    if not static:
        yield from remark("Any 2xx will do, which `monitor validate` doubts: expect something of its JSON or text.", 4)
    yield remedy(DASHBOARD)
    yield ""


def _address(service: Service) -> str:
    """Return where a service is asked how it is; empty: nowhere that we could ask."""
    try:
        url = URL(address(service.url))
        there = URL(address(str(url.join(URL(service.health or "/")))))
    except ValueError:
        return ""
    return str(there if there.origin() == url.origin() else url)


def _domain(domain: Domain, names: Names) -> Iterator[str]:
    if not domain.verified:
        yield from remark(f"Not watched: {domain.name}, which Render has not verified.", 2)
        return
    if not _HOST.fullmatch(domain.name):
        yield from remark(f"Not watched: {domain.name}, which is no single host.", 2)
        return
    yield f"  {unique(named(domain.name), names.taken)}:"
    yield f"    title: {scalar(f'Certificate of {domain.name}')}"
    yield "    kind: tls"
    yield f"    host: {scalar(domain.name)}"
    yield "    every: 5m"
    yield "    down: {critical: 3}"
    yield remedy("See that its record still leads to Render, and that Render has verified it.")
    yield ""


def _database(store: Store, names: Names, system: str) -> Iterator[str]:
    yield from _store(store, names, system, "postgres", "dsn")
    yield from remark("A role of its own that may only look: `monitor grants`, or docs/databases.md.", 4)
    yield remedy("Is it up in Render? Who holds connections, and what is slow?")
    yield from [
        "    thresholds:",
        '      - {watch: connection_share, name: connections, warning: "> 80%", critical: "> 90%", for: 1m,',
        f"         remedy: {scalar(f'{TODO} Which pool may be smaller?')}}}",
        "",
    ]


def _key_value(store: Store, names: Names, system: str) -> Iterator[str]:
    yield from _store(store, names, system, "redis", "url")
    yield from remark("A queue needs a server that evicts nothing: policy: noeviction", 4)
    yield remedy("Is it up in Render, and what fills it?")
    yield from [
        "    thresholds:",
        '      - {watch: memory_share, name: memory, warning: "> 80%", critical: "> 90%", for: 1m,',
        f"         remedy: {scalar(f'{TODO} What may go, or which plan is next?')}}}",
        "",
    ]


def _store(store: Store, names: Names, system: str, kind: str, key: str) -> Iterator[str]:
    from_environment = names.variable(store, system)
    yield from remark(f"{store.name}: {kind}, {store.plan}. Its external address, for a daemon that runs elsewhere.", 2)
    yield f"  {names.of(store)}:"
    yield f"    title: {scalar(clean(store.name, 60))}"
    yield f"    kind: {kind}"
    yield f"    if_set: {from_environment}"
    yield f"    {key}: {variable(from_environment)}"
