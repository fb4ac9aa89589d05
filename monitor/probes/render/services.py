"""The services and datastores that Render has, and which of them a check means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from monitor.model import Failure, Reason, State
from monitor.probes.render.asking import moment, new_word

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from monitor.probes.render.asking import Render
    from monitor.vendors import Found

ID = re.compile(r"(srv|crn|dpg|red)-[a-z0-9]+")
SUSPENDED = {"suspended": True, "not_suspended": False}
CRASHES = "stuck_crashlooping"
RUNNING = frozenset({"web_service", "private_service", "background_worker"})
"""The types of which instances run all the time."""
SERVES_HTTP = frozenset({"web_service"})
MOST_NAMED = 5


class Service(NamedTuple):
    """A service. `instances`: as many as are configured, at least; `disk`: in GB.

    `url`: where it answers, `health`: the path at which Render asks how it is; empty where there is none.
    """

    id: str
    name: str
    type: str
    owner: str
    region: str
    plan: str
    instances: int
    disk: float
    suspended: bool
    suspenders: tuple[str, ...]
    url: str
    health: str

    @property
    def crashes(self) -> bool:
        """Return whether Render gave up starting it."""
        return CRASHES in self.suspenders


class Store(NamedTuple):
    """A PostgreSQL or Key Value instance. `disk`: in GB; `copies`: how many are billed."""

    id: str
    name: str
    plan: str
    status: str
    created: datetime
    expires: datetime | None
    disk: float
    copies: int


Thing = TypeVar("Thing", Service, Store)


async def read_services(render: Render, owner: str) -> Sequence[Service]:
    """Return every service that the key sees in the workspace `owner` (empty: in all), without previews.

    Raises `Failure` (unknown), also when there is none at all: it is more likely the wrong workspace.
    """
    query = [("includePreviews", "false"), *_owned(owner)]
    found = await render.listed("/v1/services", "service", _service, *query)
    return _some(found, "service")


async def read_databases(render: Render, owner: str) -> Sequence[Store]:
    """Return every PostgreSQL instance, without replicas; otherwise as `read_services`, but there may be none."""
    return await render.listed("/v1/postgres", "postgres", _database, ("includeReplicas", "false"), *_owned(owner))


async def read_key_values(render: Render, owner: str) -> Sequence[Store]:
    """Return every Key Value instance; otherwise as `read_databases`."""
    return await render.listed("/v1/key-value", "keyValue", _key_value, *_owned(owner))


def matched(found: Sequence[Thing], wanted: Mapping[str, str]) -> tuple[dict[str, Thing], list[str]]:
    """Return what is there of `wanted`, names and what Render knows them by, and the names of what is not.

    Raises `Failure` (protocol, unknown) where a name means several.
    """
    there: dict[str, Thing] = {}
    for name, known_as in wanted.items():
        by_id = ID.fullmatch(known_as)
        same = [each for each in found if (each.id if by_id else each.name) == known_as]
        if len(same) > 1:
            text = f"{len(same)} are called {known_as} at Render: give the id of the one that is meant"
            raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)
        if same:
            there[name] = same[0]
    return there, [name for name in wanted if name not in there]


def strangers(found: Sequence[Service], wanted: Collection[Service], allowed: Collection[str]) -> list[str]:
    """Return the names of the services that are neither `wanted` nor `allowed`, with their types."""
    known = {each.id for each in wanted}
    return [
        f"{each.name} ({each.type})"
        for each in found
        if each.id not in known and each.name not in allowed and each.id not in allowed
    ]


def named(texts: Sequence[str]) -> str:
    """Return the first of `texts`, and how many more there are."""
    more = f" and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return f"{', '.join(texts[:MOST_NAMED])}{more}"


def _owned(owner: str) -> list[tuple[str, str]]:
    return [("ownerId", owner)] if owner else []


def _some(found: Sequence[Thing], what: str) -> Sequence[Thing]:
    if not found:
        text = f"Render shows the key no {what} at all: is it one of another workspace?"
        raise Failure(Reason.UNKNOWN, text, State.UNKNOWN)
    return found


def _service(found: Found) -> Service:
    details = found["serviceDetails"]
    plan, region = details.get("plan"), details.get("region")
    url, health = details.get("url"), details.get("healthCheckPath")
    disk = details.get("disk")
    return Service(
        id=found["id"].text,
        name=found["name"].text,
        type=found["type"].text,
        owner=found["ownerId"].text,
        region=region.text if region else "",
        plan=plan.text if plan else "",
        instances=_configured(details),
        disk=disk["sizeGB"].number if disk else 0.0,
        suspended=_suspended(found),
        suspenders=tuple(each.text for each in found["suspenders"]),
        url=url.text if url else "",
        health=health.text if health else "",
    )


def _suspended(found: Found) -> bool:
    word = found["suspended"].text
    if word not in SUSPENDED:
        raise new_word(f"whether {found['name'].text} is suspended", word)
    return SUSPENDED[word]


def _configured(details: Found) -> int:
    """Return how many instances there must be; where Render scales by itself, the fewest that it may leave."""
    scaling, count = details.get("autoscaling"), details.get("numInstances")
    if scaling and scaling["enabled"].flag:
        return int(scaling["min"].number)
    return int(count.number) if count else 0


def _database(found: Found) -> Store:
    expires, disk = found.get("expiresAt"), found.get("diskSizeGB")
    return Store(
        id=found["id"].text,
        name=found["name"].text,
        plan=found["plan"].text,
        status=found["status"].text,
        created=moment(found["createdAt"]),
        expires=moment(expires) if expires else None,
        disk=disk.number if disk else 0.0,
        copies=1 + found["highAvailabilityEnabled"].flag + len(list(found["readReplicas"])),
    )


def _key_value(found: Found) -> Store:
    return Store(
        id=found["id"].text,
        name=found["name"].text,
        plan=found["plan"].text,
        status=found["status"].text,
        created=moment(found["createdAt"]),
        expires=None,
        disk=0.0,
        copies=1,
    )
