"""What Render's API tells of a workspace, with GETs alone.

Variables, groups of them and connection strings are never asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from monitor.probes.render.services import read_databases, read_key_values, read_services
from monitor.survey.found import NothingToWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from monitor.probes.render.asking import Render
    from monitor.probes.render.services import Service, Store
    from monitor.vendors import Found

HAS_DOMAINS = frozenset({"web_service", "static_site"})


class Workspace(NamedTuple):
    """A workspace that the key sees."""

    id: str
    name: str


class Domain(NamedTuple):
    """A custom domain of a service."""

    name: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that a workspace has. `domains`: those of each service, by its id. `api`: where the API is."""

    workspace: Workspace
    services: Sequence[Service]
    databases: Sequence[Store]
    key_values: Sequence[Store]
    domains: Mapping[str, Sequence[Domain]]
    on: date
    api: str


async def workspaces(render: Render) -> Sequence[Workspace]:
    """Return the workspaces that the key sees; raises `Failure` (unknown)."""
    return await render.listed("/v1/owners", "owner", lambda found: Workspace(found["id"].text, found["name"].text))


async def look_at_workspace(render: Render, workspace: Workspace, api: str, tell: Callable[[str], None]) -> Inventory:
    """Return what a workspace has; `tell` hears what is being done.

    Raises `Failure` (unknown), and `NothingToWatch` where nothing runs.
    """
    tell("asking for services, databases and key values")
    services = await read_services(render, workspace.id)
    databases = await read_databases(render, workspace.id)
    key_values = await read_key_values(render, workspace.id)
    if all(service.suspended for service in services) and not (databases or key_values):
        raise NothingToWatch(f"Nothing runs in the workspace {workspace.name}: all of it is suspended.")
    domains: dict[str, Sequence[Domain]] = {}
    asked = [service for service in services if service.type in HAS_DOMAINS and not service.suspended]
    for number, service in enumerate(asked, 1):
        tell(f"asking for the domains of service {number} of {len(asked)}")
        domains[service.id] = await render.listed(f"/v1/services/{service.id}/custom-domains", "customDomain", _domain)
    return Inventory(workspace, services, databases, key_values, domains, render.now.date(), api)


def _domain(found: Found) -> Domain:
    return Domain(found["name"].text.lower(), found["verificationStatus"].text == "verified")
