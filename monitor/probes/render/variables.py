"""Which environment variables are set.

Render answers with their values, of which nothing is kept here but whether one is empty; what it answers is shared with
no other check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.probes.render.services import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.probes.base import Run
    from monitor.probes.render.asking import Render
    from monitor.probes.render.services import Service
    from monitor.vendors import Found


async def look_at_variables(
    run: Run, render: Render, services: Mapping[str, Service], wanted: Mapping[str, Sequence[str]]
) -> None:
    """Note how many of the variables `wanted` each of `services` lacks; raises `Failure` (unknown).

    One that is empty is not set. A variable may come from a group that is linked to the service, and groups are read
    only where something is missing.
    """
    missing: dict[str, set[str]] = {}
    for name, service in services.items():
        run.asking = f"the question for the variables of {name}"
        path = f"/v1/services/{service.id}/env-vars"
        present = await render.listed(path, "envVar", _set, shared=False)
        missing[name] = set(wanted[name]) - {each for each in present if each}
    if any(missing.values()):
        await _look_at_groups(run, render, services, missing)
    for name, names in missing.items():
        run.note("missing_variables", len(names), resource=name)
    if texts := [f"{name} lacks {named(sorted(names))}" for name, names in missing.items() if names]:
        run.remark("missing_variables", "; ".join(texts))


async def _look_at_groups(
    run: Run, render: Render, services: Mapping[str, Service], missing: Mapping[str, set[str]]
) -> None:
    """Take what linked groups set out of `missing`."""
    run.asking = "the question for groups of variables"
    lacking = {services[name].id: names for name, names in missing.items() if names}
    for group in (await render.get("/v1/env-groups", [("limit", "100")], shared=False)).body:
        linked = [names for link in group["serviceLinks"] if (names := lacking.get(link["id"].text))]
        if linked:
            reply = await render.get(f"/v1/env-groups/{group['id'].text}", shared=False)
            present = {each for each in map(_set, reply.body["envVars"]) if each}
            for names in linked:
                names -= present  # noqa: PLW2901 - the set itself


def _set(found: Found) -> str:
    """Return the name of a variable; empty where it has no value."""
    return found["key"].text if found["value"].text else ""
